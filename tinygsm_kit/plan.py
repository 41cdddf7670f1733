"""What a recipe would do, before anything is started: rows, tokens, money, time, and the smallest effect it could see."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.errors import KitError
from tinygsm_kit.evaluate import task_files
from tinygsm_kit.experiment import Arm, Experiment, compile_recipe
from tinygsm_kit.plugins import host
from tinygsm_kit.progress import for_terminal
from tinygsm_kit.recipe import Recipe
from tinygsm_kit.records import Problem

TOKENS_A_ROW = 220
"""Question and worked solution together, with GPT-2's vocabulary, on TinyGSM's own rows."""
QUESTIONS = {"gsm8k_tgsm": 1319, "gsm8k_tgsm_python": 1319, "gsm8k_tgsm_sample": 1319, "gsm8k_tgsm_500": 500,
             "svamp_tgsm": 300, "asdiv_tgsm": 2096, "gsm_hard_tgsm": 1319}  # fmt: skip
"""Published sizes of the question sets; probe suites are counted."""
ROWS_READ = 2_000
BATCH, EPOCHS = 8, 3
"""What TRL takes where a recipe says nothing of its own."""
SPEEDS = {"two CPU cores": 1e11, "one H100 at 40 %": 4e14}
"""Floating-point operations a second, for a first idea of the time."""


@dataclass
class Plan:
    """Facts for the screen, in order: a heading and its lines."""

    sections: list[tuple[str, list[str]]] = field(default_factory=list)

    def add(self, heading: str, lines: list[str]) -> None:
        """One more section, left out where it has nothing to say."""
        if lines:
            self.sections.append((heading, lines))


def plan(recipe: Recipe, pilot: int = 0) -> Plan:
    """Compile the recipe and say what it would do. With `pilot`, that many rows are converted (and kept) to know the cost."""
    experiment = compile_recipe(recipe)
    task_files.check(recipe.evaluate.tasks)
    result = Plan()
    result.add(
        f"{recipe.name}: {len(experiment.arms)} conditions, {1 + len(recipe.repeats)} training seed(s)", list(_arms(experiment))
    )
    result.add("admitted differences", list(experiment.admitted))
    result.add("training", list(_training(experiment)))
    result.add("ladder", list(_ladder(experiment)))
    result.add("conversion", list(_conversion(experiment, pilot)))
    result.add("smallest difference found with 80 % power", list(_power(recipe)))
    return result


def render(result: Plan) -> str:
    """The plan as plain text."""
    return "\n".join(line for heading, lines in result.sections for line in (heading, *(f"  {line}" for line in lines)))


def consent(recipe: Recipe, folder: Path, yes: bool, interactive: bool) -> bool:
    """Whether a run that may spend money may start: it was asked for, was started before, or the user says so now."""
    paid = [arm for arm in compile_recipe(recipe).all_rows() if _is_paid(arm)]
    if not paid or yes or (folder / "convert").exists():
        return True
    if not interactive:
        raise KitError(
            f"{recipe.name} converts with {paid[0].convert.name!r}, which costs money: expected --yes to confirm the budget "
            f"({_budget(paid[0])}); --dry-run shows the plan"
        )
    print(render(plan(recipe)))
    return input(f"Spend up to {_budget(paid[0])}? [y/N] ").strip().lower() in {"y", "yes"}


def _arms(experiment: Experiment) -> Iterator[str]:
    for name, arm in experiment.arms.items():
        size = f"{arm.sample.size:,} rows" if arm.sample.size else "all rows"
        injectors = ", ".join(reference.name for reference in arm.inject) or "no injector"
        model = arm.model if isinstance(arm.model, str) else f"from scratch ({arm.model['config']['model_type']})"
        text = arm.convert.name if arm.converts else "the programs themselves"
        yield f"{name}: {size} of {arm.source.name}, {text}, {injectors}, model {model}"
    yield f"{len(experiment.equations)} fact tokens in every condition's vocabulary"


def _training(experiment: Experiment) -> Iterator[str]:
    for name, arm in experiment.arms.items():
        seen = [_rows_seen(arm, index) for index in range(len(arm.train))]
        stages = " + ".join(_stage(arm, index, rows) for index, rows in enumerate(seen))
        if None in seen:
            yield f"{name}: {stages}; the number of rows is known when the source was read"
            continue
        tokens = TOKENS_A_ROW * sum(rows or 0 for rows in seen)
        yield f"{name}: {stages}, about {tokens:,} tokens" + _seconds(parameters(arm.model), tokens)


def _ladder(experiment: Experiment) -> Iterator[str]:
    """What the rungs add: the stages from the first that takes the run's rows."""
    rungs = list(experiment.ladder())
    if not rungs:
        return
    first = {arm.name: next(index for index in range(len(arm.train)) if arm.rows_of(index) is arm) for arm in rungs}
    seen = [_rows_seen(arm, index) for arm in rungs for index in range(first[arm.name], len(arm.train))]
    tokens = "" if None in seen else f": about {TOKENS_A_ROW * sum(rows or 0 for rows in seen):,} tokens more"
    yield f"each condition on {', '.join(f'{rows:,}' for rows in experiment.recipe.ladder)} rows as well{tokens}"


