"""What a run shows beside its scores: loss curves, injected facts, exposures, lengths, the multiplication table.

Plain data, drawn twice: as files by `figures` and inside the page by `charts`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from tinygsm_kit.report import statistics
from tinygsm_kit.report.rundir import PRIMARY_METRIC, Run, Sample

CURVE_POINTS = 240
TABLE_TASK = "mul_table"
FACT_TOKEN = re.compile(r"<[A-Z]+(?:_\d+)*_(\d+)>")
Fact = tuple[int, int]


def loss_curves(run: Run) -> dict[str, list[tuple[float, float]]]:
    """(step, loss) for every label with a log. Stages of training follow one another; long logs are averaged in buckets."""
    curves = {}
    for label, rows in run.logs.items():
        points: list[tuple[float, float]] = []
        offset = previous = 0.0
        stage = rows[0].get("stage") if rows else None
        for row in rows:
            step, loss = row.get("step"), row.get("loss")
            if not isinstance(step, int | float) or not isinstance(loss, int | float):
                continue
            if row.get("stage") != stage or step < previous:  # the next stage counts from the beginning
                offset += previous
            stage, previous = row.get("stage"), float(step)
            points.append((offset + step, float(loss)))
        if points:
            curves[label] = thin(points)
    return curves


def thin(points: list[tuple[float, float]], most: int = CURVE_POINTS) -> list[tuple[float, float]]:
    """At most `most` points: means over equal buckets."""
    if len(points) <= most:
        return points
    edges = [round(i * len(points) / most) for i in range(most + 1)]
    blocks = [points[a:b] for a, b in pairwise(edges)]
    return [(sum(x for x, _ in block) / len(block), sum(y for _, y in block) / len(block)) for block in blocks]


# ------------------------------------------------------------------------------------------------------ training text


@dataclass(slots=True)
class Injection:
    """Fact tokens in one condition's training text."""

    rows: int = 0
    counts: dict[int, int] = field(default_factory=dict)
    """Rows by number of fact tokens."""

    @property
    def with_token(self) -> int:
        """Rows with one token or more."""
        return self.rows - self.counts.get(0, 0)

    @property
    def share(self) -> float:
        """Share of rows with one token or more."""
        return self.with_token / self.rows if self.rows else 0.0

    @property
    def mean_when_present(self) -> float:
        """Tokens a row, over the rows that have one."""
        return sum(k * n for k, n in self.counts.items()) / self.with_token if self.with_token else 0.0

    def as_json(self) -> dict[str, Any]:
        """For report.json."""
        return {"rows": self.rows, "with_token": self.with_token, "share": self.share,
                "mean_when_present": self.mean_when_present,
                "distribution": {str(k): self.counts[k] for k in sorted(self.counts)}}  # fmt: skip


def injections(run: Run) -> dict[str, Injection]:
    """Fact tokens by condition, from the `tokens` column of the injected parts."""
    found = {}
    for condition in run.conditions:
        parts = run.training_parts(condition)
        if parts:
            counts = _value_counts(parts, "tokens")
            found[condition] = Injection(sum(counts.values()), counts)
    return found


def _value_counts(parts: list[Path], column: str) -> dict[int, int]:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    counts: Counter[int] = Counter()
    for part in parts:
        values = pc.fill_null(pq.read_table(part, columns=[column])[column], 0)
        for entry in pc.value_counts(values).to_pylist():
            counts[int(entry["values"])] += int(entry["counts"])
    return dict(counts)


_FACT = re.compile(
    r"<MUL_([1-9])_([1-9])_\d+>|(?<![\d.,×*·/^-])(?<![\d×*·] )([1-9]) ?[×x*·] ?([1-9]) ?= ?\$?\d{1,2}(?![\d.,]?\d)"
)


def exposures(run: Run, condition: str) -> dict[Fact, int]:
    """How often a condition's training text states each one-digit product, as a token or written out; smaller digit first."""
    counts: Counter[Fact] = Counter()
    for text in _texts(run.training_parts(condition)):
        for a, b, c, d in _FACT.findall(text):
            low, high = sorted((int(a or c), int(b or d)))
            counts[low, high] += 1
    return dict(counts)


def _texts(parts: list[Path]) -> Iterator[str]:
    """The `text` column in large joined pieces: one regular expression call for thousands of rows."""
    import pyarrow.parquet as pq

    for part in parts:
        with pq.ParquetFile(part) as file:
            for batch in file.iter_batches(5_000, columns=["text"]):
                yield "\n".join(text or "" for text in batch.column(0).to_pylist())


# ------------------------------------------------------------------------------------------------------ evaluation


