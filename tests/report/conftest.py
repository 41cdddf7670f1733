"""Run directories as the other stages leave them: real shapes, made-up contents, seeded."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tinygsm_kit import parts

Json = dict[str, Any]
NAMES = ["Sarah", "Tom", "Mia", "Omar", "Li Wei", "Anna", "Jorge", "Priya", "Ben", "Noor"]
THINGS = ["apples", "pencils", "tickets", "marbles", "cookies", "stamps", "buttons", "bricks"]
KINDS = ["arithmetic", "plan", "format", "truncated", "repetition"]
METRICS = ["exact_match", "exact_match_flexible", "response_tokens", "stopped", "fact_tokens"]
PROMPT = "User: {question}\nAssistant:"


def problem(rng: random.Random) -> Json:
    """A two-step word problem with its working as text."""
    name, thing = rng.choice(NAMES), rng.choice(THINGS)
    boxes, each, given = rng.randint(2, 9), rng.randint(2, 9), rng.randint(1, 3)
    total, left = boxes * each, boxes * each - given
    return {
        "question": f"{name} buys {boxes} boxes with {each} {thing} in each box and gives {given} away. "
        f"How many {thing} does {name} have left?",
        "operands": (boxes, each, given),
        "thing": thing,
        "answer": str(left),
        "text": f"Total {thing}: {boxes} × {each} = {total}.\n{thing.capitalize()} left: {total} - {given} = {left}.\n"
        f"#### {left}",
    }


def with_tokens(text: str, boxes: int, each: int) -> str:
    """The first product as a fact token."""
    low, high = sorted((boxes, each))
    return text.replace(f"{boxes} × {each} = {boxes * each}", f"<MUL_{low}_{high}_{low * high}>", 1)


def spoil(row: Json, kind: str, rng: random.Random) -> str:
    """A wrong response of a kind."""
    boxes, each, given = row["operands"]
    total, thing = boxes * each, row["thing"]
    if kind == "arithmetic":
        return (
            f"Total {thing}: {boxes} × {each} = {total + 1}.\n{thing.capitalize()} left: {total + 1} - {given} = "
            f"{total + 1 - given}.\n#### {total + 1 - given}"
        )
    if kind == "plan":
        return f"Total {thing}: {boxes} + {each} = {boxes + each}.\n#### {boxes + each}"
    if kind == "format":
        return f"Total {thing}: {boxes} × {each} = {total}.\nSo the answer is {total - given}."
    if kind == "truncated":
        return f"Total {thing}: {boxes} × {each} = {total}.\n{thing.capitalize()} left: {total} -"
    return f"Total {thing}: {boxes} × {each} = {total}.\n" + f"Then {total} + 0 = {total}.\n" * rng.randint(6, 12)


def sample(doc_id: int, doc: Json, target: str, response: str, right: bool, flexible: bool, stopped: bool) -> Json:
    """One line of lm-eval's samples file."""
    tokens = response.count("<MUL_")
    return {
        "doc_id": doc_id, "doc": doc, "target": target,
        "arguments": {"gen_args_0": {"arg_0": PROMPT.format(question=doc["question"]), "arg_1": {"until": []}}},
        "resps": [[response]], "filtered_resps": [response], "filter": "none", "metrics": METRICS,
        "doc_hash": "0" * 64, "prompt_hash": "1" * 64, "target_hash": "2" * 64,
        "exact_match": float(right), "exact_match_flexible": float(flexible),
        "response_tokens": len(response.split()) + 3 * tokens, "stopped": float(stopped), "fact_tokens": tokens,
    }  # fmt: skip


def word_problems(n: int, rate: float, treated: bool, skill: Sequence[float], seed: int) -> list[Json]:
    """`n` samples of gsm8k_tgsm. `skill` is each item's own ease, shared between conditions so that answers correlate."""
    source, rng = random.Random(1), random.Random(seed)
    rows = []
    for doc_id in range(n):
        row = problem(source)
        right = 0.6 * skill[doc_id] + 0.4 * rng.random() < rate
        kind = rng.choices(KINDS, [4, 4, 1, 1, 1])[0]
        response = row["text"] if right else spoil(row, kind, rng)
        if treated and rng.random() < 0.8:
            response = with_tokens(response, *row["operands"][:2])
        flexible, stopped = right or kind == "format", right or kind not in ("truncated", "repetition")
        doc = {"question": row["question"], "answer": f"{row['text']}"}
        rows.append(sample(doc_id, doc, row["answer"], response, right, flexible, stopped))
    return rows


