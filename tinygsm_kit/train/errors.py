"""What can go wrong in training, as one exception that a person can act on."""

from tinygsm_kit.errors import KitError


class TrainingError(KitError):
    """Training cannot start or go on. The message says what was expected, what was found and what to do."""
