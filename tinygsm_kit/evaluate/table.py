"""Results as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COLUMNS = {
    "exact_match": "exact match",
    "exact_match_flexible": "flexible",
    "response_tokens": "tokens",
    "stopped": "stopped",
    "fact_tokens": "fact tokens",
}
"""What every task of the kit has, and its heading. Whatever else was measured is in results.json."""

_SHARES = ("exact_match", "exact_match_flexible", "stopped")


def table(results: Mapping[str, Any]) -> str:
    """lm-eval's results, a line a task, members indented below their group. A task of others shows what it has."""
    members = {name for children in (results.get("group_subtasks") or {}).values() for name in children}
    rows = [("task", "n", *COLUMNS.values())]
    for name, children in _ordered(results, members):
        rows.append(_row(name, name, results["results"]))
        rows += [_row(f"  {child}", child, results["results"]) for child in children if child in results["results"]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
    return "\n".join([lines[0], "─" * max(map(len, lines)), *lines[1:], *_others(results)])


def _ordered(results: Mapping[str, Any], members: set[str]) -> list[tuple[str, list[str]]]:
    groups = results.get("group_subtasks") or {}
    return [(name, list(groups.get(name) or ())) for name in results["results"] if name not in members]


def _row(label: str, name: str, results: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    values = results[name]
    return (label, str(values.get("sample_len", "")), *(_shown(metric, values.get(f"{metric},none")) for metric in COLUMNS))


def _shown(metric: str, value: object) -> str:
    if not isinstance(value, int | float):
        return "–"
    return f"{value:.1%}" if metric in _SHARES else f"{value:.2f}"


def _others(results: Mapping[str, Any]) -> list[str]:
    """A line for each task that has none of the kit's columns."""
    lines = []
    for name, values in results["results"].items():
        found = {key.partition(",")[0] for key in values}
        if not found & set(COLUMNS):
            numbers = {key: value for key, value in values.items() if "," in key and "_stderr" not in key}
            lines.append(f"{name}: " + ", ".join(f"{key} {value:.4g}" for key, value in numbers.items()))
    return lines
