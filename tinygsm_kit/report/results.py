"""From a run to `report.json`: every number of the report is made here, once, and shown elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygsm_kit.report import power, statistics
from tinygsm_kit.report.rundir import PRIMARY_METRIC, SEED_MARK, Evaluation, Run, Sample, TaskResult, is_count

ALPHA = 0.05
Json = dict[str, Any]
Items = dict[tuple[str, int], Sample]


def build_results(run: Run) -> Json:
    """The whole of report.json, but for what the page alone shows."""
    comparisons = list(_comparisons(run))
    _adjust(comparisons)
    return {
        "name": run.name,
        "primary_task": primary_task(run),
        **scores(run),
        "comparisons": comparisons,
        "stages": [{"stage": stage.name, **scores(replace(run, evaluations=stage.evaluations))} for stage in run.stages],
    }


def scores(run: Run) -> Json:
    """Every metric of every label, and of every condition's seeds together."""
    return {
        "conditions": {label: {"tasks": _tasks(run.evaluations[label], run.tasks)} for label in run.labels},
        "seeds": {name: _combined(run, name) for name in run.conditions if len(run.repeats(name)) > 1},
    }


# ------------------------------------------------------------------------------------------------------- conditions


def _tasks(evaluation: Evaluation, order: Sequence[str]) -> Json:
    return {
        name: {metric: _measure(evaluation, task, metric, value) for metric, value in task.metrics.items()}
        for name in order
        if (task := evaluation.tasks.get(name)) is not None
    }


def _measure(evaluation: Evaluation, task: TaskResult, metric: str, value: float) -> Json:
    """lm-eval's own value with an interval from its samples; no interval where its value is not their mean."""
    values = _values(evaluation.samples(task.name).values(), metric)
    if len(values) == 0 and metric == PRIMARY_METRIC and task.n and 0 <= value <= 1:
        values = np.repeat([1.0, 0.0], [round(value * task.n), task.n - round(value * task.n)])
    if len(values) == 0 or not math.isclose(values.mean(), value, rel_tol=1e-9, abs_tol=1e-9):
        return {"value": value, "low": None, "high": None, "n": task.n}
    interval = statistics.proportion(round(values.sum()), len(values)) if _is_share(metric, values) else statistics.mean(values)
    return {"value": value, "low": interval.low, "high": interval.high, "n": len(values)}


def _values(samples: Any, metric: str) -> NDArray[np.float64]:
    return np.array([sample.metrics[metric] for sample in samples if metric in sample.metrics], dtype=float)


def _is_share(metric: str, values: NDArray[np.float64]) -> bool:
    """Whether a metric says yes or no of each item. A count of tokens does not, though it may happen to be 0 or 1."""
    return not is_count(metric) and bool(np.isin(values, (0.0, 1.0)).all())


def _combined(run: Run, condition: str) -> Json:
    """Each metric over all training seeds of a condition, its interval counting items and seeds as draws."""
    labels = run.repeats(condition)
    answers: Json = {}
    for task in run.tasks:
        for metric in _metrics(run, task, labels):
            table = _table([_column(run, label, task, metric) for label in labels])
            if min(table.shape) < 2:
                continue
            result = statistics.crossed(table)
            low, high = (max(0.0, result.low), min(1.0, result.high)) if _is_share(metric, table) else (result.low, result.high)
            row = {"value": result.value, "low": low, "high": high, "n": len(table), "seeds": len(labels)}
            answers.setdefault(task, {})[metric] = row
    return answers


# ------------------------------------------------------------------------------------------------------ comparisons


def pairs(run: Run) -> list[tuple[str, str]]:
    """(baseline, treatment) as the recipe's `compare` says, else the first condition against each other one."""
    names = [name for name in run.conditions if run.repeats(name)]
    declared = [(entry["baseline"], entry["treatment"]) for entry in run.compare]
    wanted = declared or [(names[0], name) for name in names[1:]]
    return [(a, b) for a, b in dict.fromkeys(wanted) if a in names and b in names and a != b]


def _comparisons(run: Run) -> Iterator[Json]:
    for baseline, treatment in pairs(run):
        columns = _seed_pairs(run, baseline, treatment)
        for task in run.tasks:
            for metric in _metrics(run, task, [label for pair in columns for label in pair]):
                row = _compare(run, columns, task, metric)
                if row is not None:
                    yield {"task": task, "metric": metric, "baseline": baseline, "treatment": treatment, **row}


def _seed_pairs(run: Run, baseline: str, treatment: str) -> list[tuple[str, str]]:
    """Repeats of two conditions that were trained with the same seed; the first of each where no two were."""
    other = {label.partition(SEED_MARK)[2]: label for label in run.repeats(treatment)}
    found = [(a, other[a.partition(SEED_MARK)[2]]) for a in run.repeats(baseline) if a.partition(SEED_MARK)[2] in other]
    return found or [(run.repeats(baseline)[0], run.repeats(treatment)[0])]


def _metrics(run: Run, task: str, labels: Sequence[str]) -> list[str]:
    """Metrics that every label has for a task, in the order of the first."""
    each = [run.evaluations[label].tasks[task].metrics if task in run.evaluations[label].tasks else {} for label in labels]
    return [metric for metric in each[0] if all(metric in metrics for metrics in each)] if each else []


def _column(run: Run, label: str, task: str, metric: str) -> dict[tuple[str, int, str], float]:
    """Metric by item. The question is part of the key: only the same question in two evaluations is a pair."""
    samples = run.evaluations[label].samples(task) if task in run.evaluations[label].tasks else {}
    return {(*key, s.question): s.metrics[metric] for key, s in samples.items() if metric in s.metrics}


