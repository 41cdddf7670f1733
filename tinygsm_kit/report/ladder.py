"""The scaling ladder: how accuracy grows with the rows of training, and how many rows it takes to a goal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygsm_kit.report import statistics
from tinygsm_kit.report.extrapolation import Curve, NoCurveError, fit
from tinygsm_kit.report.rundir import PRIMARY_METRIC, Evaluation, Run
from tinygsm_kit.report.verdict import number, points, round_count

Json = dict[str, Any]
GOAL = 0.15
"""Accuracy asked for on GSM8K where the recipe has no target; on other tasks there is none then."""
FARTHEST = 30
"""An estimate of more rows than this many times the largest rung is not given for one."""
CURVE_POINTS = 48
NOTE = (
    "Each rung's rows lie within those of the next. The curve takes each doubling of the rows to multiply the odds of a right "
    "answer by the same factor; its band counts the choice of questions, and what the trainings scatter about it. It speaks of "
    "this recipe with more rows, not of another model, and knows of no ceiling that the rungs have not come near."
)
"""What the extrapolation assumes, for all who read it."""


def build_ladder(run: Run) -> list[Json]:
    """One entry for each task and condition with answers on a rung; empty for a run without a ladder."""
    if not run.ladder:
        return []
    found = (_entry(run, task, condition) for task in run.tasks for condition in run.recipe.get("conditions") or {})
    return [entry for entry in found if len({point["rows"] for point in entry["points"]}) > 1]


def _entry(run: Run, task: str, condition: str) -> Json:
    """What the trainings of a condition answered, the curve through them, and the rows to its goal, or why there are none."""
    trainings = list(_trainings(run, task, condition))
    entry: Json = {
        "task": task, "condition": condition, "points": [_point(task, *training) for training in trainings],
        "doubling": None, "curve": [], "goal": _goal(run, task, condition), "rows_needed": None, "reason": "", "sentence": "",
    }  # fmt: skip
    try:
        curve = fit([rows for rows, _ in trainings], _answers(task, [evaluation for _, evaluation in trainings]))
        entry["doubling"] = _json(curve.odds_ratio())
        if entry["goal"] is not None:
            needed = curve.rows_to_reach(entry["goal"])
            entry["rows_needed"] = _json(needed)
            entry["reason"] = _too_far(needed.value, max(rows for rows, _ in trainings))
        entry["curve"] = list(_drawn(curve, entry))
    except NoCurveError as error:
        entry["reason"] = str(error)
        entry["curve"] = list(_drawn(curve, entry)) if entry["doubling"] else []
    entry["sentence"] = sentence(entry) if entry["goal"] is not None else ""
    return entry


def _trainings(run: Run, task: str, condition: str) -> Iterator[tuple[int, Evaluation]]:
    """Rows and answers of every training of a condition, seeds included, from the lowest rung to the run itself."""
    whole = run.stage(f"inject/{condition}").get("rows_out")
    for rows, evaluations in [*run.ladder, (whole, run.evaluations)]:
        for evaluation in evaluations.values():
            if rows and evaluation.condition == condition and PRIMARY_METRIC in _metrics(evaluation, task):
                yield rows, evaluation


def _metrics(evaluation: Evaluation, task: str) -> dict[str, float]:
    return evaluation.tasks[task].metrics if task in evaluation.tasks else {}


def _point(task: str, rows: int, evaluation: Evaluation) -> Json:
    result = evaluation.tasks[task]
    share = statistics.proportion(round(result.metrics[PRIMARY_METRIC] * result.n), result.n)
    return {"rows": rows, "label": evaluation.label, "value": share.value, "low": share.low, "high": share.high, "n": result.n}


def _answers(task: str, evaluations: Sequence[Evaluation]) -> Any:
    """Questions × trainings, of the questions that all were asked; the question's text is part of what makes it the same."""
    columns = [
        {(*key, sample.question): float(sample.right) for key, sample in evaluation.samples(task).items()}
        for evaluation in evaluations
    ]
    keys = [key for key in columns[0] if all(key in column for column in columns)] if columns else []
    return np.array([[column[key] for column in columns] for key in keys]).reshape(len(keys), len(columns))


