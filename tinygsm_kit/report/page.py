"""index.html: one page that needs nothing but itself. What a model wrote is never trusted as markup."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tinygsm_kit.report import charts, flips, observations
from tinygsm_kit.report.markdown import is_share
from tinygsm_kit.report.rundir import PRIMARY_METRIC, Run, Sample
from tinygsm_kit.report.verdict import number, outcome, p_text, points, short

Json = dict[str, Any]
TEMPLATES = Path(__file__).parent / "templates"
SHOWN_SAMPLES = 10
LONGEST_RESPONSE = 3_000
METRIC_NAMES = {
    "exact_match": "exact match", "exact_match_flexible": "flexible match", "response_tokens": "tokens a response",
    "stopped": "stopped by itself", "fact_tokens": "fact tokens a response",
}  # fmt: skip


def render_page(run: Run, report: Json) -> str:
    """The whole page as text."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"points": points, "number": number, "p": p_text, "metric": metric_name, "thousands": thousands}
    script = (TEMPLATES / "page.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html.j2").render(
        run=run, report=report, script=script, script_hash=digest, style=(TEMPLATES / "page.css").read_text("utf-8"),
        data=embed(payload(run)), **_views(run, report),
    )  # fmt: skip


def embed(data: object) -> str:
    """JSON that cannot leave its script element, whatever the texts in it say."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def metric_name(metric: str) -> str:
    """A metric's name for people."""
    return METRIC_NAMES.get(metric, metric.replace("_", " "))


def thousands(value: object) -> str:
    """An integer with separators; anything else as it is."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else "" if value is None else str(value)


# ----------------------------------------------------------------------------------------------------------- payload


def payload(run: Run) -> Json:
    """Every response in columns, for the page's browser: item, label, right, tokens, stopped, fact tokens, kind of error, text."""
    tasks, labels, kinds = observations.plain_tasks(run), run.labels, ["", *flips.KINDS]
    places: dict[tuple[str, int, str], int] = {}
    items: list[list[Any]] = []
    columns: dict[str, list[Any]] = {name: [] for name in ("i", "l", "ok", "n", "s", "f", "k", "r")}
    for label_index, label in enumerate(labels):
        for task_index, task in enumerate(tasks):
            found = run.evaluations[label].tasks.get(task)
            for sample in found.samples if found else ():
                key = (task, sample.doc_id, sample.question)
                if key not in places:
                    places[key] = len(items)
                    items.append([task_index, sample.doc_id, sample.question, short_target(sample)])
                kind = "" if sample.right else flips.what_went_wrong(sample)
                row = (places[key], label_index, int(sample.right), _count(sample, "response_tokens"), _count(sample, "stopped"),
                       _count(sample, "fact_tokens"), kinds.index(kind), shorten(sample.response))  # fmt: skip
                for column, value in zip(columns.values(), row, strict=True):
                    column.append(value)
    flipped = [
        [places[flip.task, flip.doc_id, _question(run, flip)], labels.index(flip.baseline), labels.index(flip.treatment),
         int(flip.gained), kinds.index(flip.kind)]
        for flip in flips.flips(run)
    ]  # fmt: skip
    return {"tasks": tasks, "labels": labels, "colours": [colours(run)[label] for label in labels], "kinds": kinds,
            "items": items, "rows": columns, "flips": flipped}  # fmt: skip


def _question(run: Run, flip: flips.Flip) -> str:
    return next(s.question for s in run.evaluations[flip.baseline].tasks[flip.task].samples if s.doc_id == flip.doc_id)


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
    """The colour number of every condition and every repeat of it."""
    names = {name: index % 6 for index, name in enumerate(run.conditions)}
    return names | {
        label: names[label.partition("@")[0]] for label in [*run.labels, *run.logs] if label.partition("@")[0] in names
    }


# ------------------------------------------------------------------------------------------------------------- views


def _views(run: Run, report: Json) -> Json:
    colour = colours(run)
    return {
        "colour": colour, "ruler": _ruler(report), "scores": _scores(run, report, colour), "others": _other_metrics(run, report),
        "comparisons": _comparisons(report, colour), "tables": _tables(run, report), "pictures": list(_pictures(run, report, colour)),
        "flip_counts": _flip_counts(report), "kinds": flips.KIND_MEANING, "examples": _examples(run, report),
        "stages": _stages(run), "reasons": _reasons(run), "cost": _cost(run), "provenance": _provenance(run),
        "responses": sum(len(task.samples) for e in run.evaluations.values() for task in e.tasks.values()),
    }  # fmt: skip


