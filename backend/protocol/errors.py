"""The one exception whose message is meant for the user."""

from __future__ import annotations


class BackendError(Exception):
    """Something the user can mend: the message says what happened and what to do."""
