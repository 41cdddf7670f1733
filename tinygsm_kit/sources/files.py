"""Rows of JSONL and Parquet files, streamed, each with the place where it stands."""

from __future__ import annotations

import difflib
import functools
import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinygsm_kit.sources.errors import SourceError

KINDS = (".jsonl", ".ndjson", ".jsonl.gz", ".parquet")
BATCH_ROWS = 1_000


def find(paths: Sequence[Path]) -> list[Path]:
    """The files that files, folders and glob patterns stand for, sorted within each. SourceError where there is none."""
    return [file for path in paths for file in _find(path)]


def _find(path: Path) -> list[Path]:
    if path.is_file():
        if not _is_known(path):
            raise SourceError(f"expected a file that ends in {', '.join(KINDS)}, found {path}")
        return [path]
    folder, pattern = (path, "*") if path.is_dir() else _split_at_wildcard(path)
    found = sorted(file for file in folder.glob(pattern) if file.is_file() and _is_known(file))
    if not found:
        raise SourceError(_not_there(path))
    return found


def _split_at_wildcard(path: Path) -> tuple[Path, str]:
    parts = path.parts
    wild = next((number for number, part in enumerate(parts) if set(part) & set("*?[")), None)
    if wild is None:
        raise SourceError(_not_there(path))
    return Path(*parts[:wild]), str(Path(*parts[wild:]))


def _not_there(path: Path) -> str:
    if path.is_dir():
        return f"expected files that end in {', '.join(KINDS)} in {path}, found none"
    siblings = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, siblings, 1)
    hint = f"did you mean {path.parent / near[0]}?" if near else "give a file, a folder or a glob pattern"
    return f"expected rows at {path}, found no such file ({path.absolute()}): {hint}"


def _is_known(path: Path) -> bool:
    return path.name.endswith(KINDS)


def read(file: Path, columns: Sequence[str]) -> Iterator[tuple[str, str | Mapping[str, Any]]]:
    """(place, row): a JSONL line unparsed, a Parquet row as a dict of the columns. SourceError where they are missing."""
    return _parquet(file, columns) if file.name.endswith(".parquet") else _lines(file, columns)


def digest(file: Path) -> str:
    """SHA-256 of the file's bytes; read once a process while size and time of change stay the same."""
    known = file.stat()
    return _digest(file.absolute(), known.st_size, known.st_mtime_ns)


@functools.lru_cache(10_000)
def _digest(file: Path, size: int, changed: int) -> str:  # noqa: ARG001 the cache's key
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_columns(place: str, row: Mapping[str, Any], columns: Sequence[str]) -> None:
    """Raises SourceError unless the row has the columns."""
    missing = [column for column in columns if column not in row]
    if missing:
        raise SourceError(
            f"{place}: expected columns {', '.join(map(repr, columns))}, found {', '.join(map(repr, row)) or 'none'}: "
            "name them with the options `question` and `code`"
        )


def _lines(file: Path, columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    checked = False
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as stream:
            # A stray byte spoils its own row only; and a line ends at a newline, not at every separator of Unicode.
            for number, raw in enumerate(stream, 1):
                line = raw.decode("utf-8", "replace").strip()
                if not line:
                    continue
                place = f"{file}:{number}"
                if not checked:
                    checked = _has_columns(place, line, columns)
                yield place, line
    except (OSError, EOFError) as error:
        raise SourceError(f"cannot read {file}: {error}: is it whole?") from error


def _has_columns(place: str, line: str, columns: Sequence[str]) -> bool:
    """Whether the line is an object; then it has the columns, or else SourceError."""
    try:
        row = json.loads(line)
    except ValueError:
        return False
    if isinstance(row, dict):
        check_columns(place, row, columns)
    return isinstance(row, dict)


def _parquet(file: Path, columns: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as table:
            check_columns(str(file), dict.fromkeys(table.schema_arrow.names), columns)
            number = 0
            for batch in table.iter_batches(BATCH_ROWS, columns=list(columns)):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{file} row {number}", row
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"cannot read {file}: {str(error).splitlines()[0]}: is it a whole Parquet file?") from error
