"""Parquet parts: how a data stage lies on disk. A part is written to a temporary name and renamed: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

PART_ROWS = 10_000
"""Rows a part at most: small enough that a killed run loses seconds, large enough for twelve million rows."""

PROBLEM_COLUMNS = {"id": "string", "question": "string", "program": "string", "answer": "string",
                   "difficulty": "int32", "source": "string"}  # fmt: skip
SOLUTION_COLUMNS = {"problem_id": "string", "steps": "list", "answer": "string", "converter": "string", "version": "string"}
REJECTION_COLUMNS = {"problem_id": "string", "stage": "string", "reason": "string", "detail": "string", "row": "string"}
INJECTED_COLUMNS = {"problem_id": "string", "question": "string", "text": "string", "tokens": "int32"}


def _schema(columns: Mapping[str, str]) -> Any:
    import pyarrow as pa

    types = {"string": pa.string(), "int32": pa.int32(), "list": pa.list_(pa.string())}
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])


def write_part(path: Path, rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Write rows under a temporary name, then rename. The bytes depend on the rows and on pyarrow's version alone."""
    import pyarrow as pa

    write_table(path, pa.Table.from_pylist(list(rows), schema=_schema(columns)))


def write_table(path: Path, table: Any) -> None:
    """The same for rows that are a pyarrow table already."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        pq.write_table(table, temporary, compression="zstd")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a small file under a temporary name, then rename: a reader sees the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def part_path(folder: Path, index: int, prefix: str = "part") -> Path:
    """`folder/part-00007.parquet`; rejected rows stand beside it as `rejected-00007.parquet`."""
    return folder / f"{prefix}-{index:05d}.parquet"


def part_paths(folder: Path, prefix: str = "part") -> list[Path]:
    """All parts of a folder in order."""
    return sorted(folder.glob(f"{prefix}-*.parquet"))


def read_rows(
    paths: Path | Sequence[Path], columns: Sequence[str] | None = None, batch: int = 2_000
) -> Iterator[dict[str, Any]]:
    """Rows as dicts, a batch of them in memory at a time."""
    import pyarrow.parquet as pq

    for path in [paths] if isinstance(paths, Path) else paths:
        with pq.ParquetFile(path) as file:
            for records in file.iter_batches(batch, columns=None if columns is None else list(columns)):
                yield from records.to_pylist()


def count_rows(paths: Iterable[Path]) -> int:
    """Number of rows, from the footers alone."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(path).num_rows for path in paths)
