"""Read a run directory: recipe, manifest, training logs, and what lm-eval wrote. Nothing outside it is looked at.

Whatever a run has not got (a stage not reached, a single condition, no log) is simply empty here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinygsm_kit.errors import KitError

SEED_MARK = "@"
"""`mul_tokens@43` is a repeat of the condition `mul_tokens` with training seed 43."""


class ReportError(KitError):
    """The run directory cannot be read. The message says what was expected, what was found and what to do."""


@dataclass(slots=True)
class Sample:
    """One question and one model's response to it, as lm-eval logged them. `metrics` by name, as numbers."""

    doc_id: int
    question: str
    target: str
    response: str
    metrics: dict[str, float]
    operands: tuple[int, ...] = ()
    kind: str = ""

    @property
    def right(self) -> bool:
        """Whether the strict scorer took the answer."""
        return self.metrics.get(PRIMARY_METRIC, 0.0) >= 1.0


PRIMARY_METRIC = "exact_match"


def is_count(metric: str) -> bool:
    """Whether a metric counts tokens, of a response's text or of its facts; every other one is a share."""
    return "tokens" in metric


@dataclass(slots=True)
class TaskResult:
    """A task's aggregated metrics, to the last bit lm-eval's, and its samples in the order of `doc_id`.

    A group of tasks is a TaskResult too: it has the metrics lm-eval aggregated and no samples, but `members`.
    """

    name: str
    metrics: dict[str, float]
    samples: list[Sample] = field(default_factory=list)
    n: int = 0
    version: str = ""
    members: tuple[str, ...] = ()


@dataclass(slots=True)
class Evaluation:
    """All tasks of one label (a condition, or one of its repeats `condition@SEED`)."""

    label: str
    tasks: dict[str, TaskResult]
    versions: dict[str, str] = field(default_factory=dict)
    seconds: float | None = None
    model: str = ""

    @property
    def condition(self) -> str:
        """The condition that the label repeats."""
        return self.label.partition(SEED_MARK)[0]

    def samples(self, task: str) -> dict[tuple[str, int], Sample]:
        """Samples of a task, or of all members of a group, keyed by task and document."""
        result = self.tasks[task]
        return {
            (name, s.doc_id): s for name in result.members or (task,) if name in self.tasks for s in self.tasks[name].samples
        }


@dataclass(slots=True)
class StageOfTraining:
    """What the models answered after one stage of training: those that go on, and those that were finished by it."""

    name: str
    evaluations: dict[str, Evaluation]


@dataclass(slots=True)
class Run:
    """A run directory in memory, but for its data parts, which are streamed when they are counted."""

    path: Path
    recipe: dict[str, Any]
    manifest: dict[str, Any]
    evaluations: dict[str, Evaluation]
    logs: dict[str, list[dict[str, Any]]]
    """Rows of the training logs by label, each with the place of its `stage` of training, from 0."""
    stages: list[StageOfTraining] = field(default_factory=list)
    """Stages of training in their order; empty where every model was trained in one."""
    ladder: list[tuple[int, dict[str, Evaluation]]] = field(default_factory=list)
    """Rows and evaluations of each rung below the run, from few rows to many; empty where the recipe has no ladder."""

    @property
    def name(self) -> str:
        """The recipe's name, or the folder's."""
        return str(self.recipe.get("name") or self.path.resolve().name)

    @property
    def compare(self) -> list[dict[str, Any]]:
        """The declared comparisons, each with `baseline` and `treatment`; a single one may stand without its list."""
        declared = self.recipe.get("compare") or []
        return [declared] if isinstance(declared, dict) else list(declared)

    @property
    def conditions(self) -> list[str]:
        """Conditions in the recipe's order, then whatever else was evaluated."""
        declared = list(self.recipe.get("conditions") or {})
        others = [evaluation.condition for evaluation in self.evaluations.values()]
        return list(dict.fromkeys(declared + others))

    @property
    def labels(self) -> list[str]:
        """Labels that were evaluated, each condition's repeats after it."""
        order = {name: index for index, name in enumerate(self.conditions)}
        return sorted(self.evaluations, key=lambda label: (order[label.partition(SEED_MARK)[0]], _seed_order(label)))

    def repeats(self, condition: str) -> list[str]:
        """Labels of one condition, one for each training seed."""
        return [label for label in self.labels if label.partition(SEED_MARK)[0] == condition]

    @property
    def tasks(self) -> list[str]:
        """Tasks and groups in the recipe's order, a group before its members."""
        known = list(dict.fromkeys(name for label in self.labels for name in self.evaluations[label].tasks))
        wanted = [name for name in (self.recipe.get("evaluate") or {}).get("tasks") or [] if isinstance(name, str)]
        order: list[str] = []
        for name in [*(n for n in wanted if n in known), *known]:
            order += [name, *self.members(name)]
        return [name for name in dict.fromkeys(order) if name in known]

    def members(self, task: str) -> tuple[str, ...]:
        """Tasks of a group, in the first evaluation that has it; empty for a plain task."""
        for evaluation in self.evaluations.values():
            if task in evaluation.tasks:
                return evaluation.tasks[task].members
        return ()

    def stage(self, name: str) -> dict[str, Any]:
        """The manifest's entry of a stage (`convert`, `train/baseline`); empty where there is none."""
        return dict((self.manifest.get("stages") or {}).get(name) or {})

    def parts(self, stage: str, prefix: str = "part") -> list[Path]:
        """Parquet parts of a data stage (`sample`, `convert`, `inject/baseline`)."""
        from tinygsm_kit.parts import part_paths

        return part_paths(self.path / stage, prefix)

    def training_parts(self, condition: str) -> list[Path]:
        """Parquet parts of all rows that a condition is trained on, stage after stage; those of two stages count once."""
        stages = training_stages(self.recipe, condition)
        own = [f"stages/{name}/inject/{condition}" if own else f"inject/{condition}" for name, own in stages]
        return [part for folder in dict.fromkeys(own or [f"inject/{condition}"]) for part in self.parts(folder)]


