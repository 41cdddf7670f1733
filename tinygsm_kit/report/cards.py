"""Model and data set cards in Hugging Face format: a README.md that says what a thing is, from the run that made it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tinygsm_kit.report import observations
from tinygsm_kit.report.markdown import escape, is_share, plain_value, table
from tinygsm_kit.report.provenance import provenance, rejections, stages
from tinygsm_kit.report.results import build_results
from tinygsm_kit.report.rundir import PRIMARY_METRIC, ReportError, Run
from tinygsm_kit.report.verdict import number, points, sentence

Json = dict[str, Any]
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))
TASK_SOURCES = {"gsm8k": ("GSM8K", "openai/gsm8k")}
PROMPT = "User: {question}\nAssistant:"
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
"""A base model that stands on the hub; a path of this machine would be no name to anybody else."""


def model_card(run: Run, condition: str, results: Json | None = None) -> str:
    """README.md of a trained model: what it is, how it was trained, what it scores.

    `results` are `build_results(run)`, where they are there already. Raises ReportError for an unknown condition.
    """
    if condition not in run.conditions:
        raise ReportError(f"expected one of the conditions {', '.join(run.conditions)}, found {condition!r}")
    results = results or build_results(run)
    base = _base_model(run, condition)
    front: Json = {
        "language": ["en"],
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["math", "tinygsm-kit"],
    }
    if base and HUB_ID.fullmatch(base):
        front["base_model"] = base
    index = _model_index(run, results, condition)
    if index:
        front["model-index"] = [{"name": f"{run.name}-{condition}", "results": index}]
    blocks = [f"# {escape(run.name)}: {escape(condition)}", _model_summary(run, condition, base)]
    blocks += [
        "## How to ask it",
        f"```\n{run.recipe.get('prompt') or PROMPT}\n```",
        "It answers step by step and ends with `#### ANSWER`.",
    ]
    blocks += _scores(results, condition) + _verdicts(results, condition) + _training(run, condition)
    return _front_matter(front) + "\n\n".join([*blocks, *_provenance(run)]) + "\n"


def dataset_card(run: Run) -> str:
    """README.md of a run's training data: where the rows come from, what became of them, and the columns of each condition."""
    injected = observations.injections(run)
    rows = max((found.rows for found in injected.values()), default=0)
    front: Json = {
        "language": ["en"], "task_categories": ["text-generation"], "tags": ["math", "chain-of-thought", "tinygsm-kit"],
        "size_categories": [next((name for most, name in SIZES if rows < most), "n>10M")],
        "configs": [{"config_name": name, "data_files": f"{name}/data/*.parquet"} for name in injected],
    }  # fmt: skip
    source = run.recipe.get("source") or {}
    origin = source.get("dataset") if isinstance(source, Mapping) else None
    if origin:
        front["source_datasets"] = [origin]
    names = ", ".join(f"`{escape(name)}`" for name in injected) or "none yet"
    same = len({found.rows for found in injected.values()}) == 1 and len(injected) > 1
    alike = "; they hold the same problems in the same order" if same else ""
    text = (
        f"Grade-school maths word problems with worked solutions in natural language, made from programs. {rows:,} rows in "
        f"each of the configurations {names}{alike}. Every equation in a solution was "
        "checked in exact arithmetic, and every answer is the one that its program computes."
    )
    blocks = [f"# {escape(run.name)}: training data", text, "## Columns", _columns(), *_flow(run), *_facts(injected)]
    return _front_matter(front) + "\n\n".join([*blocks, *_provenance(run)]) + "\n"


def _front_matter(data: Json) -> str:
    import yaml

    return f"---\n{yaml.safe_dump(data, sort_keys=False, allow_unicode=True)}---\n\n"


def _base_model(run: Run, condition: str) -> str | None:
    """The hub id or path the condition starts from; None for a model from scratch."""
    arm = (run.recipe.get("conditions") or {}).get(condition) or {}
    model = arm.get("model") or run.recipe.get("model")
    return model if isinstance(model, str) else None


def _model_summary(run: Run, condition: str, base: str | None) -> str:
    arm = (run.recipe.get("conditions") or {}).get(condition) or {}
    injectors = [each.get("use") if isinstance(each, Mapping) else each for each in arm.get("inject") or []]
    variant = f"with {', '.join(f'`{name}`' for name in injectors)} in its training text" if injectors else "on plain text"
    start = f"fine-tuned from `{escape(base)}`" if base else "trained from scratch"
    others = [name for name in run.conditions if name != condition]
    against = f" Its counterparts, trained alike, are {', '.join(f'`{escape(name)}`' for name in others)}." if others else ""
    return f"A small model for grade-school maths, {start}, {variant}.{against}"


