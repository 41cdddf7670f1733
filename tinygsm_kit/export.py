"""Training files out of a run: prompt and completion, as they were trained on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import yaml

from tinygsm_kit.errors import KitError
from tinygsm_kit.parts import count_rows, part_paths, read_rows
from tinygsm_kit.progress import Progress
from tinygsm_kit.records import PROMPT

BATCH = 5_000


def export(
    run: Path, out: Path, condition: str | None, file_format: Literal["jsonl", "parquet", "hf"], shards: int, progress: Progress
) -> Iterator[tuple[Path, int]]:
    """Write each condition's rows as `shards` files of nearly equal length; yields each path with its number of rows."""
    recipe = yaml.safe_load((run / "recipe.yaml").read_text(encoding="utf-8"))
    prompt = recipe.get("prompt", PROMPT)
    for name in _conditions(run, condition):
        parts = part_paths(run / "inject" / name)
        total = count_rows(parts)
        rows = _training_rows(parts, prompt)
        with progress.task(f"export {name}", total) as task:
            for index in range(shards):
                size = total * (index + 1) // shards - total * index // shards
                path = _path(out, name, file_format, index, shards)
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, rows, size)
                task.advance(size)
                yield path, size


def _conditions(run: Path, condition: str | None) -> list[str]:
    there = sorted(path.name for path in (run / "inject").glob("*") if path.is_dir())
    if condition is None and there:
        return there
    if condition not in there:
        raise KitError(f"{run}: expected rows of condition {condition!r}, found those of {', '.join(there) or 'none'}")
    return [condition]


def _path(out: Path, name: str, file_format: str, index: int, shards: int) -> Path:
    """`NAME.jsonl`, `NAME-00001-of-00010.jsonl`; for `hf` the layout that `datasets.load_dataset(folder)` reads as it is."""
    suffix = "jsonl" if file_format == "jsonl" else "parquet"
    if file_format == "hf":
        return out / name / "data" / f"train-{index:05d}-of-{shards:05d}.parquet"
    return out / (f"{name}.{suffix}" if shards == 1 else f"{name}-{index + 1:05d}-of-{shards:05d}.{suffix}")


def _training_rows(parts: list[Path], prompt: str) -> Iterator[dict[str, Any]]:
    for row in read_rows(parts, ["problem_id", "question", "text"]):
        yield {
            "id": row["problem_id"],
            "prompt": prompt.replace("{question}", row["question"]),
            "completion": " " + row["text"],
        }


def _write(path: Path, rows: Iterator[dict[str, Any]], size: int) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    if path.suffix == ".jsonl":
        with temporary.open("w", encoding="utf-8") as file:
            for _ in range(size):
                file.write(json.dumps(next(rows), ensure_ascii=False) + "\n")
    else:
        _write_parquet(temporary, rows, size)
    temporary.replace(path)


def _write_parquet(path: Path, rows: Iterator[dict[str, Any]], size: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in ("id", "prompt", "completion")])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, size, BATCH):
            batch = [next(rows) for _ in range(min(BATCH, size - start))]
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