def read_run(path: Path) -> Run:
    """Read everything but the data parts. Raises ReportError where there is no run, or a file of it is damaged."""
    if not (path / "recipe.yaml").is_file():
        raise ReportError(
            f"expected a run directory with recipe.yaml, found none in {path}: give the folder of `tinygsm-kit run`"
        )
    import yaml

    try:
        recipe = yaml.safe_load((path / "recipe.yaml").read_text("utf-8")) or {}
    except yaml.YAMLError as error:
        raise ReportError(f"{path / 'recipe.yaml'} is not YAML: {error}") from error
    manifest_path = path / "manifest.json"
    manifest = _read_json(manifest_path) if manifest_path.is_file() else {}
    evaluations = _read_evaluations(path)
    logs = {log.parent.name: _read_log(path, recipe, log) for log in sorted(path.glob("models/*/training_log.jsonl"))
            if _visible(log)}  # fmt: skip
    ladder = [(rows, _read_evaluations(path / "ladder" / f"{rows}-rows")) for rows in recipe.get("ladder") or []]
    return Run(path, recipe, manifest, evaluations, logs, _read_stages(path, recipe, evaluations), ladder)


def _read_evaluations(folder: Path, condition: str | None = None) -> dict[str, Evaluation]:
    """What lies in `folder/eval`, by label: all of it, or one condition's."""
    found = [results for results in sorted(folder.glob("eval/*/results.json")) if _visible(results)]
    return {
        results.parent.name: _read_evaluation(results)
        for results in found
        if condition in (None, results.parent.name.partition(SEED_MARK)[0])
    }


def training_stages(recipe: Mapping[str, Any], condition: str) -> list[tuple[str, bool]]:
    """The folder of each stage of a condition's training (`1-drills`), and whether it has rows of its own."""
    asked = ((recipe.get("conditions") or {}).get(condition) or {}).get("train") or recipe.get("train") or []
    stages = asked if isinstance(asked, list) else [asked]
    return [
        (f"{index}-{stage.get('name') or stage.get('use')}", bool(stage.get("data"))) for index, stage in enumerate(stages, 1)
    ]


def _read_log(path: Path, recipe: Mapping[str, Any], last: Path) -> list[dict[str, Any]]:
    """A model's log, those of the stages before it first."""
    label = last.parent.name
    *before, _ = training_stages(recipe, label.partition(SEED_MARK)[0]) or [("", False)]
    files = [*(path / "stages" / name / "models" / label / last.name for name, _ in before), last]
    return [{**row, "stage": place} for place, file in enumerate(files) if file.is_file() for row in _json_lines(file)]


def _read_stages(path: Path, recipe: Mapping[str, Any], finished: Mapping[str, Evaluation]) -> list[StageOfTraining]:
    """The evaluations after each stage, of all conditions together: some may have fewer stages, or other names for them."""
    names: dict[int, list[str]] = {}
    evaluations: dict[int, dict[str, Evaluation]] = {}
    for condition in recipe.get("conditions") or {}:
        folders = [name for name, _ in training_stages(recipe, condition)]
        for place, folder in enumerate(folders):
            names.setdefault(place, []).append(folder.partition("-")[2])
            found = finished if place == len(folders) - 1 else _read_evaluations(path / "stages" / folder, condition)
            own = {label: evaluation for label, evaluation in found.items() if evaluation.condition == condition}
            evaluations.setdefault(place, {}).update(own)
    stages = [StageOfTraining(" / ".join(dict.fromkeys(names[place])), evaluations[place]) for place in sorted(names)]
    return [stage for stage in stages if stage.evaluations] if len(stages) > 1 else []


def _visible(path: Path) -> bool:
    return not path.parent.name.startswith(".") and not path.parent.name.endswith(".work")


