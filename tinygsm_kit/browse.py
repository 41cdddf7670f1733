"""Look at the rows of a run, on the terminal."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from tinygsm_kit.errors import KitError
from tinygsm_kit.parts import part_paths, read_rows
from tinygsm_kit.records import PROMPT

Row = dict[str, Any]


def show_rows(run: Path, *, stage: str, rejected: bool, condition: str | None, ids: Sequence[str], count: int) -> None:
    """Print rows with all that the stages up to `stage` made of them, or the rejected ones with their reason."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    found = _rejections(run, stage) if rejected else _rows(run, stage, condition)
    shown = 0
    for row in found:
        if ids and not any(str(row["id"]).startswith(wanted) for wanted in ids):
            continue
        _print(console, row)
        shown += 1
        if shown == count:
            break
    if not shown:
        what = f"with id {', '.join(ids)}" if ids else ("rejected" if rejected else "")
        raise KitError(f"{run}: no rows {what} at stage {stage}: expected part files in {run / stage}")


def _rows(run: Path, stage: str, condition: str | None) -> Iterator[Row]:
    """Each sampled problem with its solution and its injected text, part for part."""
    for path in part_paths(run / "sample"):
        solutions = _by_id(run / "convert" / path.name) if stage != "sample" else {}
        texts = _by_id(run / "inject" / _condition(run, condition) / path.name) if stage == "inject" else {}
        for problem in read_rows(path):
            row: Row = {
                "id": problem["id"],
                "question": problem["question"],
                "program": problem["program"],
                "answer": problem["answer"],
            }
            if stage != "sample":
                solution = solutions.get(problem["id"])
                if solution is None:
                    continue
                row[f"solution by {solution['converter']}"] = "\n".join(solution["steps"])
            if stage == "inject" and problem["id"] in texts:
                row[f"text for {_condition(run, condition)}"] = texts[problem["id"]]["text"]
            yield row


def _rejections(run: Path, stage: str) -> Iterator[Row]:
    for path in part_paths(run / stage, "rejected"):
        # What was rejected before the draw has no part of its own: its rows hold all that there is.
        problems = _by_id(run / "sample" / path.name.replace("rejected", "part", 1), "id") if stage != "sample" else {}
        for rejection in read_rows(path):
            problem = problems.get(rejection["problem_id"], {})
            yield {
                "id": rejection["problem_id"],
                "rejected": f"{rejection['reason']} ({rejection['stage']}): {rejection['detail']}",
                **{key: problem[key] for key in ("question", "program") if key in problem},
                **({"row": rejection["row"]} if rejection["row"] else {}),
            }


def _by_id(path: Path, key: str = "problem_id") -> dict[str, Row]:
    return {row[key]: row for row in read_rows(path)} if path.is_file() else {}


def _condition(run: Path, condition: str | None) -> str:
    there = sorted(path.name for path in (run / "inject").glob("*") if path.is_dir())
    if condition is None and there:
        return there[-1]
    if condition not in there:
        raise KitError(f"{run}: expected a condition that has rows, one of {', '.join(there) or 'none'}; found {condition!r}")
    return condition


def _print(console: Any, row: Row) -> None:
    from rich.rule import Rule
    from rich.text import Text

    console.print(Rule(str(row["id"]), align="left"))
    for key, value in row.items():
        if key != "id":
            console.print(Text(key, style="bold cyan"))
            console.print(Text(str(value)))
    console.print()


ROLE_STYLES = {"prompt": "dim", "supervised": "bold green", "masked": "red"}


def show_labels(run: Path, *, condition: str | None, ids: Sequence[str], count: int) -> None:
    """Print rows token by token, through the collator that training uses: prompt dim, supervised green, masked red."""
    from rich.console import Console
    from rich.text import Text

    from tinygsm_kit.train.labels import render_labels

    name = _condition(run, condition)
    recipe = yaml.safe_load((run / "recipe.yaml").read_text(encoding="utf-8"))
    rows = (
        row
        for row in read_rows(part_paths(run / "inject" / name))
        if not ids or any(row["problem_id"].startswith(wanted) for wanted in ids)
    )
    chosen = list(itertools.islice(rows, count))
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text.assemble(*((f"{role}  ", style) for role, style in ROLE_STYLES.items())))
    for row, tokens in zip(chosen, render_labels(run / "models" / name, chosen, recipe.get("prompt", PROMPT)), strict=True):
        _print(console, {"id": row["problem_id"]})
        text = Text()
        for token, role in tokens:
            text.append(token.replace("\n", "⏎\n") + "·", style=ROLE_STYLES[role])
        console.print(text)
