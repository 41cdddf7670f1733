"""TinyGSM (Liu et al., 2023, arXiv:2312.09241): word problems, each with a program that a language model wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from tinygsm_kit.interfaces import LocalPath, Options
from tinygsm_kit.maths import programs
from tinygsm_kit.records import Problem, Rejection, problem_id
from tinygsm_kit.sources import files
from tinygsm_kit.sources.errors import SourceError


class TinyGSMOptions(Options):
    """Where the rows are."""

    dataset: str = Field(default="TinyGSM/TinyGSM", description="Hugging Face data set, read where no `path` is given.")
    split: str = Field(default="train", description="Split of the data set.")
    revision: str | None = Field(
        default=None, description="Commit, tag or branch of the data set: a run that must be repeatable says it."
    )
    streaming: bool = Field(
        default=True,
        description="Read the data set over the network each time (sampling reads it twice); false downloads it once, to the "
        "Hugging Face cache.",
    )
    path: LocalPath | list[LocalPath] | None = Field(
        default=None,
        description="Local rows instead: a JSONL or Parquet file, a folder of them, a glob pattern, or a list of these.",
    )
    question: str = Field(default="question", description="Column of the question.")
    code: str = Field(default="code", description="Column of the program.")


class Row(NamedTuple):
    """A raw row and where it stands: a line of JSON, or a mapping with the columns."""

    place: str
    content: str | Mapping[str, Any]


class TinyGSM:
    """Questions with programs as language models wrote them, restored to clean Python where that takes no guessing."""

    Options: ClassVar[type[Options]] = TinyGSMOptions
    version: ClassVar[str] = "1"

    def __init__(self, options: TinyGSMOptions) -> None:
        self.options = options

    def problems(self) -> Iterator[Problem | Rejection]:
        """All rows in order. Raises SourceError where the rows as a whole cannot be read."""
        return map(self.read, self.rows())

    def rows(self) -> Iterator[Row]:
        """Raw rows. Raises SourceError for a missing file, columns that are not there, and an empty source."""
        stream = self._local() if self.options.path is not None else self._hub()
        row = None
        for row in stream:
            yield row
        if row is None:
            where = self.options.path or f"{self.options.dataset} ({self.options.split})"
            raise SourceError(
                f"expected rows with columns {self._columns()}, found none in {where}: is it the right file or split?"
            )

    def identity(self) -> list[tuple[str, str]]:
        """Name and digest of each local file: with other data the sample is drawn anew. Empty for the hub."""
        paths = self._paths()
        return [(file.name, files.digest(file)) for file in files.find(paths)] if paths else []

    def _paths(self) -> list[Path]:
        path = self.options.path
        return path if isinstance(path, list) else [path] if path is not None else []

    def _local(self) -> Iterator[Row]:
        for file in files.find(self._paths()):
            for place, content in files.read(file, (self.options.question, self.options.code)):
                yield Row(place, content)

    def _hub(self) -> Iterator[Row]:
        for number, content in enumerate(self._dataset(), 1):
            if number == 1:
                files.check_columns(self.options.dataset, content, (self.options.question, self.options.code))
            yield Row(f"{self.options.dataset} row {number}", content)

    def _dataset(self) -> Any:
        import datasets

        options = self.options
        try:
            return datasets.load_dataset(
                options.dataset, split=options.split, streaming=options.streaming, revision=options.revision
            )
        except Exception as error:  # the hub's client raises a dozen kinds, none of which says what to do here
            cause = str(error).strip().splitlines()
            raise SourceError(
                f"cannot open data set {options.dataset!r}, split {options.split!r}: {type(error).__name__}: "
                f"{cause[0] if cause else ''}: check the name and the network, or give local rows with `path: rows.jsonl`"
            ) from error

    def _columns(self) -> str:
        return f"{self.options.question!r} and {self.options.code!r}"

    def read(self, row: Row) -> Problem | Rejection:
        """The problem of one row, or why it has none."""
        content: Any = row.content
        if isinstance(content, str):
            try:
                content = json.loads(content)
            except ValueError as error:
                return self._reject(row, "malformed_json", str(error))
        if not isinstance(content, Mapping):
            return self._reject(row, "malformed_json", f"expected an object, found {type(content).__name__}")
        question, code = content.get(self.options.question), content.get(self.options.code)
        if not isinstance(question, str) or not isinstance(code, str) or not question.strip():
            found = f"found {type(question).__name__} and {type(code).__name__}"
            return self._reject(row, "not_text", f"expected text in {self._columns()}, {found}")
        try:
            program = programs.restore(code)
        except programs.ProgramError as error:
            return self._reject(row, error.reason, error.detail, problem_id(question, code))
        difficulty = programs.difficulty(program)
        return Problem(problem_id(question, program), question.strip(), program, difficulty=difficulty, source="tinygsm")

    def _reject(self, row: Row, reason: str, detail: str, identifier: str | None = None) -> Rejection:
        text = row.content if isinstance(row.content, str) else json.dumps(dict(row.content), ensure_ascii=False, default=str)
        return Rejection(identifier or problem_id(text, ""), "sample", reason, f"{row.place}: {detail}", text)
