"""Which rows a sample takes, and in which part each lands: pure functions of ids, difficulties and the seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Words = npt.NDArray[np.uint64]
    Numbers = npt.NDArray[np.int64]


def keys(ids: Words, seed: int) -> Words:
    """A pseudo-random number for each id: SplitMix64 (Steele et al., 2014), a bijection, so that distinct ids never tie."""
    import numpy as np

    return _mix(ids ^ _mix(np.asarray([seed % 2**64], dtype=np.uint64)))


def _mix(values: Words) -> Words:
    import numpy as np

    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def draw_order(ids: Words, strata: npt.NDArray[Any] | None, seed: int) -> Numbers:
    """Indices of all rows in the order in which samples take them, so that a smaller sample is inside each larger one.

    With strata, row r of a stratum of n (in key order) stands at (r + 1/2) / n: any beginning of the order holds each
    stratum in its proportion, within one row or so. The order of the rows given makes no difference.
    """
    import numpy as np

    key = keys(ids, seed)
    if strata is None:
        return np.argsort(key, kind="stable")
    grouped = np.lexsort((key, strata))
    _, start, size = np.unique(strata[grouped], return_index=True, return_counts=True)
    place = np.empty(len(ids))
    place[grouped] = (np.arange(len(ids)) - np.repeat(start, size) + 0.5) / np.repeat(size, size)
    return np.lexsort((key, place))


def parts_of(drawn: Numbers, shards: int, part_rows: int) -> tuple[Numbers, int]:
    """The part of each drawn row, and how many parts there are.

    `drawn` are positions in the stream, in draw order. Rows are dealt to the shards in turn, so that each shard is a
    stratified sample too; a shard fills its parts in the order of the stream, so that few are open at a time.
    """
    import numpy as np

    largest = -(-len(drawn) // shards)
    parts_a_shard = max(1, -(-largest // part_rows))
    shard = np.arange(len(drawn)) % shards
    parts = np.empty(len(drawn), dtype=np.int64)
    for number in range(shards):
        mine = np.flatnonzero(shard == number)
        mine = mine[np.argsort(drawn[mine], kind="stable")]
        parts[mine] = number * parts_a_shard + np.arange(len(mine)) * parts_a_shard // max(len(mine), 1)
    return parts, shards * parts_a_shard
