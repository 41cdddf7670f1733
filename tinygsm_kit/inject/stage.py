"""The inject stage: converted rows become training text, with the condition's fact tokens in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tinygsm_kit import plugins
from tinygsm_kit.inject.errors import InjectError
from tinygsm_kit.inject.statistics import Statistics
from tinygsm_kit.inject.texts import ready_rows
from tinygsm_kit.interfaces import Injector
from tinygsm_kit.parts import INJECTED_COLUMNS, PART_ROWS, count_rows, part_path, part_paths, read_rows, write_part
from tinygsm_kit.progress import Progress, Task
from tinygsm_kit.records import ANSWER_MARK, Counts

Row = Mapping[str, Any]
Injectors = Sequence[tuple[str, Mapping[str, Any]]]


def inject(sample: Path, converted: Path, folder: Path, *, injectors: Injectors, progress: Progress) -> Counts:
    """Write one part of training text for each converted part, going on from whole parts already there.

    The questions come from the sample part of the same number: one part's questions are in memory at a time. `extra` of
    the counts holds the statistics of all parts (see `statistics`). Raises InjectError where a solution has no question.
    """
    built = _build(injectors)
    paths = part_paths(converted)
    if not paths:
        raise InjectError(f"expected part-*.parquet in {converted} to inject into, found none; run the convert stage")
    work = _Parts(folder, built)
    with progress.task("inject", count_rows(paths)) as task:
        for path in paths:
            work.write(_index(path), _texts(sample, path, built), task)
    return work.counts()


def inject_programs(sample: Path, folder: Path, *, progress: Progress) -> Counts:
    """Write the sample's programs themselves as training text: what `target: program` learns from."""
    paths = part_paths(sample)
    if not paths:
        raise InjectError(f"nothing to train on: expected part-*.parquet in {sample}, found none; run the sample stage")
    work = _Parts(folder, [])
    with progress.task("inject", count_rows(paths)) as task:
        for path in paths:
            work.write(_index(path), _programs(path), task)
    return work.counts()


def inject_texts(texts: Path, folder: Path, *, injectors: Injectors, progress: Progress) -> Counts:
    """Write ready rows (JSONL or Parquet, columns `question` and `text`) as parts. Raises InjectError at a row without them."""
    built = _build(injectors)
    work = _Parts(folder, built)
    with progress.task("inject", None) as task:
        rows = ready_rows(texts)
        for index, chunk in enumerate(iter(lambda: list(islice(rows, PART_ROWS)), [])):
            work.write(index, (_row(row, row["text"], built) for row in chunk), task)
    if not work.statistics.rows:
        raise InjectError(f"expected rows with `question` and `text` in {texts}, found none")
    return work.counts()


class _Parts:
    """The stage's folder: writes a part that is not there yet, counts every one."""

    def __init__(self, folder: Path, injectors: Sequence[Injector]) -> None:
        self.folder = folder
        self.statistics = Statistics(injectors)
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".*.tmp"):  # of a run that was killed while it wrote
            left.unlink(missing_ok=True)

    def write(self, index: int, rows: Iterable[Row], task: Task) -> None:
        """Write a part, or count the one that is there; `rows` is not read then."""
        path = part_path(self.folder, index)
        before = self.statistics.rows
        if path.exists():
            for row in read_rows(path, ["text", "tokens"]):
                self.statistics.add(row["text"], row["tokens"])
        else:
            write_part(path, self._counted(rows), INJECTED_COLUMNS)
        task.advance(self.statistics.rows - before)

    def _counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self.statistics.add(row["text"], row["tokens"])
            yield row

    def counts(self) -> Counts:
        rows = self.statistics.rows
        return Counts(rows, rows, extra=self.statistics.as_json())


def _build(injectors: Injectors) -> list[Injector]:
    return [plugins.get("injector", name, **options) for name, options in injectors]


def _row(row: Row, text: str, injectors: Sequence[Injector]) -> Row:
    """One row of the output. Injectors run in the order listed."""
    for injector in injectors:
        text = injector.inject(text)
    tokens = sum(injector.count(text) for injector in injectors)
    return {"problem_id": row["problem_id"], "question": row["question"], "text": text, "tokens": tokens}


def _texts(sample: Path, path: Path, injectors: Sequence[Injector]) -> Iterator[Row]:
    source = part_path(sample, _index(path))
    if not source.exists():
        raise InjectError(f"{path} was converted from {source}, which is missing: expected the sample beside it")
    questions = {row["id"]: row["question"] for row in read_rows(source, ["id", "question"])}
    for row in read_rows(path, ["problem_id", "steps", "answer"]):
        question = questions.get(row["problem_id"])
        if question is None:
            raise InjectError(
                f"{path} holds problem {row['problem_id']}, but {source} does not: expected the sample that was converted; "
                "convert again with --redo convert"
            )
        text = "\n".join((*row["steps"], f"{ANSWER_MARK} {row['answer']}"))
        yield _row({"problem_id": row["problem_id"], "question": question}, text, injectors)


def _programs(path: Path) -> Iterator[Row]:
    for row in read_rows(path, ["id", "question", "program"]):
        yield {"problem_id": row["id"], "question": row["question"], "text": row["program"], "tokens": 0}


def _index(path: Path) -> int:
    number = path.stem.rpartition("-")[2]
    if not number.isdecimal():
        raise InjectError(f"{path} is not named like a part: expected part-00000.parquet")
    return int(number)