def _stage(arm: Arm, index: int, rows: int | None) -> str:
    """`32,000 rows in 1,000 steps`, after the stage's name where there are several."""
    settings = arm.train[index].settings()
    steps = settings.get("max_steps") or 0
    how = f"{steps:,} steps" if steps > 0 else f"{_epochs(settings):g} epoch{'s' * (_epochs(settings) != 1)}"
    stage = f"{arm.stage_name(index).partition('-')[2]}: " if len(arm.train) > 1 else ""
    return f"{stage}{how}" if rows is None else f"{stage}{rows:,} rows in {how}"


def _rows_seen(arm: Arm, index: int) -> int | None:
    """Rows that a stage trains on, repeats counted; None where that depends on how many the source has."""
    settings = arm.train[index].settings()
    if (settings.get("max_steps") or 0) > 0:
        batch = settings.get("per_device_train_batch_size") or BATCH
        return int(settings["max_steps"] * batch * (settings.get("gradient_accumulation_steps") or 1))
    rows = _rows(arm.rows_of(index))
    return None if rows is None else round(rows * _epochs(settings))


def _rows(arm: Arm) -> int | None:
    """Rows that will be drawn, at most: what the sample takes, or what the source says it has."""
    sizes = [] if arm.texts else [arm.rows, arm.sample.size, arm.source.settings().get("size")]
    return min((size for size in sizes if size is not None), default=None)


def _epochs(settings: Mapping[str, Any]) -> float:
    return float(settings.get("num_train_epochs") or EPOCHS)


def _seconds(size: float | None, tokens: float) -> str:
    if size is None:
        return "; the model's size is known when it was loaded"
    flops = 6 * size * tokens
    times = ", ".join(f"{_duration(flops / speed)} on {device}" for device, speed in SPEEDS.items())
    return f", {flops:.1e} floating-point operations ({size / 1e6:.1f}M parameters): roughly {times}"


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 1):.0f} s"


def parameters(model: str | Mapping[str, Any]) -> float | None:
    """Number of parameters of a decoder: 12 · layers · width² + vocabulary · width (Kaplan et al., 2020); None if unknown."""
    config: Mapping[str, Any]
    if isinstance(model, str):
        file = Path(model) / "config.json"
        if not file.is_file():
            return None
        config = json.loads(file.read_text(encoding="utf-8"))
    else:
        config = {"vocab_size": 1_000, **model["config"]}
    width = config.get("n_embd") or config.get("hidden_size")
    layers = config.get("n_layer") or config.get("num_hidden_layers")
    return 12.0 * layers * width**2 + config.get("vocab_size", 0) * width if width and layers else None


def _services(arm: Arm) -> list[Any]:
    """The converters among the arm's that ask a service; none where nothing is converted."""
    from tinygsm_kit.convert.chain import build

    if not arm.converts or not isinstance(arm.convert.host, HostOptions):
        return []
    chain = build(arm.convert.name, arm.convert.settings(), arm.convert.host.fallback, seed=0)
    return [converter for link, converter in zip(chain.links, chain.converters(), strict=True) if link.remote]


