"""The data stages: sample, convert, inject. Each asks for the one below it, and arms with equal settings share one folder."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tinygsm_kit.experiment import Arm, Experiment
from tinygsm_kit.manifest import fingerprint
from tinygsm_kit.pipeline.runner import Rows, Runner
from tinygsm_kit.records import Counts


class DataStages:
    """The rows of every arm, made when they are first asked for."""

    def __init__(self, experiment: Experiment, runner: Runner) -> None:
        self.experiment, self.runner = experiment, runner
        self.seed = experiment.recipe.seed
        self._made: dict[tuple[str, str], Rows] = {}
        self._first: dict[str, str] = {}

    def sample(self, arm: Arm) -> Rows:
        """Draw the arm's problems."""
        return self._once("sample", arm, self._sample)

    def convert(self, arm: Arm) -> Rows:
        """Turn the arm's programs into verified solutions."""
        return self._once("convert", arm, self._convert)

    def inject(self, arm: Arm) -> Rows:
        """Make the arm's variant of the text."""
        return self._once("inject", arm, self._inject)

    def _once(self, stage: str, arm: Arm, make: Callable[[Arm], Rows]) -> Rows:
        key = (stage, arm.room + arm.name)
        if key not in self._made:
            self._made[key] = make(arm)
        return self._made[key]

    def _sample(self, arm: Arm) -> Rows:
        from tinygsm_kit.sources.sampling import sample

        source = arm.source.build()
        identity = getattr(source, "identity", None)
        kept_out = list(self.experiment.recipe.evaluate.tasks) if arm.sample.decontaminate else []
        settings = arm.sample.model_dump(mode="json")
        rows = self._place(
            "sample", arm, [arm.source.fingerprint(), identity() if identity else None, settings, kept_out, self.seed]
        )
        return self._run(rows, lambda: sample(
            source, self.runner.path(rows), size=arm.sample.size, stratify=arm.sample.stratify, shards=arm.sample.shards,
            seed=self.seed, workers=self.runner.settings.workers, progress=self.runner.settings.progress,
            decontaminate=self._questions if arm.sample.decontaminate else None,
        ))  # fmt: skip

    def _convert(self, arm: Arm) -> Rows:
        from tinygsm_kit.convert.stage import convert, identity

        below = self.sample(arm)
        asked: dict[str, Any] = {"converter": arm.convert.name, "options": arm.convert.settings(), "host": arm.convert.host}
        rows = self._place("convert", arm, [below.mark, identity(**asked, seed=self.seed)])
        return self._run(rows, lambda: convert(
            self.runner.path(below), self.runner.path(rows), **asked, seed=self.seed,
            workers=self.runner.settings.workers, progress=self.runner.settings.progress,
        ))  # fmt: skip

    def _inject(self, arm: Arm) -> Rows:
        import tinygsm_kit.inject.stage as stage
        from tinygsm_kit.inject.texts import identity

        if arm.rows is not None:
            return self._rung(arm, arm.rows)
        injectors = [(reference.name, reference.settings()) for reference in arm.inject]
        marks = [reference.fingerprint() for reference in arm.inject]
        place, progress = f"{arm.room}inject/{arm.name}", self.runner.settings.progress
        if arm.texts is not None:
            texts = Path(arm.texts)
            rows = Rows(place, fingerprint([identity(texts), marks]))
            return self._run(
                rows, lambda: stage.inject_texts(texts, self.runner.path(rows), injectors=injectors, progress=progress)
            )
        sample = self.sample(arm)
        if arm.target == "program":
            rows = Rows(place, fingerprint([sample.mark, "program", marks]))
            return self._run(
                rows, lambda: stage.inject_programs(self.runner.path(sample), self.runner.path(rows), progress=progress)
            )
        below = self.convert(arm)
        rows = Rows(place, fingerprint([below.mark, marks]))
        return self._run(rows, lambda: stage.inject(
            self.runner.path(sample), self.runner.path(below), self.runner.path(rows), injectors=injectors, progress=progress
        ))  # fmt: skip

    def _rung(self, arm: Arm, size: int) -> Rows:
        """The first rows of the arm's own: nothing is sampled or converted again."""
        from tinygsm_kit.sources.nesting import first_rows

        sample, made = self.sample(arm.rung(None)), self.inject(arm.rung(None))
        by = arm.sample.stratify
        rows = Rows(f"{arm.room}inject/{arm.name}", fingerprint([made.mark, size, by, self.seed]))
        return self._run(rows, lambda: first_rows(
            self.runner.path(sample), self.runner.path(made), self.runner.path(rows), size=size, stratify=by, seed=self.seed,
            progress=self.runner.settings.progress,
        ))  # fmt: skip

    def _place(self, stage: str, arm: Arm, settings: object) -> Rows:
        """`stage`, or `stage/<condition>` where an earlier arm has taken that with other settings."""
        mark, place = fingerprint(settings), f"{arm.room}{stage}"
        return Rows(place if self._first.setdefault(place, mark) == mark else f"{place}/{arm.name}", mark)

    def _run(self, rows: Rows, work: Callable[[], Counts | None]) -> Rows:
        place = rows.place.split("/")
        name = "/".join([*place[2:], place[1]]) if place[0] in ("stages", "ladder") else rows.place
        return self.runner.stage(name, rows, work)

    @functools.cached_property
    def _questions(self) -> Mapping[str, list[str]]:
        from tinygsm_kit.evaluate.questions import evaluation_questions

        return evaluation_questions(self.experiment.recipe.evaluate)