def _goal(run: Run, task: str, condition: str) -> float | None:
    target = ((run.recipe.get("targets") or {}).get(task) or {}).get(condition, GOAL if task.startswith("gsm8k") else None)
    return float(target) if target is not None and 0 < target < 1 else None


def _json(interval: statistics.Interval) -> Json:
    """JSON has no infinity: an end without a number is none."""
    ends = {"value": interval.value, "low": interval.low, "high": interval.high}
    return {name: end if math.isfinite(end) else None for name, end in ends.items()}


def _too_far(rows: float, largest: int) -> str:
    if rows <= FARTHEST * largest:
        return ""
    where = f"at about {round_count(rows):,} rows, " if rows < 1e9 else ""
    return f"the curve would reach it {where}more than {FARTHEST} times the {largest:,} of the largest rung"


def _drawn(curve: Curve, entry: Json) -> Iterator[Json]:
    """The curve over the rungs, and on to its goal where that is not too far."""
    first, last = (end(point["rows"] for point in entry["points"]) for end in (min, max))
    needed = (entry["rows_needed"] or {}).get("value")
    end = min(FARTHEST * last, needed * 1.6) if needed and not entry["reason"] and needed > last else last
    for rows in np.geomspace(first, end, CURVE_POINTS):
        band = curve.at(float(rows))
        yield {"rows": float(rows), "value": band.value, "low": band.low, "high": band.high}


def sentence(entry: Json) -> str:
    """`baseline on gsm8k_tgsm: rows to reach 15 %: about 48,000 (95 % interval 22,000 to 190,000).`, or why not."""
    asked = f"{entry['condition']} on {entry['task']}: rows to reach {_percent(entry['goal'])} %"
    if entry["reason"]:
        return f"{asked} cannot be said from these: {entry['reason']}."
    needed, rows = entry["rows_needed"], [point["rows"] for point in entry["points"]]
    low, value = (round_count(needed[end] or 0) for end in ("low", "value"))
    interval = f"{low:,} or more" if needed["high"] is None else f"{low:,} to {round_count(needed['high']):,}"
    beyond = needed["value"] / max(rows)
    where = (
        f", {number(beyond)} times the largest rung" if beyond > 1 else ", below the smallest rung" if value < min(rows) else ""
    )
    return f"{asked}: about {value:,} (95 % interval {interval}){where}."


def _percent(share: float) -> str:
    return points(share).removesuffix(".0")


def tasks(report: Json) -> list[str]:
    """Tasks of the ladder, those with a goal first."""
    every = dict.fromkeys(entry["task"] for entry in report["ladder"])
    with_goal = {entry["task"] for entry in report["ladder"] if entry["goal"] is not None}
    return sorted(every, key=lambda task: task not in with_goal)


def entries(report: Json, task: str) -> dict[str, Json]:
    """The entries of a task by condition."""
    return {entry["condition"]: entry for entry in report["ladder"] if entry["task"] == task}


def sentences(report: Json) -> list[str]:
    """The rows that every goal takes, task after task."""
    return [entry["sentence"] for task in tasks(report) for entry in entries(report, task).values() if entry["sentence"]]


def table(report: Json) -> list[Json]:
    """A row for each task and rung, with the accuracies of each condition by name, one for each training seed."""
    return [
        {"task": task, "rows": rows, "cells": cells}
        for task in tasks(report)
        for rows in sorted({point["rows"] for entry in entries(report, task).values() for point in entry["points"]})
        if (cells := {
            condition: [point for point in entry["points"] if point["rows"] == rows]
            for condition, entry in entries(report, task).items()
        })
    ]  # fmt: skip


def doublings(report: Json) -> list[Json]:
    """The slope of every curve in words: by what a doubling of the rows multiplies the odds of a right answer."""
    return [entry for task in tasks(report) for entry in entries(report, task).values() if entry["doubling"]]
