"""A seeded, stratified, nested sample of a source, its programs run, in sharded parts.

Two passes over the source: the first keeps 11 bytes a row and decides what is drawn; the second runs the programs of the
drawn rows. Neither holds more than the open parts in memory.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import pickle
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tinygsm_kit import parts
from tinygsm_kit.interfaces import Source
from tinygsm_kit.maths import programs
from tinygsm_kit.parts import part_path, write_part
from tinygsm_kit.progress import Progress, Silent, Task
from tinygsm_kit.records import Counts, Problem, Rejection
from tinygsm_kit.sources import drawing, survey
from tinygsm_kit.sources.decontamination import OverlapIndex
from tinygsm_kit.sources.errors import SourceError
from tinygsm_kit.sources.rows import rows_of
from tinygsm_kit.sources.survey import CHUNK_ROWS, CHUNK_SECONDS, Survey
from tinygsm_kit.workers import in_chunks, map_chunks

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

log = logging.getLogger(__name__)

OPEN_ROWS = 100_000
"""Rows in memory at most in all open parts together, one part a shard."""
_DONE = ".sample.json"
_SURVEY = ".survey.npz"


def sample(
    source: Source,
    folder: Path,
    *,
    size: int | None,
    stratify: Literal["difficulty"] | None,
    shards: int,
    seed: int,
    workers: int,
    progress: Progress | None = None,
    decontaminate: Mapping[str, Iterable[str]] | None = None,
    reject_words: Literal[8, 13] = 13,
) -> Counts:
    """Draw `size` problems (all where None) into `folder`, run their programs, and write what is rejected beside them.

    A sample contains every smaller one of the same source and seed. Rows are rejected before the draw where they cannot be
    read, repeat an earlier id, or share `reject_words` words with a question of `decontaminate` (name → questions); after
    it where the program does not run to a finite number. `rows_in == rows_out + rejected + extra["not_drawn"]`.
    A folder where the same sample was begun is finished; one with another sample is emptied first.
    Raises SourceError for a source that gives no problem, or other rows on the second pass.
    """
    progress = progress or Silent()
    folder.mkdir(parents=True, exist_ok=True)
    sets = {name: list(questions) for name, questions in (decontaminate or {}).items()}
    settings = {"size": size, "stratify": stratify, "shards": shards, "seed": seed, "reject_words": reject_words}
    mark = _mark({**settings, "options": _identity(source), "sets": sets})
    done = _begin(folder, mark)
    if done is not None:
        return done
    seen = Survey.load(folder / _SURVEY, mark)
    if seen is None:
        seen = _survey(source, folder, sets, reject_words, workers, progress)
        seen.save(folder / _SURVEY, mark)
    draw = _draw(seen, size, stratify == "difficulty", shards, seed)
    _write_parts(source, folder, seen, draw, workers, progress)
    counts = _count(folder, seen, draw)
    parts.write_text(folder / _DONE, json.dumps({"mark": mark, "counts": asdict(counts)}))
    (folder / _SURVEY).unlink()
    return counts


def _identity(source: Source) -> list[Any]:
    options: Any = getattr(source, "options", None)
    settings = options.model_dump(mode="json") if hasattr(options, "model_dump") else None
    identity = getattr(source, "identity", None)
    return [type(source).__qualname__, getattr(source, "version", ""), settings, identity() if identity else None]


def _mark(settings: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()


def _begin(folder: Path, mark: str) -> Counts | None:
    """The counts of a sample with this mark that is finished; else None, and the folder holds nothing of another one."""
    done = folder / _DONE
    known = json.loads(done.read_text("utf-8")) if done.exists() else {}
    if known.get("mark") != mark:
        for path in (*parts.part_paths(folder), *parts.part_paths(folder, "rejected"), folder / _SURVEY):
            path.unlink(missing_ok=True)
        parts.write_text(done, json.dumps({"mark": mark}))
    if "counts" not in known or known["mark"] != mark:
        return None
    counts = Counts(**known["counts"])
    whole = parts.count_rows(parts.part_paths(folder)) == counts.rows_out
    return counts if whole else None


def _survey(
    source: Source, folder: Path, sets: Mapping[str, Sequence[str]], reject_words: int, workers: int, progress: Progress
) -> Survey:
    with tempfile.TemporaryDirectory() as scratch:
        index = None
        if sets:
            index = Path(scratch, "overlap.pickle")
            index.write_bytes(pickle.dumps(OverlapIndex(sets)))
        seen = survey.take(source, folder, index=index, reject_words=reject_words, workers=workers, progress=progress)
    if not seen.eligible.any():
        reasons = ", ".join(f"{reason} {rows}" for reason, rows in _reasons(folder).items())
        if not reasons:
            raise SourceError("expected problems, found an empty source: check its path and options")
        raise SourceError(
            f"expected problems, found none in the {len(seen.ids)} rows of the source ({reasons}): look at "
            f"{folder}/rejected-source-00000.parquet"
        )
    return seen


@dataclass(frozen=True)
class Draw:
    """What is drawn, in draw order."""

    positions: npt.NDArray[np.int64]
    part: npt.NDArray[np.int64]
    parts: int
    key: npt.NDArray[np.uint64]
    asked: int | None
    eligible: int


def _draw(seen: Survey, size: int | None, stratified: bool, shards: int, seed: int) -> Draw:
    import numpy as np

    eligible = np.flatnonzero(seen.eligible)
    order = drawing.draw_order(seen.ids[eligible], seen.difficulties[eligible] if stratified else None, seed)
    if size is not None and size > len(eligible):
        log.warning("sample: asked for %s rows, the source has %s: all of them are taken", f"{size:,}", f"{len(eligible):,}")
    positions = eligible[order[:size]]
    part_rows = min(parts.PART_ROWS, max(500, OPEN_ROWS // shards))
    part, count = drawing.parts_of(positions, shards, part_rows)
    return Draw(positions, part, count, drawing.keys(seen.ids[positions], seed), size, len(eligible))


def _write_parts(source: Source, folder: Path, seen: Survey, draw: Draw, workers: int, progress: Progress) -> None:
    """Run the drawn programs and write every part that is not there yet."""
    import numpy as np

    missing = np.asarray([not part_path(folder, number).exists() for number in range(draw.parts)])
    wanted = np.full(len(seen.ids), -1, dtype=np.int64)
    wanted[draw.positions] = np.where(missing[draw.part], np.arange(len(draw.positions)), -1)
    rows_left = np.bincount(draw.part, minlength=draw.parts)
    writer = _PartWriter(folder, rows_left.tolist())
    for number in np.flatnonzero(missing & (rows_left == 0)):
        writer.write(int(number))
    chunks = in_chunks(_wanted_rows(source, wanted.data), CHUNK_ROWS)
    solve, unsolved = functools.partial(_solve, source), functools.partial(_unsolved, source)
    with progress.task("sample: run the programs", len(draw.positions)) as task:
        task.advance(int((~missing[draw.part]).sum()))
        for solved in map_chunks(solve, chunks, workers, CHUNK_SECONDS, unsolved):
            for rank, problem in solved:
                _check_same(source, problem, int(seen.ids[draw.positions[rank]]))
                writer.add(int(draw.part[rank]), int(draw.key[rank]), problem)
            _tell(task, len(solved), writer)
    writer.check_empty()


def _tell(task: Task, rows: int, writer: _PartWriter) -> None:
    task.advance(rows)
    task.note(rejected=writer.rejected)


def _wanted_rows(source: Source, wanted: memoryview) -> Iterator[tuple[int, Any]]:
    """(rank in the draw, raw row) of the rows to run; the stream is left after the last of them."""
    left = sum(rank >= 0 for rank in wanted)
    if not left:
        return
    for rank, row in zip(wanted, rows_of(source), strict=False):
        if rank >= 0:
            yield rank, row
            left -= 1
            if not left:
                return


def _solve(source: Source, rows: Sequence[tuple[int, Any]]) -> list[tuple[int, Problem | Rejection]]:
    return [(rank, _run(survey.read(source, row))) for rank, row in rows]


def _run(problem: Problem | Rejection) -> Problem | Rejection:
    if isinstance(problem, Rejection):
        return problem
    try:
        return replace(problem, answer=programs.run(problem.program))
    except programs.ProgramError as error:
        return survey.reject(problem, error.reason, error.detail)


def _unsolved(source: Source, row: tuple[int, Any], reason: str) -> tuple[int, Problem | Rejection]:
    """A program that took its worker with it. The row is read again here, which did no harm the first time."""
    rank, raw = row
    problem = survey.read(source, raw)
    if isinstance(problem, Problem):
        problem = survey.reject(problem, reason, "running this program did not end well")
    return rank, problem


def _check_same(source: Source, problem: Problem | Rejection, number: int) -> None:
    identifier = problem.id if isinstance(problem, Problem) else problem.problem_id
    if survey.number_of(identifier) != number:
        raise SourceError(
            f"expected the same rows on the second pass over {type(source).__name__}, found {identifier} in place of "
            f"{number:016x}: the data changed meanwhile, or the source's order is not fixed; run again"
        )


class _PartWriter:
    """Open parts: each is written, with its rejections, when its last row is in. Rows lie in the order of their keys."""

    def __init__(self, folder: Path, rows_left: list[int]) -> None:
        self.folder, self.rows_left = folder, rows_left
        self.open: dict[int, list[tuple[int, Problem | Rejection]]] = {}
        self.rejected = 0

    def add(self, part: int, key: int, problem: Problem | Rejection) -> None:
        self.open.setdefault(part, []).append((key, problem))
        self.rejected += isinstance(problem, Rejection)
        self.rows_left[part] -= 1
        if not self.rows_left[part]:
            self.write(part)

    def write(self, part: int) -> None:
        """Rejections first: where the part is, they are."""
        rows = [row for _, row in sorted(self.open.pop(part, []), key=lambda item: item[0])]
        rejected = [asdict(row) for row in rows if isinstance(row, Rejection)]
        if rejected:
            write_part(part_path(self.folder, part, "rejected"), rejected, parts.REJECTION_COLUMNS)
        accepted = [asdict(row) for row in rows if isinstance(row, Problem)]
        write_part(part_path(self.folder, part), accepted, parts.PROBLEM_COLUMNS)

    def check_empty(self) -> None:
        if self.open:
            raise SourceError("expected the same rows on the second pass over the source, found fewer: run again")


def _reasons(folder: Path) -> Counter[str]:
    return Counter(row["reason"] for row in parts.read_rows(parts.part_paths(folder, "rejected"), ["reason"]))


def _count(folder: Path, seen: Survey, draw: Draw) -> Counts:
    """What lies on disk, and what was left undrawn. Raises AssertionError if a single row is unaccounted for."""
    written = parts.part_paths(folder)
    difficulties: Counter[int] = Counter()
    sources: Counter[str] = Counter()
    for row in parts.read_rows(written, ["difficulty", "source"]):
        difficulties[row["difficulty"]] += 1
        sources[row["source"]] += 1
    counts = Counts(len(seen.ids), parts.count_rows(written), dict(sorted(_reasons(folder).items())))
    counts.extra = {
        "asked": draw.asked,
        "drawn": len(draw.positions),
        "not_drawn": draw.eligible - len(draw.positions),
        "difficulty": {str(difficulty): rows for difficulty, rows in sorted(difficulties.items())},
        "sources": dict(sorted(sources.items())),
        "overlap": seen.overlaps,
    }
    accounted = counts.rows_out + sum(counts.rejected.values()) + draw.eligible - len(draw.positions)
    assert counts.rows_in == accounted, f"{counts.rows_in} rows in, {accounted} accounted for in {folder}"
    return counts
