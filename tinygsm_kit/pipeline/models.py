"""Training and evaluation: one model for every condition and seed, stage after stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinygsm_kit.experiment import Arm, Experiment
from tinygsm_kit.interfaces import TrainContext
from tinygsm_kit.manifest import fingerprint
from tinygsm_kit.pipeline.data import DataStages
from tinygsm_kit.pipeline.runner import Rows, Runner
from tinygsm_kit.records import Counts
from tinygsm_kit.references import Reference


def training_counts(model: Path) -> Counts | None:
    """Rows in, out and rejected, as the trainer left them beside the model; None for trainers that leave nothing."""
    from tinygsm_kit.train.sft import summary

    try:
        found = summary(model)
    except FileNotFoundError:
        return None
    return Counts(found.pop("rows_in"), found.pop("rows_out"), found.pop("rejected"), {**found.pop("extra"), **found})


class ModelStages:
    """The models of an experiment and what they answered."""

    def __init__(self, experiment: Experiment, runner: Runner, data: DataStages) -> None:
        self.experiment, self.runner, self.data = experiment, runner, data
        self.recipe = experiment.recipe

    def labels(self) -> dict[str, tuple[Arm, int]]:
        """`condition` for the first seed, `condition@SEED` for each repeat."""
        arms = self.experiment.arms
        first = {name: (arm, self.recipe.seed) for name, arm in arms.items()}
        return first | {f"{name}@{seed}": (arm, seed) for seed in self.recipe.repeats for name, arm in arms.items()}

    def train_all(self) -> None:
        """Train every model."""
        for label, (arm, seed) in self.labels().items():
            self.train(label, arm, seed)

    def train(self, label: str, arm: Arm, seed: int) -> list[Rows]:
        """Train one model through all its stages; returns what each of them left, the finished model last."""
        model: Any = arm.model
        texts = [self.data.inject(each) for each in self.experiment.all_rows()]
        mark = fingerprint([arm.model, self.experiment.equations, self.recipe.prompt, seed, [each.mark for each in texts]])
        models = []
        for index, reference in enumerate(arm.train):
            rows = self.data.inject(arm.rows_of(index))
            mark = fingerprint([mark, rows.mark, reference.fingerprint()])
            last = index == len(arm.train) - 1
            place = f"models/{label}" if last else f"stages/{arm.stage_name(index)}/models/{label}"
            trained = Rows(place, mark)
            context = TrainContext(
                condition=label, data=self.runner.path(rows), model=model, output=self.runner.path(trained), seed=seed,
                tokens=tuple(self.experiment.equations), prompt=self.recipe.prompt,
                vocabulary_text=tuple(self.runner.path(each) for each in texts),
                extra={"equations": self.experiment.equations, "siblings": self._siblings(index)},
            )  # fmt: skip
            self._train(f"train/{label}" + ("" if last else f"/{arm.stage_name(index)}"), trained, reference, context)
            model = str(context.output)
            models.append(trained)
        return models

    def _siblings(self, index: int) -> list[str]:
        """The rows that every condition has at one stage: one that is too long in one of them is left out of all."""
        arms = [arm for arm in self.experiment.arms.values() if index < len(arm.train)]
        rows = [self.data.inject(arm.rows_of(index)) for arm in arms]
        return list(dict.fromkeys(str(self.runner.path(each)) for each in rows))

    def _train(self, name: str, rows: Rows, reference: Reference, context: TrainContext) -> None:
        def work() -> Counts | None:
            context.output.parent.mkdir(parents=True, exist_ok=True)
            if self.runner.settings.launcher == "accelerate":
                from tinygsm_kit.train.launch import launch

                launch(reference.name, reference.settings(), context, self.runner.settings.accelerate_config)
            else:
                reference.build().train(context)
            return training_counts(context.output)

        self.runner.stage(name, rows, work)

    def evaluate_all(self) -> None:
        """Ask every model, and what each stage of its training left, all the tasks."""
        for label, (arm, seed) in self.labels().items():
            for model in self.train(label, arm, seed):
                self._evaluate(model)

    def _evaluate(self, model: Rows) -> None:
        from tinygsm_kit.evaluate.driver import evaluate

        options = self.recipe.evaluate
        asked = options.model_dump(mode="json", exclude={"device", "batch_size"})
        rows = Rows(model.place.replace("models/", "eval/"), fingerprint([model.mark, asked]))
        *stage, _, label = model.place.split("/")

        def work() -> None:
            evaluate(
                self.runner.path(model), options.tasks, self.runner.path(rows), gsm8k=options.gsm8k, data=options.data,
                limit=options.limit, batch_size=options.batch_size, device=options.device, backend=options.backend,
                backend_options=options.model_args, seed=self.recipe.seed, progress=self.runner.settings.progress,
            )  # fmt: skip

        self.runner.stage("/".join(["evaluate", label, *stage[1:]]), rows, work)
