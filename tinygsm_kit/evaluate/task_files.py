"""The kit's task files, read without lm-eval: which tasks there are and what they ask."""

from __future__ import annotations

import difflib
import functools
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tinygsm_kit import plugins
from tinygsm_kit.errors import KitError

EVERY_SUITE = "tgsm_probes"
"""The group of every registered probe suite."""


class TaskFilesError(KitError):
    """The task files are not where pip puts them."""


def folder() -> Path:
    """Where pip puts the contents of `tasks/`, so that the bare `lm_eval` command finds them."""
    found = importlib.util.find_spec("lm_eval")
    if found is None or found.origin is None:
        raise TaskFilesError("lm-eval is not installed: install tinygsm-kit again with pip")
    path = Path(found.origin).parent / "tasks" / "tinygsm_kit"
    if not (path / "gsm8k_tgsm.yaml").is_file():
        raise TaskFilesError(f"the kit's tasks are not in {path}: install tinygsm-kit again with pip")
    return path


class UnknownTaskError(KitError):
    """No task of this name. The message names the nearest ones."""


class _Loader(yaml.SafeLoader):
    """Reads `!function module.name` as that text."""


_Loader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))  # type: ignore[arg-type]


@functools.cache
def read() -> Mapping[str, Mapping[str, Any]]:
    """Every file's contents by the name of its task or group."""
    contents = [yaml.load(path.read_text("utf-8"), _Loader) for path in sorted(folder().glob("*.yaml"))]
    return {entry.get("group") or entry["task"]: entry for entry in contents}


def known() -> list[str]:
    """Tasks and groups of the kit, and every registered probe suite. lm-eval has thousands more."""
    return list(dict.fromkeys([*read(), *plugins.host().names("probe_suite")]))


def expand(names: Sequence[str]) -> list[str]:
    """The names with the kit's groups replaced by their members; foreign names stay as they are."""
    suites = plugins.host().names("probe_suite")
    members = {name: entry["task"] for name, entry in read().items() if "group" in entry} | {EVERY_SUITE: suites}
    return list(dict.fromkeys(member for name in names for member in members.get(name, [name])))


def check(names: Sequence[str]) -> None:
    """Raises UnknownTaskError for a name that neither the kit, nor a plugin, nor lm-eval has.

    lm-eval's index takes seconds to read, so it is read for names that are not the kit's.
    """
    ours = known()
    foreign = [name for name in names if name not in ours]
    if foreign:
        from lm_eval.tasks import TaskManager

        refuse_unknown(foreign, TaskManager().all_tasks)


def refuse_unknown(names: Sequence[str], theirs: Sequence[str]) -> None:
    """Raises UnknownTaskError for the first name that is not among lm-eval's."""
    for name in names:
        if name not in theirs:
            near = ", ".join(dict.fromkeys(difflib.get_close_matches(name, [*known(), *theirs], 3))) or ", ".join(known())
            raise UnknownTaskError(
                f"unknown task {name!r}: expected a task of the kit or of lm-eval, or a probe suite; nearest: {near}"
            )
