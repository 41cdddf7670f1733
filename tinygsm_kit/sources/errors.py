"""What goes wrong with a source as a whole; a single bad row is a Rejection instead."""

from tinygsm_kit.errors import KitError


class SourceError(KitError):
    """A source cannot be read: says what was expected, what was found (file and line) and what to do."""
