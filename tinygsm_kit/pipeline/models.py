"""Training and evaluation: one model for every condition and seed, stage after stage."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tinygsm_kit.experiment import Arm, Experiment
from tinygsm_kit.interfaces import TrainContext
from tinygsm_kit.manifest import fingerprint
from tinygsm_kit.pipeline.data import DataStages
from tinygsm_kit.pipeline.runner import Rows, Runner, StageError
from tinygsm_kit.records import Counts
from tinygsm_kit.references import Reference

Model = tuple[str, Arm, int]
"""A model to train: its label (`condition` for the first seed, `condition@SEED` for a repeat), its arm, its seed."""


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

    def models(self) -> Iterator[list[Model]]:
        """The run's models, then those of the ladder's rungs, which may share stages with the first."""
        for arms in (list(self.experiment.arms.values()), list(self.experiment.ladder())):
            repeats = [(f"{arm.name}@{seed}", arm, seed) for seed in self.recipe.repeats for arm in arms]
            yield [*((arm.name, arm, self.recipe.seed) for arm in arms), *repeats]

    def train_all(self) -> None:
        """Train every model: one after another, or as many at once as there are devices."""
        for models in self.models():
            if self.runner.settings.devices:
                self._train_at_once(models, self.runner.settings.devices)
            else:
                for model in models:
                    self.train(*model)

    def _train_at_once(self, models: Sequence[Model], devices: Sequence[str]) -> None:
        """Each model on whichever device is free. What one of them fails at is said when the others are done."""
        free: SimpleQueue[str] = SimpleQueue()
        for device in devices:
            free.put(device)

        def work(label: str, arm: Arm, seed: int) -> None:
            device = free.get()
            try:
                self.train(label, arm, seed, device)
            finally:
                free.put(device)

        pool = ThreadPoolExecutor(len(devices))
        try:
            trained = [pool.submit(work, *model) for model in models]
            errors = [error for model in trained if (error := model.exception()) is not None]
        finally:  # interrupted: what has not begun does not begin
            pool.shutdown(cancel_futures=True)
        unforeseen = next((error for error in errors if not isinstance(error, StageError)), None)
        if unforeseen is not None:
            raise unforeseen
        if errors:
            raise StageError("\n".join(map(str, errors)))

    def train(self, label: str, arm: Arm, seed: int, device: str | None = None) -> list[Rows]:
        """Train one model through all its stages; returns what each of them left, the finished model last.

        A rung of the ladder has the vocabulary of the whole run, and its stages before the first that takes the run's rows.
        """
        model: Any = arm.model
        room = ""
        texts = [self.data.inject(each) for each in self.experiment.all_rows()]
        mark = fingerprint([arm.model, self.experiment.equations, self.recipe.prompt, seed, [each.mark for each in texts]])
        models = []
        for index, reference in enumerate(arm.train):
            rows = self.data.inject(arm.rows_of(index))
            mark = fingerprint([mark, rows.mark, reference.fingerprint()])
            last = index == len(arm.train) - 1
            room = arm.room if arm.rows_of(index) is arm else room
            trained = Rows(f"{room}{'' if last else f'stages/{arm.stage_name(index)}/'}models/{label}", mark)
            context = TrainContext(
                condition=label, data=self.runner.path(rows), model=model, output=self.runner.path(trained), seed=seed,
                tokens=tuple(self.experiment.equations), prompt=self.recipe.prompt,
                vocabulary_text=tuple(self.runner.path(each) for each in texts),
                extra={"equations": self.experiment.equations, "siblings": self._siblings(arm, index)},
            )  # fmt: skip
            self._train(trained, reference, context, device)
            model = str(context.output)
            models.append(trained)
        return models

    def _siblings(self, arm: Arm, index: int) -> list[str]:
        """The rows that every condition has at one stage: one that is too long in one of them is left out of all."""
        arms = [each.rung(arm.rows) for each in self.experiment.arms.values() if index < len(each.train)]
        rows = [self.data.inject(each.rows_of(index)) for each in arms]
        return list(dict.fromkeys(str(self.runner.path(each)) for each in rows))

    def _train(self, rows: Rows, reference: Reference, context: TrainContext, device: str | None) -> None:
        def work() -> Counts | None:
            from tinygsm_kit.train.launch import launch, launch_on

            context.output.parent.mkdir(parents=True, exist_ok=True)
            if device is not None:
                launch_on(device, reference.name, reference.settings(), context)
            elif self.runner.settings.launcher == "accelerate":
                launch(reference.name, reference.settings(), context, self.runner.settings.accelerate_config)
            else:
                reference.build().train(context)
            return training_counts(context.output)

        self.runner.stage(_stage_of("train", rows), rows, work)

    def evaluate_all(self) -> None:
        """Ask every model all the tasks, and, but on the ladder's rungs, what each stage of its training left."""
        for label, arm, seed in itertools.chain(*self.models()):
            for model in self.train(label, arm, seed)[0 if arm.rows is None else -1 :]:
                self._evaluate(model)

    def _evaluate(self, model: Rows) -> None:
        from tinygsm_kit.evaluate.driver import evaluate

        options = self.recipe.evaluate
        asked = options.model_dump(mode="json", exclude={"device", "batch_size"})
        rows = Rows(model.place.replace("models/", "eval/"), fingerprint([model.mark, asked]))

        def work() -> None:
            evaluate(
                self.runner.path(model), options.tasks, self.runner.path(rows), gsm8k=options.gsm8k, data=options.data,
                limit=options.limit, batch_size=options.batch_size, device=options.device, backend=options.backend,
                backend_options=options.model_args, seed=self.recipe.seed, progress=self.runner.settings.progress,
            )  # fmt: skip

        self.runner.stage(_stage_of("evaluate", model), rows, work)


def _stage_of(name: str, model: Rows) -> str:
    """The manifest's name of what is done with a model: `train/LABEL`, `train/LABEL/1-drills`, `train/LABEL/1000-rows`."""
    *room, _, label = model.place.split("/")
    return "/".join([name, label, *room[1:]])
