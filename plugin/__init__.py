"""The plugin's user interface: panels, dialogs, settings, and the styling of results."""