def _seed_order(label: str) -> tuple[int, str]:
    seed = label.partition(SEED_MARK)[2]
    return (int(seed) if seed.isdigit() else -1, seed)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ReportError(f"{path} is not JSON ({error}): run the stage that writes it again with --redo") from error
    if not isinstance(data, dict):
        raise ReportError(f"{path}: expected a JSON object, found {type(data).__name__}")
    return data


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """JSON objects, one a line. A torn last line, as a killed process leaves it, is passed over; any other is an error."""
    lines = path.read_text("utf-8").split("\n")
    last = max((i for i, line in enumerate(lines) if line.strip()), default=-1)
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            if index == last:
                return
            raise ReportError(f"{path}, line {index + 1} is not JSON: {error}") from error
        if isinstance(row, dict):
            yield row


# ------------------------------------------------------------------------------------------------------------ lm-eval


def metric_names(keys: Sequence[str]) -> dict[str, str]:
    """lm-eval's keys (`exact_match,none`) to plain names. The filter stays in the name only where it tells two keys apart."""
    keys = [key for key in keys if "," in key and not key.partition(",")[0].endswith("_stderr")]
    bare = [key.partition(",")[0] for key in keys]
    return {
        key: metric if key.endswith(",none") or bare.count(metric) == 1 else key for key, metric in zip(keys, bare, strict=True)
    }


def _read_evaluation(path: Path) -> Evaluation:
    data = _read_json(path)
    table: dict[str, dict[str, Any]] = {**(data.get("results") or {}), **(data.get("groups") or {})}
    subtasks: dict[str, list[str]] = data.get("group_subtasks") or {}
    counts: dict[str, dict[str, int]] = data.get("n-samples") or {}
    versions = {task: str(version) for task, version in (data.get("versions") or {}).items() if version is not None}
    tasks = {}
    for name, row in table.items():
        names = metric_names(list(row))
        metrics = {short: float(row[key]) for key, short in names.items() if _is_number(row[key])}
        members = tuple(_leaves(name, subtasks))
        samples = [] if members else _read_samples(path.parent, name, names)
        n = len(samples) or int((counts.get(name) or {}).get("effective", row.get("sample_len") or 0))
        tasks[name] = TaskResult(name, metrics, samples, n, versions.get(name, ""), members)
    for task in tasks.values():
        if task.members:
            task.n = sum(tasks[name].n for name in task.members if name in tasks)
    seconds = data.get("total_evaluation_time_seconds")
    return Evaluation(
        path.parent.name,
        {name: task for name, task in tasks.items() if task.metrics},
        {key: str(data[key]) for key in ("lm_eval_version", "transformers_version") if data.get(key)},
        float(seconds) if seconds is not None else None,
        str(data.get("model_name") or ""),
    )


def _leaves(group: str, subtasks: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name in subtasks.get(group) or ():
        if subtasks.get(name):
            yield from _leaves(name, subtasks)
        else:
            yield name


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _read_samples(folder: Path, task: str, names: Mapping[str, str]) -> list[Sample]:
    """Samples of a task; where lm-eval logged one line a filter, the lines of a document are joined."""
    exact = folder / f"samples_{task}.jsonl"
    dated = [file for file in folder.glob(f"samples_{task}_*.jsonl") if re.fullmatch(r"\d{4}-.*", file.stem[len(task) + 9 :])]
    paths = [exact] if exact.is_file() else sorted(dated)[-1:]
    samples: dict[int, Sample] = {}
    for path in paths:
        for row in _json_lines(path):
            metrics = _sample_metrics(row, names)
            known = samples.get(int(row["doc_id"]))
            if known is not None:
                known.metrics.update(metrics)
            else:
                samples[int(row["doc_id"])] = _sample(row, metrics)
    return [samples[key] for key in sorted(samples)]


def _sample_metrics(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, float]:
    kind = str(row.get("filter", "none"))
    wanted = row.get("metrics") or [key.partition(",")[0] for key in names]
    return {names.get(f"{name},{kind}", name): float(row[name]) for name in wanted if _is_number(row.get(name))}


def _sample(row: Mapping[str, Any], metrics: dict[str, float]) -> Sample:
    logged = row.get("doc")
    document: Mapping[str, Any] = logged if isinstance(logged, dict) else {}
    operands = document.get("operands") or ()
    return Sample(
        int(row["doc_id"]),
        _whole(document.get("question") or _first_text(row.get("arguments"))),
        _whole(row.get("target") or document.get("answer") or ""),
        _whole(_first_text(row.get("resps"))),
        metrics,
        tuple(int(number) for number in operands),
        str(document.get("kind") or ""),
    )


def _whole(text: object) -> str:
    """Text without halves of characters, which a byte-level tokenizer may leave and UTF-8 cannot hold."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def _first_text(value: object) -> str:
    """The first text inside lm-eval's nested lists and dicts of requests and repeats."""
    while not isinstance(value, str):
        if isinstance(value, Mapping) and value:
            value = next(iter(value.values()))
        elif isinstance(value, list | tuple) and value:
            value = value[0]
        else:
            return ""
    return value
