"""A model directory, written whole or not at all; and the folder of checkpoints beside it."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinygsm_kit import parts
from tinygsm_kit.errors import is_disk_full
from tinygsm_kit.interfaces import TrainContext
from tinygsm_kit.train.errors import TrainingError

KIT_FILE = "tinygsm_kit.json"
LOG_FILE = "training_log.jsonl"
SUMMARY_FILE = "training_summary.json"
STATE_FILE = "trainer_state.json"
_LOGGED = ("step", "loss", "learning_rate", "epoch", "seconds", "rows", "grad_norm", "mean_token_accuracy", "num_tokens")


def work_folder(output: Path) -> Path:
    """Where a training keeps its checkpoints and its tokenized rows until it is done."""
    return output.parent / f"{output.name}.work"


def open_work(folder: Path, context: TrainContext, options: Mapping[str, Any]) -> None:
    """Make the work folder, or empty it where it belongs to another training (other options, data or model)."""
    mark, file = _fingerprint(context, options), folder / "fingerprint"
    if folder.exists() and (not file.exists() or file.read_text(encoding="utf-8") != mark):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(mark, encoding="utf-8")


def _fingerprint(context: TrainContext, options: Mapping[str, Any]) -> str:
    """What a checkpoint depends on: if any of it changes, the checkpoint is of no use."""
    digest = hashlib.sha256()
    plain = [dict(options), context.model, context.seed, context.tokens, context.prompt]
    digest.update(json.dumps(plain, sort_keys=True, default=str).encode())
    for folder in (context.data, *context.vocabulary_text, *map(Path, context.extra.get("siblings", ()))):
        for path in parts.part_paths(folder):
            digest.update(path.name.encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def last_checkpoint(work: Path) -> Path | None:
    """The newest checkpoint that was written to its end; unfinished ones are removed.

    The Trainer writes its state last, so a checkpoint with a readable state is whole.
    """
    folders = sorted(work.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    for folder in reversed(folders):
        try:
            json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(folder)
        else:
            return folder
    return None


def put_in_place(temporary: Path, output: Path) -> None:
    """Rename a finished folder to its place; what stood there goes."""
    if output.exists():
        shutil.rmtree(output)
    temporary.replace(output)


def write_extras(folder: Path, context: TrainContext, history: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> None:
    """What the kit adds to a model directory: prompt and tokens, the loss curve, the counts."""
    kit = {"prompt": context.prompt, "tokens": list(context.tokens)}
    (folder / KIT_FILE).write_text(json.dumps(kit, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    with (folder / LOG_FILE).open("w", encoding="utf-8") as file:
        for entry in history:
            if "loss" in entry:
                file.write(json.dumps({key: entry[key] for key in _LOGGED if key in entry}) + "\n")
    (folder / SUMMARY_FILE).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle of this machine's paths; nothing reads it


@contextmanager
def disk_errors(work: Path) -> Iterator[None]:
    """A full disk as an error that says what was kept."""
    try:
        yield
    except Exception as error:
        if not _is_disk_error(error):
            raise
        kept = last_checkpoint(work)
        raise TrainingError(
            f"training could not write to {work.parent}, whose disk is full or fails: {error}. "
            + (f"Kept: {kept}. " if kept else "No checkpoint was written yet. ")
            + "Make room and repeat the command: it goes on from there."
        ) from error


_DISK_SIGNS = ("No space left", "PytorchStreamWriter failed", "inline_container.cc", "iostream error", "os error 28")
"""What torch and safetensors say, in errors of their own, of a write that failed."""


def _is_disk_error(error: BaseException) -> bool:
    """Whether a write failed. torch's own error may be the one that its clearing up ran into afterwards."""
    too_large = isinstance(error, OSError) and error.errno == errno.EFBIG
    return is_disk_full(error) or too_large or any(sign in str(error) for sign in _DISK_SIGNS)
