"""One stage of a run: skip it, go on with it, or begin it anew."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tinygsm_kit.errors import KitError, PendingError, is_disk_full
from tinygsm_kit.manifest import Manifest
from tinygsm_kit.progress import Progress, Silent
from tinygsm_kit.records import Counts

STAGES = ("sample", "convert", "inject", "train", "evaluate", "report")


class StageError(KitError):
    """A stage failed; what was done is kept. The message says which stage and how to go on."""


@dataclass
class Settings:
    """How a run is carried out. None of it changes a result."""

    until: str = "report"
    redo: str | None = None
    workers: int = 1
    launcher: str | None = None
    accelerate_config: Path | None = None
    devices: tuple[str, ...] = ()
    """Devices on which as many conditions are trained at once, each in a process of its own; none: one after another, here."""
    progress: Progress = field(default_factory=Silent)


@dataclass(frozen=True)
class Rows:
    """What a stage leaves: its place below the run directory, and the fingerprint of all that decided its content."""

    place: str
    mark: str


class Runner:
    """Carries out stages in one run directory and keeps the manifest."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings
        folder.mkdir(parents=True, exist_ok=True)
        self.manifest = Manifest(folder)

    def path(self, rows: Rows) -> Path:
        """The folder of what a stage left."""
        return self.folder / rows.place

    def forget_redone(self) -> None:
        """`--redo STAGE` repeats that stage and all that rest on it."""
        if self.settings.redo is None:
            return
        again = STAGES[STAGES.index(self.settings.redo) :]
        for name in list(self.manifest.data["stages"]):
            if name.split("/")[0] in again:
                self.manifest.forget(name)

    def stage(self, name: str, rows: Rows, work: Callable[[], Counts | None]) -> Rows:
        """Do the work unless it was done with the same fingerprint; the parts of a killed stage are there to go on from."""
        folder = self.path(rows)
        if self.manifest.is_done(name, rows.mark) and folder.exists():
            return rows
        if not self.manifest.is_begun(name, rows.mark):
            self._set_aside(folder, name)
        self.manifest.begin(name, rows.mark)
        started = time.monotonic()
        try:
            counts = work()
        except BaseException as error:
            with suppress(OSError):  # a full disk takes no manifest either: the last one stands
                self.manifest.add_seconds(name, time.monotonic() - started)
            reason = _reason(error, folder)
            if reason is None:
                raise
            raise StageError(
                f"stage {name} failed: {reason}\nWhat was done is kept in {self.folder}; the same command goes on."
            ) from error
        self.manifest.end(name, counts, time.monotonic() - started)
        return rows

    def _set_aside(self, folder: Path, name: str) -> None:
        """Clear what an earlier fingerprint left. Models cost hours: they are moved, not deleted. Answers know their age."""
        if not folder.exists() or name.startswith("evaluate/"):
            return
        if name.startswith("train/"):
            known = self.manifest.data["stages"].get(name, {}).get("fingerprint", "unknown")
            aside = self.folder / "superseded" / f"{folder.name}-{known}"
            aside.parent.mkdir(exist_ok=True)
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)
            return
        for path in folder.iterdir():
            if path.is_file():
                path.unlink()


def _reason(error: BaseException, folder: Path) -> str | None:
    """What a user can act on; None for what is a fault of the program, or no failure."""
    if is_disk_full(error):
        return f"no space is left on the disk of {folder}: make room ({error})"
    return str(error) if isinstance(error, KitError) and not isinstance(error, PendingError) else None