def _ruler(report: Json) -> str:
    task = report["primary_task"]
    row = next((r for r in report["comparisons"] if r["task"] == task and r["metric"] == PRIMARY_METRIC), None)
    return charts.ruler(row["difference"], row["low"], row["high"], row["minimum_detectable"]) if row else ""


def _scores(run: Run, report: Json, colour: Mapping[str, int]) -> list[Json]:
    """Accuracy by task, a row for each label, on one scale from 0 to 100 %."""
    blocks = []
    for task in run.tasks:
        rows = []
        for label in run.labels:
            cell = report["conditions"][label]["tasks"].get(task, {}).get(PRIMARY_METRIC)
            if cell:
                rows.append(
                    {
                        "label": label,
                        "spark": charts.whisker(cell["low"], cell["value"], cell["high"], (0, 1), colour[label]),
                        **cell,
                    }
                )
        for condition, tables in report["seeds"].items():
            cell = tables.get(task, {}).get(PRIMARY_METRIC)
            if cell:
                spark = charts.whisker(cell["low"], cell["value"], cell["high"], (0, 1), colour[condition])
                rows.append({"label": f"{condition}, {cell['seeds']} seeds", "spark": spark, **cell})
        if rows:
            blocks.append({"task": task, "members": run.members(task), "rows": rows, "n": max(row["n"] for row in rows)})
    return blocks


def _other_metrics(run: Run, report: Json) -> Json:
    """The metrics beside accuracy: rows of (task, label), a column a metric."""
    metrics = list(dict.fromkeys(
        metric for c in report["conditions"].values() for table in c["tasks"].values() for metric in table if metric != PRIMARY_METRIC
    ))  # fmt: skip
    rows = []
    for task in run.tasks:
        for label in run.labels:
            table = report["conditions"][label]["tasks"].get(task)
            if table:
                rows.append(
                    {"task": task, "label": label, "cells": [_metric_cell(metric, table.get(metric)) for metric in metrics]}
                )
    return {"metrics": metrics, "rows": rows}


def _metric_cell(metric: str, cell: Json | None) -> Json:
    if cell is None:
        return {"value": "", "interval": ""}
    share = is_share(metric) and 0 <= cell["value"] <= 1
    show = points if share else lambda value: number(value, 2)
    interval = "" if cell["low"] is None else f"{show(cell['low'])}–{show(cell['high'])}"
    return {"value": f"{show(cell['value'])}{' %' if share else ''}", "interval": interval}


def _comparisons(report: Json, colour: Mapping[str, int]) -> list[Json]:
    """Rows of the comparison table; shares on one scale, in percentage points."""
    rows = []
    ends = [
        abs(end)
        for r in report["comparisons"]
        if r["kind"] == "share" and r["family"] == "primary"
        for end in (r["low"], r["high"])
    ]
    reach = max([*ends, 0.01]) * 1.05
    for row in report["comparisons"]:
        share = row["kind"] == "share"
        show = (lambda v, signed=False: points(v, signed)) if share else (lambda v, signed=False: number(v, 2, signed))
        scale = reach if share else max(abs(row["low"]), abs(row["high"]), 1e-9) * 1.05
        rows.append({
            **row, "spark": charts.whisker(row["low"], row["difference"], row["high"], (-scale, scale), colour[row["treatment"]], True),
            "shown": show(row["difference"], True), "interval": f"{show(row['low'])} to {show(row['high'])}",
            "seen": "none" if row["minimum_detectable"] is None else show(row["minimum_detectable"]),
            "outcome": outcome(row), "words": short(row),
        })  # fmt: skip
    return rows


def _tables(run: Run, report: Json) -> list[Json]:
    """A 9 × 9 grid of cells for each condition that was asked the multiplication table."""
    grids = []
    for condition in run.conditions:
        cells = observations.multiplication_table(run, condition)
        if not cells:
            continue
        seen = report["facts"].get(condition, {})
        grid = [
            [_cell(cells.get((a, b)), seen.get(f"{min(a, b)}x{max(a, b)}"), a, b) for b in range(1, 10)] for a in range(1, 10)
        ]
        right, asked = sum(c.right for c in cells.values()), sum(c.asked for c in cells.values())
        grids.append({"condition": condition, "grid": grid, "right": right, "asked": asked})
    return grids


