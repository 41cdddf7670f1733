"""What went wrong in a wrong response, and the items on which two conditions disagree."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tinygsm_kit.maths import answers, equations
from tinygsm_kit.report.observations import FACT_TOKEN
from tinygsm_kit.report.results import pairs
from tinygsm_kit.report.rundir import Run, Sample

KINDS = ("repetition", "truncated", "format", "arithmetic", "plan")
KIND_MEANING = {
    "repetition": "says the same thing again and again",
    "truncated": "was cut off at the length limit",
    "format": "no answer after ####, or the right number in the wrong place",
    "arithmetic": "an equation in it is false",
    "plan": "every equation holds, but they answer another question",
}


def what_went_wrong(sample: Sample) -> str:
    """The kind of a wrong response, the first of KINDS that fits.

    The evaluation's own per-sample metrics are believed where it has them (`repetition`, `stopped`, `exact_match_flexible`,
    `true_equations`).
    """
    if sample.metrics["repetition"] >= 1 if "repetition" in sample.metrics else repeats_itself(sample.response):
        return "repetition"
    if sample.metrics.get("stopped", 1.0) < 1:
        return "truncated"
    if sample.metrics.get("exact_match_flexible", 0.0) >= 1 or answers.extract_strict(sample.response) is None:
        return "format"
    true_share = sample.metrics.get("true_equations")
    false = has_false_equation(sample.response) if true_share is None else true_share < 1
    return "arithmetic" if false else "plan"


def repeats_itself(text: str, times: int = 4) -> bool:
    """Whether a line stands in it `times` times, or a stretch of it is said `times` times in a row."""
    lines = Counter(line.strip() for line in text.splitlines() if len(line.strip()) > 3)
    if lines and max(lines.values()) >= times:
        return True
    return re.search(rf"(.{{4,80}}?)\1{{{times - 1}}}", text, re.DOTALL) is not None


def has_false_equation(text: str) -> bool:
    """Whether an equation written out in the text is false. A fact token states its equation itself, and is passed over."""
    return equations.first_false(FACT_TOKEN.sub(";", text)) is not None


@dataclass(frozen=True, slots=True)
class Flip:
    """An item that one of two labels got right and the other wrong."""

    task: str
    doc_id: int
    question: str
    baseline: str
    treatment: str
    gained: bool
    """Whether the treatment is the one that is right."""
    kind: str
    """What went wrong in the other one's response."""


def flips(run: Run) -> Iterator[Flip]:
    """All flips of every declared pair of conditions, task by task. Of several seeds, the first of each condition."""
    for baseline, treatment in pairs(run):
        first, second = (run.evaluations[run.repeats(name)[0]] for name in (baseline, treatment))
        for task in run.tasks:
            if run.members(task) or task not in first.tasks or task not in second.tasks:
                continue
            others = {sample.doc_id: sample for sample in second.tasks[task].samples}
            for sample in first.tasks[task].samples:
                other = others.get(sample.doc_id)
                if other is None or other.question != sample.question or other.right == sample.right:
                    continue
                kind = what_went_wrong(sample if other.right else other)
                yield Flip(task, sample.doc_id, sample.question, first.label, second.label, other.right, kind)


def count_flips(found: list[Flip]) -> list[dict[str, Any]]:
    """Flips by pair, task and kind: how many the treatment gained and lost."""
    counts: dict[tuple[str, str, str, str], list[int]] = {}
    for flip in found:
        counts.setdefault((flip.baseline, flip.treatment, flip.task, flip.kind), [0, 0])[0 if flip.gained else 1] += 1
    return [
        {"baseline": a, "treatment": b, "task": task, "kind": kind, "gained": gained, "lost": lost}
        for (a, b, task, kind), (gained, lost) in counts.items()
    ]
