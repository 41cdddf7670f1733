"""The one base of every error that a user can act on: its message says what was expected, what was found, what to do."""


class KitError(Exception):
    """Shown to the user as it is, without a traceback."""


class PendingError(KitError):
    """Nothing failed: the work goes on elsewhere, and the same command collects it later."""