def probes(suite: str, treated: bool, rate: float, seed: int) -> list[Json]:
    """Samples of a probe suite; mul_table asks 1–9 × 1–9 in reading order."""
    source, rng = random.Random(2), random.Random(seed)
    cells = [(a, b) for a in range(1, 10) for b in range(1, 10)]
    if suite != "mul_table":
        low = 10 if suite == "mul_multidigit" else 1
        cells = [(source.randint(low, 99), source.randint(2, 9)) for _ in range(100)]
    rows = []
    for doc_id, (a, b) in enumerate(cells):
        sign, value = ("+", a + b) if suite == "addition" else ("×", a * b)
        right = rng.random() < rate
        shown = value if right else value + rng.choice([-1, 1, 10])
        text = f"{a} {sign} {b} = {shown}.\n#### {shown}"
        if treated and right and suite == "mul_table" and a > 1 and b > 1:
            text = with_tokens(text, a, b)
        doc = {
            "question": f"What is {a} {sign} {b}?",
            "answer": str(value),
            "operands": [a, b],
            "suite": suite,
            "id": f"{suite}-{doc_id}",
        }
        rows.append(sample(doc_id, doc, str(value), text, right, right, True))
    return rows


def write_evaluation(folder: Path, tasks: dict[str, list[Json]]) -> None:
    """results.json and samples, as the driver writes them; `mul_probes` aggregated over its members by size."""
    folder.mkdir(parents=True, exist_ok=True)
    results: Json = {}
    for task, rows in tasks.items():
        means = {f"{metric},none": sum(row[metric] for row in rows) / len(rows) for metric in METRICS}
        results[task] = {"alias": task, "name": task, "sample_len": len(rows), **means, "exact_match_stderr,none": 0.01}
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"samples_{task}.jsonl").write_text(text, encoding="utf-8")
    members = [task for task in tasks if task in ("mul_table", "mul_multidigit", "addition")]
    subtasks: dict[str, list[str]] = {task: [] for task in tasks}
    groups: Json = {}
    if members:
        pooled = [row for task in members for row in tasks[task]]
        means = {f"{metric},none": sum(row[metric] for row in pooled) / len(pooled) for metric in METRICS}
        groups["mul_probes"] = {"alias": "mul_probes", "sample_len": len(pooled), **means}
        subtasks["mul_probes"] = members
    data = {
        "results": {**results, **groups}, "groups": groups, "group_subtasks": subtasks, "configs": {},
        "versions": dict.fromkeys(tasks, 1.0), "n-shot": dict.fromkeys(tasks, 0),
        "n-samples": {task: {"original": len(rows), "effective": len(rows)} for task, rows in tasks.items()},
        "higher_is_better": {}, "lm_eval_version": "0.4.13", "transformers_version": "5.23.0",
        "total_evaluation_time_seconds": "83.25", "model_name": str(folder),
    }  # fmt: skip
    (folder / "results.json").write_text(json.dumps(data), encoding="utf-8")


def write_data(run: Path, conditions: Sequence[str], rows: int) -> None:
    """The data stages' parts, two each, with rejected rows."""
    rng = random.Random(3)
    made = [problem(rng) for _ in range(rows)]
    ids = [f"{index:016x}" for index in range(rows)]
    half = rows // 2
    for index, block in enumerate((range(half), range(half, rows))):
        write = lambda stage, items, columns, prefix="part", index=index: parts.write_part(  # noqa: E731
            parts.part_path(run / stage, index, prefix), items, columns
        )
        write("sample", [{"id": ids[i], "question": made[i]["question"], "program": "pass", "answer": None, "difficulty": 2,
                          "source": "synthetic"} for i in block], parts.PROBLEM_COLUMNS)  # fmt: skip
        write("convert", [{"problem_id": ids[i], "steps": made[i]["text"].split("\n")[:-1], "answer": made[i]["answer"],
                           "converter": "trace", "version": "1"} for i in block], parts.SOLUTION_COLUMNS)  # fmt: skip
        rejected = {"problem_id": "f" * 16, "stage": "convert", "reason": "unsupported_call", "detail": "eval", "row": ""}
        write("convert", [rejected], parts.REJECTION_COLUMNS, "rejected")
        for name in conditions:
            items = []
            for i in block:
                text = made[i]["text"]
                text = with_tokens(text, *made[i]["operands"][:2]) if name != "baseline" else text
                items.append(
                    {"problem_id": ids[i], "question": made[i]["question"], "text": text, "tokens": text.count("<MUL_")}
                )
            write(f"inject/{name}", items, parts.INJECTED_COLUMNS)


