"""The documentation, and what builds its generated parts."""
