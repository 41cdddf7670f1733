"""The one base of every error that a user can act on: its message says what was expected, what was found, what to do."""

import difflib
import errno
from collections.abc import Iterable


class KitError(Exception):
    """Shown to the user as it is, without a traceback."""


class PendingError(KitError):
    """Nothing failed: the work goes on elsewhere, and the same command collects it later."""


def did_you_mean(name: str, valid: Iterable[str], otherwise: str, cutoff: float = 0.6) -> str:
    """The end of a message about a name that does not exist: the nearest one that does, or `otherwise`."""
    near = difflib.get_close_matches(name, list(valid), 1, cutoff)
    return f"did you mean {near[0]!r}?" if near else otherwise


def is_disk_full(error: BaseException) -> bool:
    """Whether the system refused a write for want of room."""
    return isinstance(error, OSError) and (error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error))
