"""One process of an evaluation: `accelerate launch -m tinygsm_kit.evaluate CALL.json`."""

import json
import os
import sys
from pathlib import Path

from tinygsm_kit.errors import KitError
from tinygsm_kit.evaluate.driver import evaluate
from tinygsm_kit.progress import Lines, Silent


def main() -> None:
    """Evaluate as the file says; an error that a person can act on ends with status 1 and its message alone."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tinygsm_kit.evaluate CALL.json (written by tinygsm_kit.evaluate.launch)")
    call = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    first = os.environ.get("LOCAL_RANK", "0") == "0"
    try:
        evaluate(
            call.pop("model"), call.pop("tasks"), Path(call.pop("folder")), **call, progress=Lines() if first else Silent()
        )
    except KitError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