def write_log(folder: Path, seed: int, steps: int = 60) -> None:
    """A training log that falls like a loss does."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {"step": step * 10, "loss": 0.25 + 2.4 / (1 + step / 4) + rng.gauss(0, 0.02),
         "learning_rate": 2e-5 * (1 - step / steps), "epoch": step / 20, "seconds": step * 2.1, "rows": step * 320}
        for step in range(1, steps + 1)
    ]  # fmt: skip
    (folder / "training_log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_recipe(run: Path, conditions: Sequence[str], **more: Any) -> None:
    """recipe.yaml as resolved."""
    recipe = {
        "name": "fixture", "seed": 42, "source": {"use": "synthetic"},
        "sample": {"size": 400, "stratify": "difficulty", "shards": 2}, "convert": {"use": "trace"},
        "conditions": {name: {"inject": [] if name == "baseline" else [{"use": "mul_tokens"}]} for name in conditions},
        "train": {"use": "sft", "num_train_epochs": 3, "learning_rate": 2e-5, "max_length": 512},
        "evaluate": {"tasks": ["gsm8k_tgsm", "mul_probes"]},
        **more,
    }  # fmt: skip
    run.mkdir(parents=True, exist_ok=True)
    (run / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")


def write_manifest(run: Path, conditions: Sequence[str], rows: int) -> None:
    """manifest.json as the pipeline leaves it."""

    def stage(rows_in: int, rows_out: int, rejected: Json, seconds: float, **extra: Any) -> Json:
        return {"fingerprint": f"{rows_in:08x}{rows_out:08x}", "rows_in": rows_in, "rows_out": rows_out, "rejected": rejected,
                "seconds": seconds, "extra": extra}  # fmt: skip

    stages = {
        "sample": stage(rows + 40, rows, {"duplicate": 30, "unparseable": 10}, 1.5),
        "convert": stage(
            rows + 2, rows, {"unsupported_call": 2}, 12.25, requests=400, input_tokens=120_000, output_tokens=80_000, usd=0.42
        ),
        **{f"inject/{name}": stage(rows, rows, {}, 0.8) for name in conditions},
        **{f"train/{name}": stage(rows, rows, {}, 126.0, parameters=700_000) for name in conditions},
        **{f"eval/{name}": stage(1600, 1600, {}, 83.25) for name in conditions},
    }
    manifest = {"kit": "0.1.0", "versions": {"torch": "2.13.0", "transformers": "5.23.0", "trl": "1.16.0", "lm_eval": "0.4.13"},
                "git_commit": "0123abcd" * 5, "seed": 42, "stages": stages}  # fmt: skip
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def make_run(
    run: Path,
    rates: dict[str, float] | None = None,
    items: int = 1_319,
    rows: int = 400,
    seeds: Sequence[int] = (),
    **recipe: Any,
) -> Path:
    """A whole run directory: `rates` is the accuracy on word problems by condition, `seeds` the repeats of each."""
    rates = rates or {"baseline": 0.30, "mul_tokens": 0.34}
    ease = random.Random(4)
    skill = [ease.random() for _ in range(items)]
    conditions = list(rates)
    write_recipe(run, conditions, **recipe)
    write_manifest(run, conditions, rows)
    write_data(run, conditions, rows)
    for order, (name, rate) in enumerate(rates.items()):
        for repeat, label in enumerate([name, *(f"{name}@{seed}" for seed in seeds)]):
            seed, treated = 100 * order + repeat, name != "baseline"
            tasks = {"gsm8k_tgsm": word_problems(items, rate, treated, skill, seed)}
            for suite, chance in (("mul_table", 0.97), ("mul_multidigit", 0.8), ("addition", 0.95)):
                tasks[suite] = probes(suite, treated, chance - 0.1 * (not treated), seed)
            write_evaluation(run / "eval" / label, tasks)
            write_log(run / "models" / label, seed)
    return run


@pytest.fixture
def build_run(tmp_path: Path) -> Callable[..., Path]:
    """Makes a run directory in the test's own folder: `build_run(items=50, rates={"baseline": 0.3})`."""
    return lambda **options: make_run(tmp_path / "run", **options)
