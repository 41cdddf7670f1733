"""Nested subsets of rows that were made from one sample: what a scaling ladder trains its rungs on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tinygsm_kit import parts
from tinygsm_kit.progress import Progress, Silent
from tinygsm_kit.records import Counts
from tinygsm_kit.sources import drawing
from tinygsm_kit.sources.errors import SourceError
from tinygsm_kit.sources.survey import number_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def first_rows(
    sample: Path, made: Path, folder: Path, *, size: int, stratify: Literal["difficulty"] | None, seed: int,
    progress: Progress | None = None,
) -> Counts:  # fmt: skip
    """Keep of the parts in `made` the `size` rows that a sample takes first, as parts of the same numbers in `folder`.

    The order is the draw's (see `drawing.draw_order`), so a subset contains every smaller one, holds each difficulty in its
    proportion, and is what all conditions keep that have the same rows. Difficulties come from the sample. Parts that are
    there already are kept. Raises SourceError where there are fewer than `size` rows.
    """
    paths = parts.part_paths(made)
    ids = _numbers(paths, "problem_id")
    if size > len(ids):
        raise SourceError(
            f"expected at least {size:,} rows for a rung of the ladder, found {len(ids):,} in {made}: take that rung out of "
            "`ladder`, or enlarge sample.size"
        )
    order = drawing.draw_order(ids, _difficulties(sample, ids) if stratify == "difficulty" else None, seed)
    kept = _mask(len(ids), order[:size])
    start = 0
    with (progress or Silent()).task("ladder", size) as task:
        for path in paths:
            end = start + parts.count_rows([path])
            _keep(path, folder / path.name, kept[start:end])
            task.advance(int(kept[start:end].sum()))
            start = end
    return Counts(len(ids), size, extra={"not_drawn": len(ids) - size})


def _numbers(paths: list[Path], column: str) -> npt.NDArray[np.uint64]:
    import numpy as np

    return np.fromiter((number_of(row[column]) for row in parts.read_rows(paths, [column])), dtype=np.uint64)


def _difficulties(sample: Path, ids: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """The difficulty of each id, as the sample has it."""
    import numpy as np

    paths = parts.part_paths(sample)
    known = _numbers(paths, "id")
    values = np.fromiter((row["difficulty"] for row in parts.read_rows(paths, ["difficulty"])), dtype=np.int32)
    order = np.argsort(known)
    place = order[np.minimum(np.searchsorted(known, ids, sorter=order), len(known) - 1)]
    if not (known[place] == ids).all():
        raise SourceError(
            f"expected every row in the sample that it was made from, found others than in {sample}: run it again"
        )
    return values[place]


def _mask(rows: int, chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    import numpy as np

    kept = np.zeros(rows, dtype=np.bool_)
    kept[chosen] = True
    return kept


def _keep(path: Path, target: Path, kept: npt.NDArray[np.bool_]) -> None:
    """Write the chosen rows of one part, whatever its columns."""
    import pyarrow.parquet as pq

    if not target.exists():
        parts.write_table(target, pq.read_table(path).filter(kept))
