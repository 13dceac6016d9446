"""The exception whose message is shown to the user."""

from __future__ import annotations


class BackendError(Exception):
    """An error that the user can fix; its message says what happened and what to do."""
