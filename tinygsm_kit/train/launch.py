"""One training on many devices: the same trainer, started by `accelerate launch` in a process group of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tinygsm_kit.interfaces import TrainContext
from tinygsm_kit.train.errors import TrainingError
from tinygsm_kit.train.saving import work_folder

CONTEXT_FILE = "context.json"


def launch(
    trainer: str,
    options: Mapping[str, Any],
    context: TrainContext,
    config_file: Path | str | None = None,
    arguments: Sequence[str] = (),
) -> Path:
    """Train under `accelerate launch` and return the model directory.

    `config_file` is what `accelerate config` wrote (DDP, FSDP, DeepSpeed); `arguments` go to accelerate as they are. Raises
    TrainingError where the process group ends with an error; its own messages went to standard error.
    """
    work = work_folder(context.output)
    file = work.with_name(f"{work.name}.{CONTEXT_FILE}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"trainer": trainer, "options": dict(options), "context": asdict(context)}, default=str))
    config = ["--config_file", str(config_file)] if config_file else []
    command = ["accelerate.commands.launch", *config, *arguments, "-m", "tinygsm_kit.train", str(file)]
    code = subprocess.run([sys.executable, "-m", *command], check=False).returncode
    if code != 0:
        raise TrainingError(
            f"training {context.condition} under accelerate ended with status {code}; what it said stands above. "
            f"Checkpoints are kept in {work}: repeat the command to go on"
        )
    file.unlink()
    return context.output


def read(file: Path) -> tuple[str, dict[str, Any], TrainContext]:
    """Trainer, options and context from the file that `launch` wrote."""
    stored = json.loads(file.read_text(encoding="utf-8"))
    fields = stored["context"]
    for name in ("data", "output"):
        fields[name] = Path(fields[name])
    fields["tokens"] = tuple(fields["tokens"])
    fields["vocabulary_text"] = tuple(Path(folder) for folder in fields["vocabulary_text"])
    return stored["trainer"], stored["options"], TrainContext(**fields)
