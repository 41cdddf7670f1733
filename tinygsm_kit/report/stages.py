"""What the models knew after each stage of training: what a stage taught, and what was forgotten over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tinygsm_kit.report import charts
from tinygsm_kit.report.rundir import PRIMARY_METRIC

Json = dict[str, Any]
FIRST_TASK = "forgetting"
LONGEST_NAMES = 48
"""Letters of all stages' names that fit below a picture."""


def tasks(report: Json) -> list[str]:
    """Tasks with an accuracy after two stages or more, `forgetting` before the others."""
    asked = Counter(task for stage in report["stages"] for task in _asked(stage))
    return sorted((task for task, stages in asked.items() if stages > 1), key=lambda task: task != FIRST_TASK)


def _asked(stage: Json) -> list[str]:
    every = dict.fromkeys(task for found in stage["conditions"].values() for task in found["tasks"])
    return [task for task in every if _cells(stage, task)]


def table(report: Json) -> list[Json]:
    """A row for each task and stage, with the accuracy of each condition by name; empty where there was one stage."""
    return [
        {"task": task, "number": number, "stage": stage["stage"], "cells": cells}
        for task in tasks(report)
        for number, stage in enumerate(report["stages"], 1)
        if (cells := _cells(stage, task))
    ]


def _cells(stage: Json, task: str) -> dict[str, Json]:
    """Accuracy with its interval by condition: of all its seeds together, or of the one it has."""
    alone = {name: found["tasks"] for name, found in stage["conditions"].items() if "@" not in name}
    together = {name: found for name, found in stage["seeds"].items() if PRIMARY_METRIC in found.get(task, {})}
    return {
        name: found[task][PRIMARY_METRIC]
        for name, found in {**alone, **together}.items()
        if PRIMARY_METRIC in found.get(task, {})
    }


def series(report: Json, task: str) -> dict[str, list[tuple[int, float, float, float]]]:
    """By condition: place of the stage from 0, accuracy, and the ends of its interval."""
    found: dict[str, list[tuple[int, float, float, float]]] = {}
    for place, stage in enumerate(report["stages"]):
        for name, cell in _cells(stage, task).items():
            ends = [cell["value"] if cell[end] is None else cell[end] for end in ("low", "high")]
            found.setdefault(name, []).append((place, cell["value"], *ends))
    return found


def names(report: Json) -> list[str]:
    """What stands below a picture: the stages' names, or their numbers where those would not fit."""
    full = [stage["stage"] for stage in report["stages"]]
    return full if sum(map(len, full)) <= LONGEST_NAMES else [str(number) for number in range(1, len(full) + 1)]


def chart(report: Json, task: str, colour: Mapping[str, int]) -> str:
    """Accuracy after each stage, a line for each condition."""
    return charts.dots(
        names(report), series(report, task), colour, "stage of training", f"{task} after each stage of training", joined=True
    )
