"""The first pass of sampling: what every row of a source is, in 11 bytes a row."""

from __future__ import annotations

import functools
import hashlib
import json
import pickle
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tinygsm_kit.interfaces import Source
from tinygsm_kit.maths import programs
from tinygsm_kit.parts import PART_ROWS, REJECTION_COLUMNS, part_path, write_part
from tinygsm_kit.progress import Progress
from tinygsm_kit.records import Problem, Rejection, problem_id
from tinygsm_kit.sources import rows
from tinygsm_kit.sources.decontamination import Overlap, OverlapIndex
from tinygsm_kit.sources.rows import RowSource
from tinygsm_kit.workers import in_chunks, map_chunks

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

CHUNK_ROWS = 500
CHUNK_SECONDS = 60.0
PREFIX = "rejected-source"
"""Rows rejected before the draw lie in `rejected-source-*.parquet`: they belong beside no part."""
_HEX = frozenset("0123456789abcdef")


@dataclass
class Survey:
    """All rows of a source by position in its stream."""

    ids: npt.NDArray[np.uint64]
    difficulties: npt.NDArray[np.int16]
    eligible: npt.NDArray[np.bool_]
    """Neither rejected nor a duplicate of an earlier row."""
    overlaps: dict[str, dict[str, int]]
    """Questions that overlap with an evaluation set, by set and by words (8 counts all, 13 those that share so many)."""

    def save(self, path: Path, mark: str) -> None:
        """Keep it for a run that is interrupted later, whole or not at all."""
        import numpy as np

        temporary = path.with_suffix(".tmp.npz")
        told = np.frombuffer(json.dumps([mark, self.overlaps]).encode(), dtype=np.uint8)
        np.savez(temporary, ids=self.ids, difficulties=self.difficulties, eligible=self.eligible, told=told)
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path, mark: str) -> Survey | None:
        """What was saved under the same mark, if anything."""
        import numpy as np

        if not path.exists():
            return None
        with np.load(path) as saved:
            known, overlaps = json.loads(saved["told"].tobytes())
            return cls(saved["ids"], saved["difficulties"], saved["eligible"], overlaps) if known == mark else None


class _Seen(NamedTuple):
    """What the survey keeps of a row."""

    id: str
    difficulty: int
    overlap: Overlap | None
    rejection: Rejection | None


def number_of(identifier: str) -> int:
    """The 64-bit number that stands for a problem id: its 16 hex digits, or a digest of an id of another form."""
    if len(identifier) == 16 and _HEX.issuperset(identifier):
        return int(identifier, 16)
    return int.from_bytes(hashlib.sha256(identifier.encode()).digest()[:8])


def take(source: Source, folder: Path, *, index: Path | None, reject_words: int, workers: int, progress: Progress) -> Survey:
    """Read the whole source once and write what is rejected. `index` is a pickled OverlapIndex, `reject_words` 8 or 13."""
    import numpy as np

    ids, difficulties, accepted = array("Q"), array("h"), bytearray()
    odd_ids: dict[int, str] = {}
    overlaps: dict[str, Counter[str]] = {}
    rejections = _RejectionFiles(folder)
    with progress.task("sample: read the source", None) as task:
        for seen in _look_at_all(source, index, reject_words, workers):
            for one in seen:
                number = number_of(one.id)
                if f"{number:016x}" != one.id:
                    odd_ids[number] = one.id
                ids.append(number)
                difficulties.append(min(one.difficulty, 32_767))
                accepted.append(one.rejection is None)
                if one.rejection is not None:
                    rejections.add(one.rejection)
                if one.overlap is not None:
                    counts = overlaps.setdefault(one.overlap.set, Counter())
                    counts.update({"8": 1} if one.overlap.words == 8 else {"8": 1, "13": 1})
            task.advance(len(seen))
            task.note(rejected=rejections.rows)
    numbers = np.frombuffer(ids, dtype=np.uint64) if ids else np.empty(0, np.uint64)
    eligible, repeats = _first_of_each(numbers, np.frombuffer(bytes(accepted), dtype=np.bool_))
    for position, first in repeats:
        identifier = odd_ids.get(number := int(numbers[position]), f"{number:016x}")
        rejections.add(Rejection(identifier, "sample", "duplicate", f"row {position + 1} repeats row {first + 1}"))
    rejections.close()
    found = {name: dict(sorted(counts.items())) for name, counts in sorted(overlaps.items())}
    return Survey(numbers, np.frombuffer(difficulties or array("h"), dtype=np.int16), eligible, found)


