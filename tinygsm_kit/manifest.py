"""The manifest of a run: versions, seeds, and for each stage its fingerprint, counts, seconds and money."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from tinygsm_kit.parts import write_text
from tinygsm_kit.records import Counts

FILE = "manifest.json"
PACKAGES = ("torch", "transformers", "trl", "datasets", "lm-eval", "openai", "pydantic-monty", "pyarrow")


def fingerprint(value: object) -> str:
    """First 16 hex digits of SHA-256 over canonical JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Manifest:
    """RUN/manifest.json, rewritten whole whenever a stage begins or ends. Stages may run in threads; one writes at a time."""

    def __init__(self, run: Path) -> None:
        self._lock = threading.Lock()
        self.path = run / FILE
        self.data: dict[str, Any] = {"stages": {}}
        if self.path.is_file():
            self.data = json.loads(self.path.read_text(encoding="utf-8"))

    def describe(self, **facts: object) -> None:
        """Set what holds for the whole run: versions, commit, seed."""
        with self._changed():
            self.data.update(facts)

    def is_done(self, stage: str, mark: str) -> bool:
        """Whether the stage ended with this very fingerprint."""
        known = self.data["stages"].get(stage, {})
        return known.get("fingerprint") == mark and bool(known.get("done"))

    def is_begun(self, stage: str, mark: str) -> bool:
        """Whether what lies in the stage's folder belongs to this fingerprint."""
        return bool(self.data["stages"].get(stage, {}).get("fingerprint") == mark)

    def begin(self, stage: str, mark: str) -> None:
        """Say, before the first byte, which fingerprint the folder belongs to. Seconds add up over restarts."""
        with self._changed() as stages:
            known = stages.get(stage, {})
            seconds = known.get("seconds", 0.0) if known.get("fingerprint") == mark else 0.0
            stages[stage] = {"fingerprint": mark, "done": False, "seconds": seconds, "started": _now()}

    def end(self, stage: str, counts: Counts | None, seconds: float) -> None:
        """Record what a stage did."""
        with self._changed() as stages:
            entry = stages[stage]
            entry.update(done=True, seconds=round(entry["seconds"] + seconds, 3), ended=_now())
            if counts is not None:
                entry.update(
                    rows_in=counts.rows_in,
                    rows_out=counts.rows_out,
                    rejected=dict(sorted(counts.rejected.items())),
                    extra=counts.extra,
                )

    def add_seconds(self, stage: str, seconds: float) -> None:
        """Time spent on a stage that did not end."""
        with self._changed() as stages:
            stages[stage]["seconds"] += round(seconds, 3)

    def forget(self, stage: str) -> None:
        """Make a stage run again."""
        if stage in self.data["stages"]:
            with self._changed() as stages:
                del stages[stage]

    @contextmanager
    def _changed(self) -> Iterator[dict[str, Any]]:
        """The stages, for one thread at a time to change; written when it has."""
        with self._lock:
            yield self.data["stages"]
            write_text(self.path, json.dumps(self.data, indent=1, ensure_ascii=False, default=str) + "\n")


def environment() -> dict[str, Any]:
    """Versions of what decides results, and the commit of the working folder if it is a git repository."""
    versions: Mapping[str, str] = {name: metadata.version(name) for name in PACKAGES if _installed(name)}
    return {"kit": metadata.version("tinygsm-kit"), "versions": dict(versions), "git_commit": _commit()}


def _installed(name: str) -> bool:
    with suppress(metadata.PackageNotFoundError):
        return bool(metadata.version(name))
    return False


def _commit() -> str | None:
    with suppress(OSError, subprocess.SubprocessError):
        command = ["git", "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    return None


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
