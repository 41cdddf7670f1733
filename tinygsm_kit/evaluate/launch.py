"""One evaluation on many devices: the same driver, started by `accelerate launch` in a process group of its own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinygsm_kit import processes
from tinygsm_kit.errors import KitError


class LaunchError(KitError):
    """The process group ended with an error; its own messages went to standard error."""


def launch(
    model: Path | str,
    tasks: Sequence[str],
    folder: Path,
    *,
    config_file: Path | str | None = None,
    arguments: Sequence[str] = (),
    **settings: Any,
) -> dict[str, Any]:
    """`driver.evaluate` under `accelerate launch`: each process takes its share of the questions.

    `settings` are those of `driver.evaluate` but for `progress`; `config_file` is what `accelerate config` wrote, and
    `arguments` go to accelerate as they are. lm-eval shares questions among GPUs, not among the cores of one CPU.
    """
    with tempfile.TemporaryDirectory(prefix="tinygsm-kit-") as scratch:
        file = Path(scratch) / "call.json"
        file.write_text(json.dumps({"model": str(model), "tasks": list(tasks), "folder": str(folder), **settings}, default=str))
        code = processes.accelerated("tinygsm_kit.evaluate", file, config_file, arguments)
    if code != 0:
        raise LaunchError(
            f"evaluating {model} under accelerate ended with status {code}; what it said stands above. "
            f"Tasks that were done are kept in {folder}: repeat the command to go on"
        )
    results: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return results
