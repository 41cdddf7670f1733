"""What the page's tables show: scores, other metrics, comparisons, the multiplication table, flips, sample answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tinygsm_kit.report import charts, flips, observations
from tinygsm_kit.report.markdown import is_share, plain_value
from tinygsm_kit.report.payload import short_target, shorten
from tinygsm_kit.report.rundir import PRIMARY_METRIC, Run
from tinygsm_kit.report.verdict import outcome, short

Json = dict[str, Any]
Colours = Mapping[str, int]
SHOWN_SAMPLES = 10


def scores(run: Run, report: Json, colour: Colours) -> list[Json]:
    """Accuracy by task, a row for each label and each condition's seeds together, on one scale from 0 to 100 %."""
    blocks = []
    for task in run.tasks:
        cells: list[tuple[str, str, Json]] = []
        for condition in run.conditions:
            together = report["seeds"].get(condition, {}).get(task, {}).get(PRIMARY_METRIC)
            if together:
                cells.append((condition, f"{condition}, {together['seeds']} seeds", together))
            for label in run.repeats(condition):
                cell = report["conditions"][label]["tasks"].get(task, {}).get(PRIMARY_METRIC)
                if cell:
                    cells.append((label, label, {**cell, "repeat": together is not None}))
        rows = [
            {"repeat": False, **cell, "label": text, "colour": colour[name],
             "spark": charts.whisker(cell["low"], cell["value"], cell["high"], (0, 1), colour[name])}
            for name, text, cell in cells
        ]  # fmt: skip
        if rows:
            blocks.append({"task": task, "members": run.members(task), "rows": rows, "n": max(row["n"] for row in rows)})
    return blocks


def other_metrics(run: Run, report: Json) -> Json:
    """The metrics beside accuracy: a row for each task and label, a column a metric."""
    every = (table for condition in report["conditions"].values() for table in condition["tasks"].values())
    metrics = [metric for metric in dict.fromkeys(m for table in every for m in table) if metric != PRIMARY_METRIC]
    rows = [
        {"task": task, "label": label, "cells": [_metric_cell(metric, table.get(metric)) for metric in metrics]}
        for task in run.tasks
        for label in run.labels
        if (table := report["conditions"][label]["tasks"].get(task))
    ]
    return {"metrics": metrics, "rows": rows}


def _metric_cell(metric: str, cell: Json | None) -> Json:
    if cell is None:
        return {"value": "", "interval": ""}
    share = is_share(metric) and 0 <= cell["value"] <= 1
    interval = "" if cell["low"] is None else f"{plain_value(cell['low'], share)}–{plain_value(cell['high'], share)}"
    return {"value": f"{plain_value(cell['value'], share)}{' %' if share else ''}", "interval": interval}


def comparisons(report: Json, colour: Colours) -> list[Json]:
    """Rows of the comparison table. The primary ones share a scale; each of the others has its own."""
    ends = [abs(row[end]) for row in report["comparisons"] if row["family"] == "primary" for end in ("low", "high")]
    common = max([*ends, 0.01]) * 1.05
    rows = []
    for row in report["comparisons"]:
        share = row["kind"] == "share"
        reach = common if row["family"] == "primary" else max(abs(row["low"]), abs(row["high"]), 1e-9) * 1.05
        spark = charts.whisker(row["low"], row["difference"], row["high"], (-reach, reach), colour[row["treatment"]], zero=True)
        seen = row["minimum_detectable"]
        rows.append({
            **row, "spark": spark, "shown": plain_value(row["difference"], share, signed=True),
            "interval": f"{plain_value(row['low'], share)} to {plain_value(row['high'], share)}",
            "seen": "none" if seen is None else plain_value(seen, share), "outcome": outcome(row), "words": short(row),
        })  # fmt: skip
    return rows


def multiplication_tables(run: Run, report: Json) -> list[Json]:
    """A 9 × 9 grid of cells for each condition that was asked the multiplication table."""
    grids = []
    for condition in run.conditions:
        cells = observations.multiplication_table(run, condition)
        if cells:
            seen = report["facts"].get(condition, {})
            grid = [[_cell(cells.get((a, b)), seen, a, b) for b in range(1, 10)] for a in range(1, 10)]
            right, asked = sum(c.right for c in cells.values()), sum(c.asked for c in cells.values())
            grids.append({"condition": condition, "grid": grid, "right": right, "asked": asked})
    return grids


def _cell(cell: observations.Cell | None, seen: Mapping[str, int], a: int, b: int) -> Json | None:
    if cell is None:
        return None
    given = list(dict.fromkeys(answer or "no answer" for answer in cell.answers))
    level = 4 if cell.share == 1 else 0 if cell.share == 0 else 1 + min(2, int(cell.share * 3))
    mark = {4: "right", 0: f"wrong, it is {a * b}"}.get(level, "not always right")
    of = f" ({cell.right} of {cell.asked} seeds right)" if cell.asked > 1 else ""
    times = f"; stated {seen.get(f'{min(a, b)}x{max(a, b)}', 0):,} times in training" if seen else ""
    shown = str(a * b) if level == 4 else f"{cell.right}/{cell.asked}" if level else given[0].replace("no answer", "–")
    text = f"{a} × {b}: answered {', '.join(given)}, {mark}{of}{times}"
    return {"level": level, "shown": shown if len(shown) < 5 else f"{shown[:3]}…", "text": text}


def flip_counts(report: Json) -> list[Json]:
    """One table a pair: kinds of error down, what the treatment gained and lost across, all tasks together."""
    tables: dict[tuple[str, str], dict[str, list[int]]] = {}
    for row in report["flips"]:
        counts = tables.setdefault((row["baseline"], row["treatment"]), {kind: [0, 0] for kind in flips.KINDS})
        counts[row["kind"]][0] += row["gained"]
        counts[row["kind"]][1] += row["lost"]
    return [
        {"baseline": a, "treatment": b, "kinds": counts, "gained": sum(g for g, _ in counts.values()),
         "lost": sum(lost for _, lost in counts.values())}
        for (a, b), counts in tables.items()
    ]  # fmt: skip


def sample_answers(run: Run, report: Json) -> list[Json]:
    """Ten questions of the primary task at even distances, with the answer of every condition (its first seed)."""
    task = report["primary_task"]
    if task is None:
        return []
    entries: dict[tuple[str, int], Json] = {}
    for label in (run.repeats(name)[0] for name in run.conditions if run.repeats(name)):
        if task not in run.evaluations[label].tasks:
            continue
        for key, sample in run.evaluations[label].samples(task).items():
            blank = {"question": sample.question, "target": short_target(sample), "answers": []}
            kind = "" if sample.right else flips.what_went_wrong(sample)
            answer = {"label": label, "right": sample.right, "kind": kind, "response": shorten(sample.response)}
            entries.setdefault(key, blank)["answers"].append(answer)
    return [entries[key] for key in spread(list(entries), SHOWN_SAMPLES)]


def spread(keys: Sequence[Any], count: int) -> list[Any]:
    """`count` entries at even distances, the first among them; all where there are fewer."""
    return list(keys) if len(keys) <= count else [keys[i * len(keys) // count] for i in range(count)]
