"""What goes wrong with the inject stage as a whole."""

from tinygsm_kit.errors import KitError


class InjectError(KitError):
    """The inject stage cannot go on. The message says what was expected and what to do."""