@dataclass(slots=True)
class Cell:
    """One question of the multiplication table: right in how many of how many seeds, and what was answered."""

    a: int
    b: int
    right: int = 0
    asked: int = 0
    answers: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Share of the seeds that answered rightly."""
        return self.right / self.asked if self.asked else 0.0


def multiplication_table(run: Run, condition: str, task: str = TABLE_TASK) -> dict[Fact, Cell]:
    """Cells by (a, b), all training seeds of a condition together; empty where the task was not asked."""
    cells: dict[Fact, Cell] = {}
    for label in run.repeats(condition):
        if task not in run.evaluations[label].tasks:
            continue
        for sample in run.evaluations[label].tasks[task].samples:
            fact = _operands(sample)
            if fact is None or not all(1 <= digit <= 9 for digit in fact):
                continue
            cell = cells.setdefault(fact, Cell(*fact))
            cell.asked += 1
            cell.right += sample.right
            cell.answers.append(given_answer(sample))
    return cells


def _operands(sample: Sample) -> Fact | None:
    if len(sample.operands) == 2:
        return sample.operands[0], sample.operands[1]
    numbers = re.findall(r"\d+", sample.question)
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else None


def given_answer(sample: Sample) -> str:
    """The number that a response answers with, strictly where it is marked; empty where there is none."""
    from tinygsm_kit.maths import answers

    text = FACT_TOKEN.sub(r"\1", sample.response)  # a fact token answers with the last of its numbers
    return answers.extract_strict(text) or answers.extract_flexible(text) or ""


EXPOSURE_EDGES = (0, 1, 10, 100, 1_000, 10_000, 100_000)


def exposure_bins(cells: dict[Fact, Cell], seen: dict[Fact, int]) -> list[dict[str, Any]]:
    """Accuracy on the table by how often the fact was seen in training, in powers of ten, with Wilson intervals."""
    bins: dict[int, list[Cell]] = {}
    for (a, b), cell in cells.items():
        count = seen.get((min(a, b), max(a, b)), 0)
        bins.setdefault(max(edge for edge in EXPOSURE_EDGES if edge <= count), []).append(cell)
    rows = []
    for edge in sorted(bins):
        asked = sum(cell.asked for cell in bins[edge])
        share = statistics.proportion(sum(cell.right for cell in bins[edge]), asked)
        following = next((e for e in EXPOSURE_EDGES if e > edge), None)
        name = "0" if edge == 0 else f"{edge:,}+" if following is None else f"{edge:,}–{following - 1:,}"
        rows.append({"exposures": name, "value": share.value, "low": share.low, "high": share.high, "n": asked})
    return rows


def lengths(run: Run, task: str) -> dict[str, list[float]]:
    """Response tokens by condition (all its seeds) on a plain task."""
    found: dict[str, list[float]] = {}
    for label in run.labels:
        evaluation = run.evaluations[label]
        if task in evaluation.tasks:
            values = [s.metrics["response_tokens"] for s in evaluation.tasks[task].samples if "response_tokens" in s.metrics]
            if values:
                found.setdefault(evaluation.condition, []).extend(values)
    return found


def histogram(series: dict[str, list[float]], bins: int = 24) -> tuple[list[float], dict[str, list[float]]]:
    """Common bin edges for counts, and each series' share of values in each bin. The last bin takes the longest percent too."""
    import numpy as np

    every = np.concatenate([np.asarray(values) for values in series.values()])
    low, high = float(every.min()), float(np.quantile(every, 0.99, method="higher"))
    width = max(1.0, -(-(high - low + 1) // bins))
    edges = [low - 0.5 + i * width for i in range(int((high - low) // width) + 2)]
    shares = {}
    for name, values in series.items():
        clipped = np.minimum(np.asarray(values), edges[-1] - width / 2)
        shares[name] = [float(n) / len(values) for n in np.histogram(clipped, edges)[0]]
    return edges, shares


def token_use(run: Run, task: str) -> dict[str, dict[str, float]]:
    """By condition: share of responses with a fact token, and tokens a response."""
    found: dict[str, dict[str, float]] = {}
    for condition in run.conditions:
        counts = [
            s.metrics["fact_tokens"]
            for label in run.repeats(condition)
            if task in run.evaluations[label].tasks
            for s in run.evaluations[label].samples(task).values()
            if "fact_tokens" in s.metrics
        ]
        if counts:
            used = sum(1 for count in counts if count > 0)
            found[condition] = {"share": used / len(counts), "mean": sum(counts) / len(counts), "n": len(counts)}
    return found


def plain_tasks(run: Run) -> list[str]:
    """Tasks that are no groups."""
    return [task for task in run.tasks if not run.members(task)]


def has_primary(run: Run, task: str) -> bool:
    """Whether any label has the primary metric on a task."""
    return any(PRIMARY_METRIC in e.tasks[task].metrics for e in run.evaluations.values() if task in e.tasks)