def _cell(cell: observations.Cell | None, seen: int | None, a: int, b: int) -> Json | None:
    if cell is None:
        return None
    given = list(dict.fromkeys(answer or "no answer" for answer in cell.answers))
    level = 4 if cell.share == 1 else 0 if cell.share == 0 else 1 + min(2, int(cell.share * 3))
    times = "" if seen is None else f"; stated {seen:,} times in training"
    of = f" ({cell.right} of {cell.asked} seeds right)" if cell.asked > 1 else ""
    mark = "right" if cell.share == 1 else f"wrong, it is {a * b}" if cell.share == 0 else "not always right"
    text = f"{a} × {b}: answered {', '.join(given)}, {mark}{of}{times}"
    shown = str(a * b) if cell.share == 1 else given[0] if cell.share == 0 and given[0] != "no answer" else "–"
    return {"level": level, "shown": shown if len(shown) < 5 else f"{shown[:3]}…", "text": text, "a": a, "b": b}


def _pictures(run: Run, report: Json, colour: Mapping[str, int]) -> Any:
    """(title, what it says, SVG, names in its key) for each picture that the run has data for."""
    curves = observations.loss_curves(run)
    if curves:
        yield (
            "Learning curves",
            "Training loss by step.",
            charts.lines(curves, colour, "step", "Training loss by step"),
            list(curves),
        )
    for task in observations.plain_tasks(run):
        found = observations.lengths(run, task)
        if found:
            edges, shares = observations.histogram(found)
            picture = charts.steps(edges, shares, colour, "response tokens", f"Response length on {task}")
            yield (
                f"Response length, {task}",
                "Share of responses by length; the last bin takes all longer ones.",
                picture,
                list(found),
            )
    use = {
        task: {name: row["share"] for name, row in f.items()} for task in run.tasks if (f := observations.token_use(run, task))
    }
    if use and any(share for row in use.values() for share in row.values()):
        names = list(dict.fromkeys(name for row in use.values() for name in row))
        yield (
            "Use of fact tokens",
            "Share of responses with a fact token.",
            charts.bars(use, colour, "Use of fact tokens"),
            names,
        )
    if report["exposures"]:
        yield (
            "Exposures and accuracy",
            "The table's accuracy by how often training stated the fact.",
            _exposures(report, colour),
            list(report["exposures"]),
        )
    injected = {name: row for name, row in report["injection"].items() if row["with_token"]}
    if injected:
        yield "Injected facts", "Training rows by number of fact tokens.", _injected(injected, colour), list(injected)


def _exposures(report: Json, colour: Mapping[str, int]) -> str:
    names = list(dict.fromkeys(row["exposures"] for rows in report["exposures"].values() for row in rows))
    names.sort(key=lambda name: int(name.replace(",", "").replace("+", "").partition("–")[0]))
    series = {
        condition: [(names.index(row["exposures"]), row["value"], row["low"], row["high"]) for row in rows]
        for condition, rows in report["exposures"].items()
    }
    return charts.dots(names, series, colour, "times stated in training", "Accuracy on the multiplication table by exposures")


def _injected(injected: Mapping[str, Json], colour: Mapping[str, int]) -> str:
    most = max(int(k) for row in injected.values() for k in row["distribution"])
    top = min(most, 24)
    shares: dict[str, list[float]] = {}
    for name, row in injected.items():
        heights = [0.0] * (top + 1)
        for k, n in row["distribution"].items():
            heights[min(int(k), top)] += n / row["rows"]
        shares[name] = heights
    return charts.steps(
        [k - 0.5 for k in range(top + 2)], shares, colour, "fact tokens in a row", "Training rows by number of fact tokens"
    )


