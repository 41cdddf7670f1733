"""One training in processes of its own: on many devices under `accelerate launch`, or on one of several."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tinygsm_kit import processes
from tinygsm_kit.interfaces import TrainContext
from tinygsm_kit.train.errors import TrainingError
from tinygsm_kit.train.saving import work_folder

CONTEXT_FILE = "context.json"
MODULE = "tinygsm_kit.train"


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
    file = _write(trainer, options, context)
    code = processes.accelerated(MODULE, file, config_file, arguments)
    if code != 0:
        raise _failed(context, f"under accelerate ended with status {code}; what it said stands above")
    file.unlink()
    return context.output


def launch_on(device: str, trainer: str, options: Mapping[str, Any], context: TrainContext) -> Path:
    """Train in a process that sees one device alone, and return the model directory. Raises TrainingError."""
    file = _write(trainer, options, context)
    code, said = processes.on_device(MODULE, file, device)
    if code != 0:
        raise _failed(context, f"on {device} ended with status {code}: {said or 'it said nothing'}")
    file.unlink()
    return context.output


def _write(trainer: str, options: Mapping[str, Any], context: TrainContext) -> Path:
    work = work_folder(context.output)
    file = work.with_name(f"{work.name}.{CONTEXT_FILE}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"trainer": trainer, "options": dict(options), "context": asdict(context)}, default=str))
    return file


def _failed(context: TrainContext, how: str) -> TrainingError:
    kept = f"Checkpoints are kept in {work_folder(context.output)}: repeat the command to go on"
    return TrainingError(f"training {context.condition} {how}. {kept}")


def read(file: Path) -> tuple[str, dict[str, Any], TrainContext]:
    """Trainer, options and context from the file that `launch` or `launch_on` wrote."""
    stored = json.loads(file.read_text(encoding="utf-8"))
    fields = stored["context"]
    for name in ("data", "output"):
        fields[name] = Path(fields[name])
    fields["tokens"] = tuple(fields["tokens"])
    fields["vocabulary_text"] = tuple(Path(folder) for folder in fields["vocabulary_text"])
    return stored["trainer"], stored["options"], TrainContext(**fields)
