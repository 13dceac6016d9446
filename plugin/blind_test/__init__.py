"""A blind test: the user tells real from synthetic tiles of the project's layers."""
