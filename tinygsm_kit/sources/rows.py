"""Sources whose rows can be read apart from the stream, so that worker processes share the reading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from tinygsm_kit.interfaces import Source
from tinygsm_kit.records import Problem, Rejection


@runtime_checkable
class RowSource(Protocol):
    """What a source may offer beside `problems()`: cheap raw rows, and a pure function that makes a Problem of one.

    Sampling then reads in worker processes, and on its second pass only the rows that it drew. The source, its rows and
    what it reads must be picklable; `problems()` must give `read(row)` for each of `rows()`, in the same order every time.
    """

    def rows(self) -> Iterator[Any]: ...

    def read(self, row: Any) -> Problem | Rejection: ...


def rows_of(source: Source) -> Iterator[Any]:
    """The raw rows of a source that has them, else what it yields."""
    return source.rows() if isinstance(source, RowSource) else source.problems()


def read(source: Source, row: Any) -> Problem | Rejection:
    """The Problem that a row of `rows_of` stands for, or why there is none."""
    if isinstance(source, RowSource):
        return source.read(row)
    return row  # type: ignore[no-any-return]
