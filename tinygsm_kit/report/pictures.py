"""The page's pictures: what `observations` found, drawn by `charts`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tinygsm_kit.report import charts, ladder, observations, stages
from tinygsm_kit.report.rundir import PRIMARY_METRIC, Run

Json = dict[str, Any]
Colours = Mapping[str, int]
MOST_TOKENS = 24


class Picture(NamedTuple):
    """A picture with its words; `names` are the series in its key."""

    title: str
    text: str
    svg: str
    names: list[str]


def headline_ruler(report: Json) -> str:
    """The headline's comparison as a picture; empty where there is none."""
    for row in report["comparisons"]:
        if row["task"] == report["primary_task"] and row["metric"] == PRIMARY_METRIC:
            return charts.ruler(row["difference"], row["low"], row["high"], row["minimum_detectable"])
    return ""


def pictures(run: Run, report: Json, colour: Colours) -> Iterator[Picture]:
    """Every picture that the run has data for."""
    curves = observations.loss_curves(run)
    if curves:
        svg = charts.lines(curves, colour, "step", "Training loss by step")
        yield Picture("Learning curves", "Training loss by step.", svg, list(curves))
    yield from _lengths(run, colour)
    use = {
        task: {name: row["share"] for name, row in f.items()} for task in run.tasks if (f := observations.token_use(run, task))
    }
    if any(share for row in use.values() for share in row.values()):
        names = list(dict.fromkeys(name for row in use.values() for name in row))
        svg = charts.bars(use, colour, "Responses with a fact token")
        yield Picture("Use of fact tokens", "Share of responses with a fact token.", svg, names)
    injected = {name: row for name, row in report["injection"].items() if row["with_token"]}
    if injected:
        yield Picture("Injected facts", "Training rows by number of fact tokens.", _injected(injected, colour), list(injected))
    if report["exposures"]:
        text = "The table's accuracy by how often training stated the fact."
        yield Picture("Exposures and accuracy", text, exposure_chart(report["exposures"], colour), list(report["exposures"]))


def after_stages(report: Json, colour: Colours) -> Iterator[Picture]:
    """A picture for each task that was asked after several stages of training."""
    for task in stages.tasks(report):
        found = stages.series(report, task)
        yield Picture(task, "Exact match after each stage of training.", stages.chart(report, task, colour), list(found))


def of_ladder(report: Json, colour: Colours) -> Iterator[Picture]:
    """Accuracy against rows for each task of a scaling ladder."""
    for task in ladder.tasks(report):
        found = ladder.entries(report, task)
        text = "Exact match by training rows, with the fitted curve and its 95 % band."
        yield Picture(task, text, charts.scaling(found, colour, f"Accuracy on {task} by number of training rows"), list(found))


def _lengths(run: Run, colour: Colours) -> Iterator[Picture]:
    for task in observations.plain_tasks(run):
        found = observations.lengths(run, task)
        if found and max(max(values) - min(values) for values in found.values()) > 0:
            edges, shares = observations.histogram(found)
            svg = charts.steps(edges, shares, colour, "response tokens", f"Response length on {task}")
            text = "Share of responses by length; the last bin takes all longer ones."
            yield Picture(f"Response length, {task}", text, svg, list(found))


def exposure_names(exposures: Mapping[str, list[Json]]) -> list[str]:
    """The bins that any condition has, from few exposures to many."""
    names = dict.fromkeys(row["exposures"] for rows in exposures.values() for row in rows)
    return sorted(names, key=lambda name: int(name.replace(",", "").replace("+", "").partition("–")[0]))


def exposure_chart(exposures: Mapping[str, list[Json]], colour: Colours) -> str:
    """Accuracy with its interval for each bin and condition."""
    names = exposure_names(exposures)
    series = {
        condition: [(names.index(row["exposures"]), row["value"], row["low"], row["high"]) for row in rows]
        for condition, rows in exposures.items()
    }
    return charts.dots(names, series, colour, "times stated in training", "Accuracy on the multiplication table by exposures")


def _injected(injected: Mapping[str, Json], colour: Colours) -> str:
    top = min(max(int(k) for row in injected.values() for k in row["distribution"]), MOST_TOKENS)
    shares: dict[str, list[float]] = {}
    for name, row in injected.items():
        shares[name] = [0.0] * (top + 1)
        for k, n in row["distribution"].items():
            shares[name][min(int(k), top)] += n / row["rows"]
    edges = [k - 0.5 for k in range(top + 2)]
    return charts.steps(edges, shares, colour, "fact tokens in a row", "Training rows by number of fact tokens")
