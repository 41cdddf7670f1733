"""report.md: the verdict and its tables, for a commit or a message; and their gist, for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinygsm_kit.report import ladder, stages
from tinygsm_kit.report.rundir import PRIMARY_METRIC, is_count
from tinygsm_kit.report.verdict import number, p_text, points, short

Json = dict[str, Any]
VERDICT_WORDS = {"met": "met", "missed": "missed", "open": "cannot tell"}


def render_markdown(report: Json) -> str:
    """The report as GitHub-flavoured Markdown."""
    blocks = _opening(report) + _scores(report) + _stages(stages.table(report)) + _ladder(report, ladder.table(report))
    return "\n\n".join(blocks + _comparisons(report) + _injection(report)) + "\n"


def render_summary(report: Json) -> str:
    """What one wants to see first, in the same form: verdict, targets, exact match, and what the ladder says."""
    blocks = _opening(report) + _scores(report, PRIMARY_METRIC) + _rows_to_goals(report) + _comparisons(report, PRIMARY_METRIC)
    return "\n\n".join(blocks) + "\n"


def _opening(report: Json) -> list[str]:
    blocks = [f"# {escape(report['name'])}", f"**{escape(report['headline']['sentence'])}**"]
    blocks += [escape(report["headline"][key]) for key in ("effort", "caveat") if report["headline"][key]]
    if report["differs"]:
        blocks.insert(
            1, f"> **The conditions differ in more than the declared factor:** {escape(', '.join(report['differs']))}"
        )
    return blocks + _targets(report)


def escape(text: str) -> str:
    """Text that Markdown takes as it is: no table breaks, no tags, no emphasis from names."""
    for mark in "\\|<>*`":
        text = text.replace(mark, f"\\{mark}" if mark not in "<>" else {"<": "&lt;", ">": "&gt;"}[mark])
    return text.replace("\n", " ")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: int = 1) -> str:
    """A Markdown table; columns from `right` on are aligned to the right."""
    rule = ["---" if index < right else "---:" for index in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])


def metric_value(value: float | None, share: bool) -> str:
    """A share in percent, anything else with two decimals."""
    if value is None:
        return "n/a"
    return f"{points(value)} %" if share else number(value, 2)


def plain_value(value: float | None, share: bool, signed: bool = False) -> str:
    """A share as percentage points, anything else with two decimals; neither with a unit."""
    return points(value, signed) if share else number(value, 2, signed)


def is_share(metric: str) -> bool:
    """Whether a metric is printed in percent."""
    return not is_count(metric)


def _targets(report: Json) -> list[str]:
    if not report["targets"]:
        return []
    rows = [
        [
            escape(t["task"]),
            escape(t["name"]),
            points(t["goal"]),
            points(t["value"]),
            _interval(t, True),
            VERDICT_WORDS[t["verdict"]],
        ]
        for t in report["targets"]
    ]
    head = ["task", "target on", "goal, %", "found, %", "95 % interval", "verdict"]
    note = "*Met* means that the whole interval reaches the goal, *missed* that none of it does."
    return ["## Targets", table(head, rows, 2), note]


def _interval(row: Json, share: bool) -> str:
    if row["low"] is None or row["high"] is None:
        return "n/a"
    low, high = (plain_value(row[end], share) for end in ("low", "high"))
    return f"{low} to {high}"


def _scores(report: Json, only: str | None = None) -> list[str]:
    rows = []
    for name, condition in report["conditions"].items():
        for task, metrics in condition["tasks"].items():
            for metric, cell in metrics.items():
                if only not in (None, metric):
                    continue
                share = is_share(metric)
                shown = [metric_value(cell["value"], share), _interval(cell, share), f"{cell['n']:,}"]
                rows.append((task, [escape(task), escape(metric), escape(name), *shown]))
    order = {task: index for index, task in enumerate(dict.fromkeys(task for task, _ in rows))}
    rows.sort(key=lambda row: order[row[0]])
    head = ["task", "metric", "condition", "value", "95 % interval", "n"]
    return ["## Scores", table(head, [row for _, row in rows], 3)] if rows else []


def _stages(rows: Sequence[Json]) -> list[str]:
    if not rows:
        return []
    lines = _by_condition(rows, "after stage", lambda row: f"{row['number']} {escape(row['stage'])}", _accuracy, left=2)
    return ["## After each stage of training", lines, "Exact match in percent, with its 95 % interval."]


def _ladder(report: Json, rows: Sequence[Json]) -> list[str]:
    if not rows:
        return []

    def accuracies(found: Sequence[Json] | None) -> str:
        return ", ".join(_accuracy(point) for point in found or ())

    lines = _by_condition(rows, "rows", lambda row: f"{row['rows']:,}", accuracies, left=1)
    note = f"Exact match in percent, with its 95 % interval. {ladder.NOTE}"
    return ["## More rows", *_rows_to_goals(report), lines, note]


def _rows_to_goals(report: Json) -> list[str]:
    said = "\n".join(f"- {escape(sentence)}" for sentence in ladder.sentences(report))
    return [said] if said else []


def _by_condition(
    rows: Sequence[Json], second: str, place: Callable[[Json], str], shown: Callable[[Any], str], left: int
) -> str:
    """A table of rows with `cells` by condition: task, the column `second`, and a column for each condition."""
    conditions = list(dict.fromkeys(name for row in rows for name in row["cells"]))
    lines = [[escape(row["task"]), place(row), *(shown(row["cells"].get(name)) for name in conditions)] for row in rows]
    return table(["task", second, *map(escape, conditions)], lines, left)


def _accuracy(cell: Json | None) -> str:
    return "" if cell is None else f"{points(cell['value'])} ({_interval(cell, True)})"


def _comparisons(report: Json, only: str | None = None) -> list[str]:
    chosen = [row for row in report["comparisons"] if only in (None, row["metric"])]
    if not chosen:
        return []
    rows = []
    for row in chosen:
        share = row["kind"] == "share"
        seen = row["minimum_detectable"]
        rows.append([
            escape(row["task"]), escape(row["metric"]), f"{escape(row['treatment'])} − {escape(row['baseline'])}",
            plain_value(row["difference"], share, signed=True), _interval(row, share),
            p_text(row["p_value"]), p_text(row["p_holm"]),
            plain_value(seen, share), f"{row['n']:,}", short(row),
        ])  # fmt: skip
    head = ["task", "metric", "pair", "difference", "95 % interval", "p", "p, Holm", "could have seen", "n", "verdict"]
    note = (
        f"Differences of shares are in percentage points. Holm's correction covers all tasks of `{PRIMARY_METRIC}` and, "
        "apart from them, all other metrics. *Could have seen* is the smallest true difference found with 80 % probability."
    )
    return ["## Comparisons", table(head, rows, 3), note]


def _injection(report: Json) -> list[str]:
    rows = [
        [escape(name), f"{row['rows']:,}", f"{points(row['share'])} %", number(row["mean_when_present"], 2)]
        for name, row in report["injection"].items()
    ]
    return ["## Injected facts", table(["condition", "rows", "with a token", "tokens where present"], rows)] if rows else []