def _table(columns: Sequence[dict[tuple[str, int, str], float]]) -> NDArray[np.float64]:
    """Items × columns of the items that all columns have."""
    keys = [key for key in columns[0] if all(key in column for column in columns[1:])]
    return np.array([[column[key] for column in columns] for key in keys], dtype=float).reshape(len(keys), len(columns))


def _compare(run: Run, seed_pairs: Sequence[tuple[str, str]], task: str, metric: str) -> Json | None:
    columns = [_column(run, label, task, metric) for pair in seed_pairs for label in pair]
    table = _table(columns)
    if len(table) == 0:
        return None
    baseline, treatment, share = table[:, 0::2], table[:, 1::2], _is_share(metric, table)
    row = _one_seed(share, baseline[:, 0], treatment[:, 0]) if len(seed_pairs) == 1 else _many_seeds(share, baseline, treatment)
    return {**row, "seeds": len(seed_pairs), "unpaired": max(len(column) for column in columns) - len(table)}


def _one_seed(share: bool, baseline: NDArray[np.float64], treatment: NDArray[np.float64]) -> Json:
    n = len(baseline)
    if not share:
        result = statistics.paired_means(baseline, treatment)
        differences = treatment - baseline
        error = float(differences.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
        detectable = power.detectable_by_t(error, n - 1) if n > 1 else None
        return _row(result, int(np.count_nonzero(differences)), detectable) | {"kind": "mean"}
    wins, losses = int(np.sum(treatment > baseline)), int(np.sum(treatment < baseline))
    result = statistics.paired_proportions(wins, losses, n)
    rate, disagreed = float(baseline.mean()), (wins + losses) / n
    detectable = power.minimum_detectable(n, rate, discordant_share=disagreed)
    return _row(result, wins + losses, detectable) | {
        "kind": "share", "wins": wins, "losses": losses, "correlation": _correlation(baseline, treatment),
        "items_needed": power.items_needed(result.difference, discordant_share=disagreed),
    }  # fmt: skip


def _many_seeds(share: bool, baseline: NDArray[np.float64], treatment: NDArray[np.float64]) -> Json:
    differences = treatment - baseline
    items, seeds = differences.shape
    if items < 2:
        return _one_seed(share, baseline[:, 0], treatment[:, 0])
    crossed = statistics.crossed(differences)
    result = statistics.PairedTest(crossed.value, crossed.low, crossed.high, crossed.p_value, "crossed_t", items)
    discordant = int(np.count_nonzero(differences)) / seeds
    row = _row(result, round(discordant), power.detectable_by_t(crossed.standard_error, crossed.df))
    row |= {"kind": "share" if share else "mean", "per_seed": [float(value) for value in differences.mean(axis=0)]}
    if share and crossed.value:
        row["seeds_needed"] = power.seeds_needed(
            crossed.value, items, power.SeedModel(crossed.item, crossed.seed, crossed.rest)
        )  # fmt: skip
    return row


def _row(result: statistics.PairedTest, discordant: int, detectable: float | None) -> Json:
    return {
        "difference": result.difference, "low": result.low, "high": result.high, "p_value": result.p_value,
        "test": result.test, "n": result.n, "discordant": discordant, "minimum_detectable": detectable,
    }  # fmt: skip


def _correlation(baseline: NDArray[np.float64], treatment: NDArray[np.float64]) -> float | None:
    if np.ptp(baseline) == 0 or np.ptp(treatment) == 0:
        return None
    return float(np.corrcoef(baseline, treatment)[0, 1])


def _adjust(comparisons: list[Json]) -> None:
    """Holm over each family: all tasks and pairs of the primary metric, and all of the other metrics, which only describe."""
    families: dict[str, Callable[[Json], bool]] = {
        "primary": lambda row: row["metric"] == PRIMARY_METRIC,
        "descriptive": lambda row: row["metric"] != PRIMARY_METRIC,
    }
    for family, belongs in families.items():
        rows = [row for row in comparisons if belongs(row)]
        for row, adjusted in zip(rows, statistics.holm([row["p_value"] for row in rows]), strict=True):
            row |= {"family": family, "family_size": len(rows), "p_holm": adjusted}


# ---------------------------------------------------------------------------------------------------------- headline


def primary_task(run: Run) -> str | None:
    """The task of the headline: the first with a target, else the first that the recipe evaluates."""
    wanted = [*(run.recipe.get("targets") or {}), *run.tasks]
    return next((task for task in wanted if task in run.tasks), None)


def check_targets(run: Run, results: Json) -> list[Json]:
    """The recipe's success targets: met where the whole interval reaches it, missed where none of it does, else open.

    A target on `difference` is about the first comparison on that task.
    """
    rows: list[Json] = []
    for task, goals in (run.recipe.get("targets") or {}).items():
        for name, goal in goals.items():
            found = _target_value(results, task, name)
            low, high = (found.get("low"), found.get("high")) if found else (None, None)
            verdict = "open" if low is None or high is None else "met" if low >= goal else "missed" if high < goal else "open"
            value = None if found is None else found.get("difference", found.get("value"))
            reached = None if value is None else value >= goal
            rows.append({"task": task, "name": name, "goal": goal, "value": value, "low": low, "high": high,
                         "reached": reached, "verdict": verdict})  # fmt: skip
    return rows


def _target_value(results: Json, task: str, name: str) -> Json | None:
    if name == "difference":
        return next((r for r in results["comparisons"] if r["task"] == task and r["metric"] == PRIMARY_METRIC), None)
    tables = (results["seeds"].get(name), (results["conditions"].get(name) or {}).get("tasks"))
    found: Json | None = next(
        (table[task][PRIMARY_METRIC] for table in tables if table and PRIMARY_METRIC in table.get(task, {})), None
    )
    return found
