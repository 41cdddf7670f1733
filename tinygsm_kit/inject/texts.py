"""Ready training rows from a file: questions with the text to learn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tinygsm_kit.inject.errors import InjectError
from tinygsm_kit.parts import part_paths, read_rows
from tinygsm_kit.records import problem_id


def ready_rows(path: Path) -> Iterator[Mapping[str, str]]:
    """Rows with `problem_id`, `question` and `text`. Raises InjectError at the first row that lacks one of the last two."""
    for number, row in enumerate(_read_any(path), start=1):
        question, text = row.get("question"), row.get("text")
        if not isinstance(question, str) or not isinstance(text, str):
            raise InjectError(f"{path}, row {number}: expected text in `question` and `text`, found {_shape(row)}")
        yield {"problem_id": problem_id(question, text), "question": question, "text": text}


def identity(path: Path) -> list[str]:
    """What the rows depend on: the digest of each file. Empty where there is none, which reading says."""
    files = part_paths(path) if path.is_dir() else [path] if path.is_file() else []
    return [_digest(file) for file in files]


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_any(path: Path) -> Iterator[Mapping[str, Any]]:
    if not path.exists():
        raise InjectError(f"{path} does not exist: expected JSONL, Parquet or a folder of parts with `question` and `text`")
    if path.is_dir() or path.suffix == ".parquet":
        yield from read_rows(part_paths(path) if path.is_dir() else path)
        return
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InjectError(f"{path}, line {number}: expected one JSON object, found {line[:60]!r} ({error})") from error
            if not isinstance(row, dict):
                raise InjectError(f"{path}, line {number}: expected one JSON object, found {line[:60]!r}")
            yield row


def _shape(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} ({type(value).__name__})" for key, value in row.items()) or "nothing"