def _model_index(run: Run, results: Json, condition: str) -> list[Json]:
    """lm-eval's numbers in the form that the hub shows beside a model."""
    tasks = (results["conditions"].get(condition) or {"tasks": {}})["tasks"]
    rows = []
    for task, metrics in tasks.items():
        if PRIMARY_METRIC not in metrics or run.members(task):
            continue
        name, kind = next((found for key, found in TASK_SOURCES.items() if task.startswith(key)), (task, task))
        metric = {"type": PRIMARY_METRIC, "name": "exact match", "value": metrics[PRIMARY_METRIC]["value"]}
        rows.append({"task": {"type": "text-generation"}, "dataset": {"name": name, "type": kind}, "metrics": [metric]})
    return rows


def _scores(results: Json, condition: str) -> list[str]:
    rows = []
    for task, metrics in (results["conditions"].get(condition) or {"tasks": {}})["tasks"].items():
        for metric, cell in metrics.items():
            share = is_share(metric)
            known = cell["low"] is not None
            interval = f"{plain_value(cell['low'], share)} to {plain_value(cell['high'], share)}" if known else "n/a"
            shown = f"{plain_value(cell['value'], share)}{' %' if share else ''}"
            rows.append([escape(task), f"`{metric}`", shown, interval, f"{cell['n']:,}"])
    head = ["task", "metric", "value", "95 % interval", "n"]
    return (
        ["## Evaluation", table(head, rows, 2), "Measured by lm-eval; intervals over the choice of questions."] if rows else []
    )


def _verdicts(results: Json, condition: str) -> list[str]:
    about = [
        row
        for row in results["comparisons"]
        if row["metric"] == PRIMARY_METRIC and row["kind"] == "share" and condition in (row["baseline"], row["treatment"])
    ]
    return ["## Against its counterparts", "\n".join(f"- {escape(sentence(row))}" for row in about)] if about else []


def _training(run: Run, condition: str) -> list[str]:
    arm = (run.recipe.get("conditions") or {}).get(condition) or {}
    stages_of_training = arm.get("train") or run.recipe.get("train") or []
    listed = [stages_of_training] if isinstance(stages_of_training, Mapping) else list(stages_of_training)
    rows = [
        [str(order), escape(str(key)), f"`{escape(str(value))}`"]
        for order, stage in enumerate(listed, 1)
        for key, value in stage.items()
        if value is not None
    ]
    log = run.logs.get(condition) or []
    losses = [row["loss"] for row in log if isinstance(row.get("loss"), int | float)]
    end = [f"Training loss at the end: {number(losses[-1], 3)}."] if losses else []
    return ["## Training", table(["stage", "setting", "value"], rows, 3), *end] if rows else end


def _columns() -> str:
    return table(["column", "what it holds"], [
        ["`problem_id`", "first 16 hex digits of SHA-256 over question and program"],
        ["`question`", "the word problem"],
        ["`text`", "the worked solution, ending in `#### ANSWER`"],
        ["`tokens`", "number of fact tokens in the text"],
    ], 2)  # fmt: skip


def _flow(run: Run) -> list[str]:
    published = {"sample", "convert", *(f"inject/{name}" for name in run.conditions)}
    data = [row for row in stages(run) if row["name"] in published]
    if not data:
        return []
    rows = [[escape(row["name"]), *(f"{row[key] or 0:,}" for key in ("rows_in", "rows_out", "rejected"))] for row in data]
    reasons = [[escape(row["stage"]), f"`{escape(row['reason'])}`", f"{row['rows']:,}"] for row in rejections(run)]
    blocks = ["## How the rows came to be", table(["stage", "rows in", "rows out", "rejected"], rows)]
    return [*blocks, "Rejected rows by reason:", table(["stage", "reason", "rows"], reasons, 2)] if reasons else blocks


def _facts(injected: Mapping[str, observations.Injection]) -> list[str]:
    rows = [
        [escape(name), f"{found.rows:,}", f"{points(found.share)} %", number(found.mean_when_present, 2)]
        for name, found in injected.items()
    ]
    return ["## Fact tokens", table(["configuration", "rows", "with a token", "tokens where present"], rows)] if rows else []


def _provenance(run: Run) -> list[str]:
    rows = [[escape(row["name"]), f"`{escape(row['value'])}`"] for row in provenance(run)]
    return ["## Provenance", table(["what", "value"], rows, 2)] if rows else []