def _is_paid(arm: Arm) -> bool:
    """Whether any of the services that the arm asks has a price."""
    from tinygsm_kit.convert.money import price_of

    options = arm.convert.host
    return isinstance(options, HostOptions) and any(price_of(service, options) is not None for service in _services(arm))


def _budget(arm: Arm) -> str:
    budget = getattr(arm.convert.host, "budget_usd", None)
    return "any amount (budget_usd is null)" if budget is None else f"${budget:,.2f}"


def _conversion(experiment: Experiment, pilot: int) -> Iterator[str]:
    """What converting costs, for every distinct conversion among the arms."""
    seen: list[Any] = []
    for arm in experiment.all_rows():
        if not arm.converts:
            continue
        conversion = (arm.convert, arm.source, arm.sample) if _services(arm) else arm.convert  # what is free is said once
        if conversion not in seen:
            seen.append(conversion)
            yield from _cost(arm, experiment.recipe.seed, pilot)


def _cost(arm: Arm, seed: int, pilot: int) -> Iterator[str]:
    from tinygsm_kit.convert import estimates

    if not isinstance(arm.convert.host, HostOptions):
        return
    if not _services(arm):
        yield f"{arm.convert.name}: here, for nothing, some thousand rows a second and core"
        return
    asked: dict[str, Any] = {
        "converter": arm.convert.name, "options": arm.convert.settings(), "host": arm.convert.host, "seed": seed,
    }  # fmt: skip
    problems = _first_problems(arm)
    rows = arm.sample.size or len(problems)
    found = estimates.estimate(problems, rows, **asked)
    if found is not None:
        yield f"{arm.convert.name}: {found.paid_rows:,} of {found.rows:,} rows ask {', '.join(found.models)}"
        yield f"about {found.input_tokens:,} tokens to read and {found.output_tokens:,} to write"
        yield f"from the rows' lengths: {_dollars(found.usd_low, found.usd, found.usd_high)}; budget {_budget(arm)}"
    if pilot:
        chosen = random.Random(seed).sample(problems, min(pilot, len(problems)))
        tried = estimates.pilot(chosen, rows, **asked, progress=for_terminal())
        rejected = tried.rejected or "none"
        yield f"pilot of {tried.piloted}: {tried.accepted} converted, rejected {rejected}, ${tried.spent:.4f} spent"
        yield f"from the pilot: {_dollars(tried.usd_low, tried.usd, tried.usd_high)} (95 %), about {_duration(tried.seconds)}"


def _first_problems(arm: Arm) -> list[Problem]:
    """The first few thousand problems of the source: enough for lengths, soon read."""
    rows = arm.source.build().problems()
    return list(itertools.islice((row for row in rows if isinstance(row, Problem)), ROWS_READ))


def _dollars(low: float | None, middle: float | None, high: float | None) -> str:
    if low is None or middle is None or high is None:
        return "no price is known"
    return f"${middle:,.2f}, between ${low:,.2f} and ${high:,.2f}"


def _power(recipe: Recipe) -> Iterator[str]:
    from tinygsm_kit.report.power import items_needed, minimum_detectable

    for task in recipe.evaluate.tasks:
        questions = count_questions(task)
        if questions is None:
            continue
        questions = min(questions, recipe.evaluate.limit or questions)
        wanted = recipe.targets.get(task, {})
        rate = next((value for name, value in wanted.items() if name != "difference"), 0.5)
        smallest = minimum_detectable(questions, rate)
        found = f"{smallest * 100:.1f} points" if smallest is not None else "none"
        line = f"{task}: {found} ({questions:,} questions, baseline near {rate:.0%})"
        if "difference" in wanted:
            needed = items_needed(wanted["difference"], rate)
            line += f"; the wanted {wanted['difference'] * 100:.1f} points need {needed:,} questions" if needed else ""
        yield line


def count_questions(task: str) -> int | None:
    """Number of questions of one of the kit's tasks or probe suites; None for others."""
    if task in QUESTIONS:
        return QUESTIONS[task]
    if task == "mul_probes":
        return sum(count_questions(name) or 0 for name in ("mul_table", "mul_multidigit", "addition"))
    if task in host().names("probe_suite"):
        suite = host().find("probe_suite", task).load()
        return sum(1 for _ in suite(suite.Options()).probes())
    return None
