"""One process of a training: `accelerate launch -m tinygsm_kit.train CONTEXT.json`."""

import sys
from pathlib import Path

from tinygsm_kit import plugins
from tinygsm_kit.processes import end_with_parent
from tinygsm_kit.train.errors import TrainingError
from tinygsm_kit.train.launch import read


def main() -> None:
    """Train as the file says; an error that a person can act on ends with status 1 and its message alone."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tinygsm_kit.train CONTEXT.json (written by tinygsm_kit.train.launch)")
    end_with_parent()
    trainer, options, context = read(Path(sys.argv[1]))
    try:
        plugins.get("trainer", trainer, **options).train(context)
    except TrainingError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
