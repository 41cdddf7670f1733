"""Comparisons in words: what is evidence, what is not, and what this run could have seen."""

from __future__ import annotations

from typing import Any

from tinygsm_kit.report.results import ALPHA
from tinygsm_kit.report.rundir import PRIMARY_METRIC

Json = dict[str, Any]

MINUS = "−"


def points(share: float | None, signed: bool = False, digits: int = 1) -> str:
    """A share as percentage points: 0.006 is `0.6`, signed `+0.6`, with a real minus; `n/a` where there is none."""
    return "n/a" if share is None else number(share * 100, digits, signed)


def number(value: float | None, digits: int = 1, signed: bool = False) -> str:
    """A number with thousands separators and a real minus sign; a negative zero is a zero."""
    if value is None:
        return "n/a"
    text = f"{abs(value):,.{digits}f}"
    if not text.strip("0.,"):
        return text
    return f"{MINUS if value < 0 else '+' if signed else ''}{text}"


def p_text(p_value: float) -> str:
    """`p = 0.51`, or `p < 0.001`."""
    if p_value < 0.001:
        return "p < 0.001"
    return f"p = {p_value:.3f}" if p_value < 0.1 else f"p = {p_value:.2f}"


def outcome(row: Json) -> str:
    """`better`, `worse`, `unsure` (significant alone, not over the family), or `none`. For a mean: `more`, `fewer`."""
    if row["p_holm"] <= ALPHA:
        up, down = ("better", "worse") if row["kind"] == "share" else ("more", "fewer")
        return up if row["difference"] > 0 else down
    return "unsure" if row["p_value"] <= ALPHA else "none"


def short(row: Json) -> str:
    """One comparison in a few words, for a table's cell."""
    return {
        "better": "better", "worse": "worse", "more": "more", "fewer": "fewer",
        "unsure": "not beyond chance among all comparisons", "none": "no evidence of a difference",
    }[outcome(row)]  # fmt: skip


def sentence(row: Json) -> str:
    """The verdict in a sentence, with its uncertainty and with what this evaluation could have seen."""
    size = f"{points(row['difference'], signed=True)} points, 95 % interval {points(row['low'])} to {points(row['high'])}"
    seen = row["minimum_detectable"]
    could = "this run could not have seen any difference" if seen is None else f"this run could have seen {points(seen)}"
    treatment, baseline, task = row["treatment"], row["baseline"], row["task"]
    verdict = outcome(row)
    if verdict in ("better", "worse"):
        return f"{treatment} is {verdict} than {baseline} on {task}: {size} ({p_text(row['p_holm'])})."
    if verdict == "unsure":
        return (
            f"Not yet evidence: {treatment} against {baseline} on {task} is {size} ({p_text(row['p_value'])} alone, "
            f"{p_text(row['p_holm'])} among {row['family_size']} comparisons); {could}."
        )
    return f"No evidence of a difference between {treatment} and {baseline} on {task}: {size}; {could}."


def effort(row: Json) -> str:
    """How many questions or seeds it would take to see a difference of the size found; empty where that is no question."""
    if outcome(row) not in ("none", "unsure") or not row["difference"]:
        return ""
    size = f"A true difference of {points(abs(row['difference']))} points would take about"
    items, seeds = row.get("items_needed"), row.get("seeds_needed")
    if items:
        return f"{size} {round_count(items):,} questions to be found with 80 % probability; this run asked {row['n']:,}."
    if seeds:
        return f"{size} {seeds} training seeds to be found with 80 % probability; this run has {row['seeds']}."
    if items is None and "items_needed" in row:
        return f"{size} more than 20 million questions to be found."
    return f"{size} more than 100 training seeds to be found; more questions are needed."


def round_count(count: float) -> int:
    """Two significant digits: an estimate is no better."""
    return int(float(f"{count:.2g}"))


def headline(results: Json) -> Json:
    """The verdict at the top of the report: one sentence, one more on what it would take, and one on what it rests on."""
    task = results["primary_task"]
    rows = [row for row in results["comparisons"] if row["metric"] == PRIMARY_METRIC and row["task"] == task]
    if not rows:
        return {"outcome": "alone", "sentence": _alone(results, task), "effort": "", "caveat": ""}
    row = rows[0]
    return {"outcome": outcome(row), "sentence": sentence(row), "effort": effort(row), "caveat": caveat(row)}


def caveat(row: Json) -> str:
    """What the interval does and does not cover."""
    if row["seeds"] == 1:
        return "One training seed a condition: the interval covers the choice of questions, not the luck of training."
    if row["seeds"] == 2:
        return "Two training seeds: their spread is barely known, and the interval may be too narrow; three or more are better."
    return (
        f"{row['seeds']} training seeds a condition: the interval covers both the choice of questions and the luck of training."
    )


def _alone(results: Json, task: str | None) -> str:
    if task is None:
        return "Nothing has been evaluated yet."
    cells = [
        f"{name} answers {points(cell['value'])} % of {task} (95 % interval {points(cell['low'])} to {points(cell['high'])})"
        for name, condition in results["conditions"].items()
        if (cell := condition["tasks"].get(task, {}).get(PRIMARY_METRIC))
    ]
    return f"{'; '.join(cells) or f'No condition has {PRIMARY_METRIC} on {task}'}. There is no pair of conditions to compare."
