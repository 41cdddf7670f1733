"""Every response of a run as compact columns of JSON, for the page's browser and its flip table."""

from __future__ import annotations

from typing import Any

from tinygsm_kit.report import flips, observations
from tinygsm_kit.report.rundir import SEED_MARK, Run, Sample

LONGEST_RESPONSE = 3_000
COLOURS = 6
COLUMNS = ("i", "l", "ok", "n", "s", "f", "k", "r")
"""Item, label, right, response tokens, stopped, fact tokens, kind of error, response."""


def payload(run: Run) -> dict[str, Any]:
    """Names, items (`task, document, question, answer`), one entry a response in every column, and the flips."""
    tasks, labels, kinds = observations.plain_tasks(run), run.labels, ["", *flips.KINDS]
    places: dict[tuple[str, int, str], int] = {}
    items: list[list[Any]] = []
    rows: list[tuple[Any, ...]] = []
    for label_index, label in enumerate(labels):
        for task_index, task in enumerate(tasks):
            found = run.evaluations[label].tasks.get(task)
            for sample in found.samples if found else ():
                place = places.setdefault((task, sample.doc_id, sample.question), len(items))
                if place == len(items):
                    items.append([task_index, sample.doc_id, sample.question, short_target(sample)])
                kind = "" if sample.right else flips.what_went_wrong(sample)
                figures = (_count(sample, metric) for metric in ("response_tokens", "stopped", "fact_tokens"))
                rows.append((place, label_index, int(sample.right), *figures, kinds.index(kind), shorten(sample.response)))
    flipped = [
        [places[flip.task, flip.doc_id, flip.question], labels.index(flip.baseline), labels.index(flip.treatment),
         int(flip.gained), kinds.index(flip.kind)]
        for flip in flips.flips(run)
    ]  # fmt: skip
    columns = {name: [row[index] for row in rows] for index, name in enumerate(COLUMNS)}
    numbers = colours(run)
    return {"tasks": tasks, "labels": labels, "colours": [numbers[label] for label in labels], "kinds": kinds,
            "items": items, "rows": columns, "flips": flipped}  # fmt: skip


def _count(sample: Sample, metric: str) -> int | None:
    value = sample.metrics.get(metric)
    return None if value is None else round(value)


def short_target(sample: Sample) -> str:
    """The right answer: what stands after `####` where the target is a whole solution."""
    return sample.target.rpartition("####")[2].strip() or sample.target


def shorten(text: str) -> str:
    """A response that runs away is cut for the page, and says so; the samples file has all of it."""
    return text if len(text) <= LONGEST_RESPONSE else f"{text[:LONGEST_RESPONSE]} … ({len(text):,} characters)"


def colours(run: Run) -> dict[str, int]:
    """The colour number of every condition and of every repeat of it."""
    names = {name: index % COLOURS for index, name in enumerate(run.conditions)}
    every = dict.fromkeys([*run.conditions, *run.labels, *run.logs])
    return {label: names.get(label.partition(SEED_MARK)[0], COLOURS - 1) for label in every}
