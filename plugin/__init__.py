"""What the analyst sees: the plugin, its settings and dialogs, and how results look."""
