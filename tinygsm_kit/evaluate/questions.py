"""Question sets: GSM8K and its relatives, from a local file or folder or from the Hugging Face hub."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygsm_kit.errors import KitError
from tinygsm_kit.evaluate import task_files
from tinygsm_kit.evaluate.options import EvaluateOptions
from tinygsm_kit.maths import answers, facts
from tinygsm_kit.records import ANSWER_MARK


class QuestionSetError(KitError):
    """A question set cannot be had. The message says what was tried and what to set."""


@dataclass(frozen=True)
class QuestionSet:
    """Where a set is published: data set, configuration and split on the hub."""

    name: str
    hub: str
    config: str | None
    split: str

    @property
    def variable(self) -> str:
        """The environment variable that points to a local copy."""
        return f"TINYGSM_KIT_{self.name.upper()}"

    @property
    def recipe_key(self) -> str:
        """The key of a recipe's `evaluate` section that does the same."""
        return self.name if self.name == "gsm8k" else f"data.{self.name}"


SETS = {
    entry.name: entry
    for entry in (
        QuestionSet("gsm8k", "openai/gsm8k", "main", "test"),  # Cobbe et al., 2021
        QuestionSet("svamp", "ChilleD/SVAMP", None, "test"),  # Patel et al., 2021
        QuestionSet("asdiv", "EleutherAI/asdiv", None, "validation"),  # Miao et al., 2020
        QuestionSet("gsm_hard", "reasoning-machines/gsm-hard", None, "train"),  # Gao et al., 2022
    )
}


@dataclass(frozen=True)
class Question:
    """A question whose answer is one number, in canonical text. `id` is its position in the published set."""

    id: str
    question: str
    answer: str


def load(name: str, source: str | Path | None = None) -> list[Question]:
    """The questions of a set in published order; `source` is a local file or folder.

    Without `source`, the environment variable `TINYGSM_KIT_<NAME>` is tried, then the hub. Questions whose answer is not
    one number (ASDiv has some) are left out. Raises QuestionSetError where the set cannot be had.
    """
    entry = SETS[name]
    source = source or os.environ.get(entry.variable)
    rows = _local(entry, Path(source)) if source else _from_hub(entry)
    questions = [question for index, row in enumerate(rows) if (question := _question(index, row)) is not None]
    if not questions:
        raise QuestionSetError(
            f"{name}: expected rows with a question and a number for an answer in {source or entry.hub}, found none"
        )
    return questions


def fixed_subset(questions: Iterable[Question], size: int) -> list[Question]:
    """The same questions whatever the order of the file: those whose text has the smallest SHA-256 digests."""
    everything = list(questions)
    chosen = set(sorted(everything, key=_digest)[:size]) if size < len(everything) else set(everything)
    return [question for question in everything if question in chosen]


def _digest(question: Question) -> bytes:
    return hashlib.sha256(" ".join(question.question.split()).encode()).digest()


def _question(index: int, row: Mapping[str, Any]) -> Question | None:
    columns = {str(key).lower(): value for key, value in row.items()}
    text = columns.get("question") or columns.get("input")
    answer = _answer(columns["answer"] if "answer" in columns else columns.get("target"))
    if not isinstance(text, str) or answer is None:
        return None
    body = columns.get("body")  # SVAMP and ASDiv tell the story apart from what they ask
    return Question(str(index), f"{body.strip()} {text.strip()}" if isinstance(body, str) else text.strip(), answer)


def _answer(value: object) -> str | None:
    """Canonical text of `… #### 18`, `9 (apples)`, `1,234`, 18.0; None for what is not one number."""
    if isinstance(value, str):
        if ANSWER_MARK in value:
            return answers.extract_strict(value)
        number = answers.parse(value.split("(")[0].strip())
        return None if number is None or ";" in value else answers.normalise(number)
    try:
        return answers.normalise(value)
    except answers.AnswerError:
        return None


def _local(entry: QuestionSet, path: Path) -> Iterator[Mapping[str, Any]]:
    for file in _files(entry, path):
        if file.suffix == ".parquet":
            import pyarrow.parquet as pq

            yield from pq.read_table(file).to_pylist()
        else:
            yield from _json_lines(file)


def _files(entry: QuestionSet, path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise QuestionSetError(f"{entry.name}: expected a file or folder, found nothing at {path}")
    for pattern in (f"{entry.split}*.jsonl", f"{entry.split}*.parquet", f"*/{entry.split}-*.parquet"):
        if files := sorted(path.glob(pattern)):
            return files
    raise QuestionSetError(
        f"{entry.name}: expected {entry.split}.jsonl or {entry.split}*.parquet in {path}, found "
        f"{', '.join(sorted(file.name for file in path.iterdir())[:8]) or 'nothing'}"
    )


def _json_lines(file: Path) -> Iterator[Mapping[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise QuestionSetError(
                    f"{file}:{number}: expected one JSON object a line, found {line.strip()[:60]!r}"
                ) from error
            if not isinstance(row, dict):
                raise QuestionSetError(f"{file}:{number}: expected one JSON object a line, found {line.strip()[:60]!r}")
            yield row


def _from_hub(entry: QuestionSet) -> Iterable[Mapping[str, Any]]:
    import datasets

    try:
        rows: Iterable[Mapping[str, Any]] = datasets.load_dataset(entry.hub, entry.config, split=entry.split)
    except Exception as error:  # the hub client raises its own, requests' and OSError, by what went wrong
        raise QuestionSetError(
            f"{entry.name}: {entry.hub} could not be loaded from the Hugging Face hub ({type(error).__name__}: "
            f"{str(error)[:200]}). Point {entry.variable} (in a recipe: evaluate.{entry.recipe_key}) to a local file, or to a "
            f"folder with {entry.split}.jsonl: one object a line with 'question' and 'answer'"
        ) from error
    return rows


def local_sources(options: EvaluateOptions) -> dict[str, str]:
    """Local files by the name of the question set, as the recipe's `evaluate` section gives them."""
    given = {**options.data, **({"gsm8k": options.gsm8k} if options.gsm8k else {})}
    unknown = sorted(set(given) - set(SETS))
    if unknown:
        raise QuestionSetError(f"evaluate.data: unknown question set {unknown[0]!r}: expected one of {', '.join(SETS)}")
    return {name: str(Path(path).expanduser().resolve()) for name, path in given.items()}


def evaluation_questions(options: EvaluateOptions) -> dict[str, list[str]]:
    """What an evaluation will ask, by set: the questions that training must not have seen.

    Of the probe suites only the drawn ones count: `mul_table` and its like ask all the facts there are, and are meant to be
    learned. Raises QuestionSetError where a set cannot be had.
    """
    wanted: dict[str, list[str]] = {}
    for name in task_files.expand(options.tasks):
        if name in facts.PROBE_SUITES and name != "mul_table":
            wanted[name] = [fact.question for fact in facts.probe_facts(name)]
            continue
        asked = task_files.read().get(name, {}).get("dataset_kwargs") or {}
        set_name = asked.get("questions") or ("gsm8k" if name.startswith("gsm8k") else None)
        if set_name and set_name not in wanted:
            wanted[set_name] = [row.question for row in load(set_name, local_sources(options).get(set_name))]
    return wanted
