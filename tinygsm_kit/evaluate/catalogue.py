"""Tasks by name: the kit's own, every registered probe suite, and whatever else lm-eval has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lm_eval.api.group import Group
from lm_eval.api.task import Task
from lm_eval.tasks import TaskManager

from tinygsm_kit import plugins
from tinygsm_kit.evaluate import task_files
from tinygsm_kit.evaluate.harness import suite_config


@dataclass
class Selection:
    """Tasks that were asked for, each once, and the groups that they were asked for by."""

    tasks: dict[str, Task] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)

    def add(self, loaded: Mapping[str, Any]) -> None:
        """Take over what a TaskManager loaded."""
        self.groups |= loaded.get("groups", {})
        for name, task in loaded["tasks"].items():
            self.tasks.setdefault(name, task)


class Catalogue:
    """Looks tasks up for one model. lm-eval's own sixteen thousand are indexed only when one of them is asked for."""

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        self.metadata = dict(metadata)
        self.suites = plugins.host().names("probe_suite")
        self.kit = TaskManager(include_path=str(task_files.folder()), include_defaults=False, metadata=self.metadata)

    def select(self, names: Sequence[str]) -> Selection:
        """Build the tasks. Raises UnknownTaskError, and QuestionSetError where a task's questions cannot be had."""
        selection = Selection()
        everything: TaskManager | None = None
        for name in names:
            if name == task_files.EVERY_SUITE:
                selection.add(self.kit.load([self._every_suite()]))
            elif name in self.kit.all_tasks:
                selection.add(self.kit.load([name]))
            elif name in self.suites:
                selection.add(self.kit.load([suite_config(name)]))
            else:
                everything = everything or TaskManager(metadata=self.metadata)
                selection.add(self._foreign(everything, name))
        return selection

    def _every_suite(self) -> Group:
        """The group as its YAML has it, but for the names of plugins' suites, which lm-eval would prefix with the group's."""
        loaded = self.kit.load([task_files.EVERY_SUITE])["groups"][task_files.EVERY_SUITE]
        group = Group(loaded.name, loaded.alias, loaded.aggregate_metric_list, loaded.metadata)
        for suite in self.suites:
            group.add(next(iter(self.kit.load([self._spec(suite)])["tasks"].values())))
        return group

    def _spec(self, suite: str) -> Any:
        return suite if suite in self.kit.all_tasks else suite_config(suite)

    def _foreign(self, manager: TaskManager, name: str) -> Mapping[str, Any]:
        task_files.refuse_unknown([name], manager.all_tasks)
        loaded: Mapping[str, Any] = manager.load([name])
        return loaded
