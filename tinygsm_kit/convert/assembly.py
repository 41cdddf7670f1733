"""From sample parts to converted parts: reading problems, and writing each part's solutions and rejections whole."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinygsm_kit.errors import KitError
from tinygsm_kit.parts import (
    PROBLEM_COLUMNS,
    REJECTION_COLUMNS,
    SOLUTION_COLUMNS,
    count_rows,
    part_path,
    part_paths,
    read_rows,
    write_part,
)
from tinygsm_kit.records import Counts, Problem, Rejection, Solution

Outcome = Solution | Rejection


class ConvertError(KitError):
    """The convert stage cannot go on. What was done is kept; the message says how to continue."""


@dataclass(frozen=True)
class Part:
    """One part of the sample: where it lies and how many rows it holds."""

    index: int
    path: Path
    rows: int

    def problems(self) -> Iterator[Problem]:
        """Its rows in order."""
        for row in read_rows(self.path, list(PROBLEM_COLUMNS)):
            yield Problem(**row)


class Parts:
    """The convert stage's folder beside the sample's: what is done, what is to do, and how a part gets written.

    Rejections are written before solutions, so that the presence of `part-N` means that the pair is whole.
    """

    def __init__(self, sample: Path, folder: Path) -> None:
        self.folder = folder
        self.counts = Counts()
        self.by_converter: Counter[str] = Counter()
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".*.tmp"):  # of a run that was killed while it wrote
            left.unlink(missing_ok=True)
        self.all = [Part(_index(path), path, count_rows([path])) for path in part_paths(sample)]
        if not self.all:
            raise ConvertError(f"nothing to convert: expected part-*.parquet in {sample}, found none; run the sample stage")
        self.rows = sum(part.rows for part in self.all)
        self.done = [part for part in self.all if part_path(folder, part.index).exists()]
        self.to_do = [part for part in self.all if not part_path(folder, part.index).exists()]
        for part in self.done:
            self._count_written(part)

    def write(self, part: Part, outcomes: Sequence[Outcome]) -> None:
        """Write one part's outcomes, which are in the order of its problems."""
        if len(outcomes) != part.rows:
            raise ConvertError(f"part {part.index} has {part.rows} rows, but {len(outcomes)} outcomes: a fault of the executor")
        solutions = [outcome for outcome in outcomes if isinstance(outcome, Solution)]
        rejections = [outcome for outcome in outcomes if isinstance(outcome, Rejection)]
        write_part(
            part_path(self.folder, part.index, "rejected"),
            ({name: getattr(row, name) for name in REJECTION_COLUMNS} for row in rejections),
            REJECTION_COLUMNS,
        )
        write_part(
            part_path(self.folder, part.index),
            (
                {"problem_id": row.problem_id, "steps": list(row.steps), "answer": row.answer,
                 "converter": row.converter, "version": row.version}
                for row in solutions
            ),
            SOLUTION_COLUMNS,
        )  # fmt: skip
        self._count(part, len(solutions), Counter(row.reason for row in rejections))
        self.by_converter.update(row.converter for row in solutions)

    def _count_written(self, part: Part) -> None:
        converters = _tally(part_path(self.folder, part.index), "converter")
        self._count(part, converters.total(), _tally(part_path(self.folder, part.index, "rejected"), "reason"))
        self.by_converter.update(converters)

    def _count(self, part: Part, accepted: int, reasons: Counter[str]) -> None:
        self.counts.rows_in += part.rows
        self.counts.rows_out += accepted
        for reason, rows in sorted(reasons.items()):
            self.counts.reject(reason, rows)


def _index(path: Path) -> int:
    number = path.stem.rpartition("-")[2]
    with contextlib.suppress(ValueError):
        return int(number)
    raise ConvertError(f"{path} is not named like a part: expected part-00000.parquet")


def _tally(path: Path, column: str) -> Counter[str]:
    """How often each value stands in a column, without a Python object for every row."""
    import pyarrow.parquet as pq

    counted = pq.read_table(path, columns=[column]).column(column).value_counts()
    return Counter({pair["values"]: pair["counts"] for pair in counted.to_pylist()})
