"""The report's pictures as files: SVG for papers, PNG for slides. Drawn by matplotlib without a display."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tinygsm_kit.report import charts, ladder, observations, stages
from tinygsm_kit.report.files import write_whole
from tinygsm_kit.report.payload import colours
from tinygsm_kit.report.pictures import exposure_names
from tinygsm_kit.report.rundir import Run

Json = dict[str, Any]
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe and Ito's palette: told apart by every common kind of colour vision."""


def draw_all(run: Run, report: Json, folder: Path) -> list[Path]:
    """Draw every figure that the run has data for, as NAME.svg and NAME.png; figures of an earlier report are removed."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.svg"), *folder.glob("*.png")):
        old.unlink()
    written = []
    style: dict[Any, Any] = {
        "svg.hashsalt": "tinygsm-kit",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with mpl.rc_context(style):
        for name, size, draw in _figures(run, report):
            figure = Figure(figsize=size, layout="constrained")
            FigureCanvasAgg(figure)
            draw(figure)
            figure.draw_without_rendering()  # lay it out once, not again for every format
            figure.set_layout_engine("none")
            for kind, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
                buffer = io.BytesIO()
                figure.savefig(buffer, format=kind, dpi=160, metadata=metadata)
                path = folder / f"{name}.{kind}"
                write_whole(path, buffer.getvalue())
                written.append(path)
    return written


def _figures(run: Run, report: Json) -> Iterator[tuple[str, tuple[float, float], Callable[[Any], None]]]:
    for condition in run.conditions:
        cells = observations.multiplication_table(run, condition)
        if cells:
            yield f"table_{_file_name(condition)}", (4.4, 4.4), partial(_heat_map, condition=condition, cells=cells)
    curves = observations.loss_curves(run)
    if curves:
        yield "loss", (5.5, 3.2), partial(_loss, run=run, curves=curves)
    for task in stages.tasks(report):
        yield f"stages_{_file_name(task)}", (5.5, 3.2), partial(_stages, run=run, report=report, task=task)
    for task in ladder.tasks(report):
        yield f"ladder_{_file_name(task)}", (5.5, 3.6), partial(_ladder, run=run, report=report, task=task)
    for task in observations.plain_tasks(run):
        lengths = observations.lengths(run, task)
        if lengths:
            yield f"lengths_{_file_name(task)}", (5.5, 3.2), partial(_lengths, run=run, task=task, values=lengths)
    use = {task: found for task in run.tasks if (found := observations.token_use(run, task))}
    if use:
        yield "token_use", (5.5, 0.8 + 0.5 * len(use)), partial(_token_use, run=run, use=use)
    if report["exposures"]:
        yield "exposures", (5.5, 3.2), partial(_exposures, run=run, exposures=report["exposures"])
    if any(row["with_token"] for row in report["injection"].values()):
        yield "injection", (5.5, 3.2), partial(_injection, run=run, injection=report["injection"])


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)


def _colour(run: Run, label: str) -> str:
    return COLOURS[colours(run)[label]]


def _heat_map(figure: Any, condition: str, cells: dict[observations.Fact, observations.Cell]) -> None:
    axes = figure.add_subplot()
    grid = [[cells[a, b].share if (a, b) in cells else float("nan") for b in range(1, 10)] for a in range(1, 10)]
    image = axes.imshow(grid, cmap="cividis", vmin=0, vmax=1)
    axes.set(xticks=range(9), yticks=range(9), xticklabels=range(1, 10), yticklabels=range(1, 10), xlabel="second factor",
             ylabel="first factor", title=f"{condition}: multiplication table")  # fmt: skip
    for (a, b), cell in cells.items():
        if cell.share < 1:
            answers = "/".join(dict.fromkeys(answer or "–" for answer in cell.answers))
            axes.text(
                b - 1,
                a - 1,
                answers[:7],
                ha="center",
                va="center",
                fontsize=6.5,
                color="white" if cell.share < 0.5 else "black",
            )
    figure.colorbar(image, ax=axes, shrink=0.8, label="share right")


def _loss(figure: Any, run: Run, curves: dict[str, list[tuple[float, float]]]) -> None:
    axes = figure.add_subplot()
    for label, points in curves.items():
        axes.plot(*zip(*points, strict=True), label=label, color=_colour(run, label), alpha=0.5 if "@" in label else 1, lw=1.4)
    axes.set(xlabel="step", ylabel="training loss", title="Learning curves")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)


def _stages(figure: Any, run: Run, report: Json, task: str) -> None:
    axes = figure.add_subplot()
    for order, (condition, rows) in enumerate(stages.series(report, task).items()):
        places, values, low, high = (list(column) for column in zip(*rows, strict=True))
        middle = [100 * value for value in values]
        ends = [[max(0.0, 100 * abs(value - end)) for value, end in zip(values, side, strict=True)] for side in (low, high)]
        axes.errorbar(
            [place + 0.04 * order for place in places], middle, ends, fmt="o-", ms=4, lw=1.4, capsize=2, label=condition,
            color=_colour(run, condition),
        )  # fmt: skip
    names = stages.names(report)
    axes.set(xticks=range(len(names)), xticklabels=names, xlabel="stage of training", ylabel="% right",
             title=f"After each stage: {task}", ylim=(-2, 104))  # fmt: skip
    axes.legend(frameon=False)


def _ladder(figure: Any, run: Run, report: Json, task: str) -> None:
    axes = figure.add_subplot()
    found = ladder.entries(report, task)
    for order, (condition, entry) in enumerate(found.items()):
        points, curve, colour = entry["points"], entry["curve"], _colour(run, condition)
        rows, values = [point["rows"] for point in points], [100 * point["value"] for point in points]
        ends = [[max(0.0, 100 * abs(point["value"] - point[end])) for point in points] for end in ("low", "high")]
        beside = [count * 1.03**order for count in rows]
        axes.errorbar(beside, values, ends, fmt="o", ms=4, capsize=2, label=condition, color=colour)
        low, high = ([100 * each[end] for each in curve] for end in ("low", "high"))
        axes.fill_between([each["rows"] for each in curve], low, high, color=colour, alpha=0.15, lw=0)
        for style, part in zip(("-", "--"), charts.within_and_beyond(entry), strict=True):
            axes.plot([count for count, _ in part], [100 * value for _, value in part], style, lw=1.4, color=colour)
        if entry["goal"] is not None:
            axes.axhline(100 * entry["goal"], color="grey", lw=0.8, ls=":")
    places = charts.ticks_of_rows(found)
    axes.set(xscale="log", xlabel="training rows", ylabel="% right", title=f"Accuracy by training rows: {task}")
    axes.set_xticks(places, [charts.short_rows(count) for count in places])
    axes.set_xticks([], minor=True)
    axes.set_ylim(0, min(104, axes.get_ylim()[1]))
    axes.legend(frameon=False)


def _lengths(figure: Any, run: Run, task: str, values: dict[str, list[float]]) -> None:
    axes = figure.add_subplot()
    edges, shares = observations.histogram(values)
    for condition, heights in shares.items():
        axes.stairs([100 * height for height in heights], edges, label=condition, color=_colour(run, condition), lw=1.4)
    axes.set(xlabel="response tokens", ylabel="% of responses", title=f"Response length: {task}")
    axes.legend(frameon=False)


def _token_use(figure: Any, run: Run, use: dict[str, dict[str, dict[str, float]]]) -> None:
    axes = figure.add_subplot()
    height = 0.8 / len(run.conditions)
    for order, condition in enumerate(run.conditions):
        rows = [(index, found[condition]["share"]) for index, found in enumerate(use.values()) if condition in found]
        places = [index + order * height for index, _ in rows]
        axes.barh(places, [100 * share for _, share in rows], height * 0.9, label=condition, color=_colour(run, condition))
    middle = 0.4 - height / 2
    axes.set(yticks=[index + middle for index in range(len(use))], yticklabels=list(use), xlim=(0, 100))
    axes.set(xlabel="% of responses with a fact token", title="Use of fact tokens")
    axes.invert_yaxis()
    axes.legend(frameon=False)


def _exposures(figure: Any, run: Run, exposures: dict[str, list[Json]]) -> None:
    axes = figure.add_subplot()
    names = exposure_names(exposures)
    for order, (condition, rows) in enumerate(exposures.items()):
        places = [names.index(row["exposures"]) + 0.12 * order for row in rows]
        values = [100 * row["value"] for row in rows]
        below = [max(0.0, 100 * (row["value"] - row["low"])) for row in rows]
        above = [max(0.0, 100 * (row["high"] - row["value"])) for row in rows]
        axes.errorbar(places, values, [below, above], fmt="o", ms=4, capsize=2, label=condition, color=_colour(run, condition))
    axes.set(xticks=range(len(names)), xticklabels=names, xlabel="times the fact was seen in training",
             ylabel="% right on the table", title="Exposures and accuracy", ylim=(0, 104))  # fmt: skip
    axes.legend(frameon=False)


def _injection(figure: Any, run: Run, injection: dict[str, Json]) -> None:
    axes = figure.add_subplot()
    for condition, row in injection.items():
        if row["with_token"]:
            counts = {int(k): n for k, n in row["distribution"].items()}
            places = range(max(counts) + 1)
            shares = [100 * counts.get(k, 0) / row["rows"] for k in places]
            axes.plot(places, shares, marker="o", ms=3, lw=1.4, label=condition, color=_colour(run, condition))
    axes.set(xlabel="fact tokens in a row", ylabel="% of rows", title="Injected fact tokens")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
