"""Who is at the keyboard."""

from __future__ import annotations

import getpass


def somebody() -> str:
    """A name, for people: the user's, where this machine knows one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