def _first_of_each(
    ids: npt.NDArray[np.uint64], accepted: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], Iterator[tuple[int, int]]]:
    """Which accepted rows are the first with their id; and each later one with the position of its first."""
    import numpy as np

    positions = np.flatnonzero(accepted)
    _, first, which = np.unique(ids[positions], return_index=True, return_inverse=True)
    eligible = np.zeros(len(ids), dtype=np.bool_)
    eligible[positions[first]] = True
    later = np.flatnonzero(positions[first][which] != positions)
    return eligible, ((int(positions[at]), int(positions[first[which[at]]])) for at in later)


def _look_at_all(source: Source, index: Path | None, reject_words: int, workers: int) -> Iterator[list[_Seen]]:
    """Rows in chunks; in worker processes where a row costs more than to send it there."""
    worth_it = isinstance(source, RowSource) or index is not None
    look = functools.partial(_look, source, index, reject_words)
    chunks = in_chunks(rows.rows_of(source), CHUNK_ROWS)
    return map_chunks(look, chunks, workers if worth_it else 1, CHUNK_SECONDS, _lost)


def _look(source: Source, index: Path | None, reject_words: int, chunk: Sequence[Any]) -> list[_Seen]:
    overlaps = None if index is None else _index(index)
    return [_look_at(read(source, row), overlaps, reject_words) for row in chunk]


@functools.lru_cache(1)
def _index(path: Path) -> OverlapIndex:
    index: OverlapIndex = pickle.loads(path.read_bytes())
    return index


def _look_at(problem: Problem | Rejection, overlaps: OverlapIndex | None, reject_words: int) -> _Seen:
    if isinstance(problem, Rejection):
        return _Seen(problem.problem_id, 0, None, problem)
    found = None if overlaps is None else overlaps.overlap(problem.question)
    rejection = None
    if found is not None and found.words >= reject_words:
        detail = f"shares {found.words} words or the whole question with {found.set}: {found.ngram!r}"
        rejection = reject(problem, "contaminated", detail)
    return _Seen(problem.id, problem.difficulty, found, rejection)


def read(source: Source, row: Any) -> Problem | Rejection:
    """What the source makes of a row; the difficulty is filled in where the source left it out."""
    problem = rows.read(source, row)
    if isinstance(problem, Rejection) or problem.difficulty:
        return problem
    try:
        return replace(problem, difficulty=programs.difficulty(problem.program))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return reject(problem, "syntax", str(error))


def reject(problem: Problem, reason: str, detail: str) -> Rejection:
    """A Rejection at sampling that keeps the problem."""
    row = {"question": problem.question, "program": problem.program, "source": problem.source}
    return Rejection(problem.id, "sample", reason, detail, json.dumps(row, ensure_ascii=False))


def _lost(row: Any, reason: str) -> _Seen:
    """A row that took its worker with it."""
    text = json.dumps(asdict(row) if isinstance(row, Problem) else row, ensure_ascii=False, default=str)
    identifier = row.id if isinstance(row, Problem) else problem_id(text, "")
    return _Seen(identifier, 0, None, Rejection(identifier, "sample", reason, "reading this row did not end well", text))


class _RejectionFiles:
    """Rejections of the first pass, written as they come."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.rows, self.files = folder, 0, 0
        self.waiting: list[dict[str, Any]] = []

    def add(self, rejection: Rejection) -> None:
        self.rows += 1
        self.waiting.append(asdict(rejection))
        if len(self.waiting) == PART_ROWS:
            self.close()

    def close(self) -> None:
        """Write what waits."""
        if self.waiting:
            write_part(part_path(self.folder, self.files, PREFIX), self.waiting, REJECTION_COLUMNS)
            self.files, self.waiting = self.files + 1, []