def _flip_counts(report: Json) -> list[Json]:
    """One table a pair: kinds down, what the treatment gained and lost, all tasks together."""
    tables: dict[tuple[str, str], dict[str, list[int]]] = {}
    for row in report["flips"]:
        counts = tables.setdefault((row["baseline"], row["treatment"]), {kind: [0, 0] for kind in flips.KINDS})
        counts[row["kind"]][0] += row["gained"]
        counts[row["kind"]][1] += row["lost"]
    return [
        {
            "baseline": a,
            "treatment": b,
            "kinds": counts,
            "gained": sum(c[0] for c in counts.values()),
            "lost": sum(c[1] for c in counts.values()),
        }
        for (a, b), counts in tables.items()
    ]


def _examples(run: Run, report: Json) -> list[Json]:
    """Ten questions of the primary task, evenly spread over it, with the answer of every condition."""
    task = report["primary_task"]
    members = run.members(task or "") or ((task,) if task else ())
    labels = [run.repeats(name)[0] for name in run.conditions if run.repeats(name)]
    by_key: dict[tuple[str, int], Json] = {}
    for label in labels:
        for member in members:
            found = run.evaluations[label].tasks.get(member)
            for sample in found.samples if found else ():
                entry = by_key.setdefault(
                    (member, sample.doc_id), {"question": sample.question, "target": short_target(sample), "answers": []}
                )
                kind = "" if sample.right else flips.what_went_wrong(sample)
                entry["answers"].append(
                    {"label": label, "right": sample.right, "kind": kind, "response": shorten(sample.response)}
                )
    keys = sorted(by_key)
    picked = spread(keys, SHOWN_SAMPLES)
    return [by_key[key] for key in picked]


def spread(keys: Sequence[Any], count: int) -> list[Any]:
    """`count` entries at even distances, the first among them; all where there are fewer."""
    if len(keys) <= count:
        return list(keys)
    return [keys[i * len(keys) // count] for i in range(count)]


# ---------------------------------------------------------------------------------------------- data, cost, provenance


def _stages(run: Run) -> list[Json]:
    rows = []
    for name, stage in (run.manifest.get("stages") or {}).items():
        rejected = stage.get("rejected") or {}
        rows.append({"name": name, "rows_in": stage.get("rows_in"), "rows_out": stage.get("rows_out"), "rejected": sum(rejected.values()),
                     "seconds": stage.get("seconds"), "fingerprint": str(stage.get("fingerprint") or "")})  # fmt: skip
    return rows


def _reasons(run: Run) -> list[Json]:
    rows = [
        {"stage": name, "reason": reason, "rows": count, "share": count / max(stage.get("rows_in") or 0, 1)}
        for name, stage in (run.manifest.get("stages") or {}).items()
        for reason, count in (stage.get("rejected") or {}).items()
    ]
    return sorted(rows, key=lambda row: -row["rows"])


COST_WORDS = ("usd", "dollar", "cost", "token", "request", "price", "budget")


def _cost(run: Run) -> list[Json]:
    """Time and, for paid work, requests, tokens and dollars."""
    stages = run.manifest.get("stages") or {}
    rows = (
        [{"name": "time, all stages", "value": duration(sum(stage.get("seconds") or 0 for stage in stages.values()))}]
        if stages
        else []
    )
    for name, stage in stages.items():
        for key, value in (stage.get("extra") or {}).items():
            if isinstance(value, int | float) and any(word in key.lower() for word in COST_WORDS):
                shown = f"${value:,.2f}" if "usd" in key.lower() or "dollar" in key.lower() else f"{value:,}"
                rows.append({"name": f"{name}: {key.replace('_', ' ')}", "value": shown})
    return rows


def duration(seconds: float) -> str:
    """`3 h 05 min`, `4 min 10 s`, `12 s`."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _provenance(run: Run) -> list[Json]:
    manifest = run.manifest
    rows = [("recipe", run.name), ("seed", manifest.get("seed", run.recipe.get("seed"))), ("git commit", manifest.get("git_commit")),
            ("tinygsm-kit", manifest.get("kit"))]  # fmt: skip
    rows += sorted((manifest.get("versions") or {}).items())
    for label in run.labels:
        evaluation = run.evaluations[label]
        rows += [(f"{key.replace('_', ' ')}, {label}", value) for key, value in evaluation.versions.items()]
    tasks = {task: found.version for e in run.evaluations.values() for task, found in e.tasks.items() if found.version}
    rows += [(f"task {task}", f"version {version}") for task, version in tasks.items()]
    return [{"name": name, "value": str(value)} for name, value in rows if value is not None]
