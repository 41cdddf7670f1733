"""The stages of a run in their order: what is done already is skipped, what was killed goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from tinygsm_kit.errors import KitError
from tinygsm_kit.evaluate import task_files
from tinygsm_kit.experiment import compile_recipe
from tinygsm_kit.manifest import environment
from tinygsm_kit.parts import write_text
from tinygsm_kit.pipeline.data import DataStages
from tinygsm_kit.pipeline.models import ModelStages
from tinygsm_kit.pipeline.runner import STAGES, Runner, Settings, StageError
from tinygsm_kit.processes import check_devices
from tinygsm_kit.progress import Progress
from tinygsm_kit.recipe import Recipe
from tinygsm_kit.recipe_files import find_recipe, load

__all__ = ["STAGES", "Settings", "StageError", "carry_out", "run"]


def run(recipe: str | Path | Recipe, out: str | Path | None = None, overrides: Sequence[str] = (), **settings: Any) -> Path:
    """Run a recipe to its report, going on where an earlier run of it stopped; returns the run directory.

    `recipe` is a path, the name of a shipped recipe, or a Recipe; `settings` are the fields of Settings. Raises KitError.
    """
    read = recipe if isinstance(recipe, Recipe) else load(find_recipe(str(recipe)), overrides)
    folder = Path(out) if out is not None else Path("runs") / read.name
    carry_out(read, folder, Settings(**settings))
    return folder


def carry_out(recipe: Recipe, folder: Path, settings: Settings) -> None:
    """All stages up to `settings.until`, in one run directory."""
    if settings.launcher and settings.devices:
        raise KitError("expected --launcher (one training on many devices) or --devices (one on each of them), found both")
    check_devices(settings.devices)
    experiment = compile_recipe(recipe)
    task_files.check(recipe.evaluate.tasks)
    runner = Runner(folder, settings)
    write_text(folder / "recipe.yaml", yaml.safe_dump(recipe.dump(), sort_keys=False, allow_unicode=True))
    admitted = list(experiment.admitted)
    runner.manifest.describe(**environment(), name=recipe.name, seed=recipe.seed, admitted=admitted)
    runner.forget_redone()
    data = DataStages(experiment, runner)
    models = ModelStages(experiment, runner, data)
    steps: dict[str, Callable[[], object]] = {
        "sample": lambda: [data.sample(arm) for arm in experiment.all_rows() if arm.texts is None],
        "convert": lambda: [data.convert(arm) for arm in experiment.all_rows() if arm.converts],
        "inject": lambda: [data.inject(arm) for arm in (*experiment.all_rows(), *experiment.ladder())],
        "train": models.train_all,
        "evaluate": models.evaluate_all,
        "report": lambda: _report(folder, settings.progress),
    }
    for stage in STAGES[: STAGES.index(settings.until) + 1]:
        steps[stage]()


def _report(folder: Path, progress: Progress) -> None:
    """Built anew each time: it takes seconds, and rests on files alone."""
    from tinygsm_kit.report.build import build

    build(folder, progress)
