"""What a plugin's author tests with: a plugin installed in the process, a recipe run in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tinygsm_kit.hookspecs import hookimpl
from tinygsm_kit.plugins import HOOKS, Host, host


@contextmanager
def installed(plugin: object, name: str = "under-test") -> Iterator[Host]:
    """A plugin (module or object with hook implementations) as if pip had installed it, in this process alone.

    Worker processes are started anew and do not see it: give `workers=1`. Raises PluginError where it is at fault.
    """
    host().add(plugin, name, "under test")
    try:
        yield host()
    finally:
        host().remove(name)


def plugin_of(kind: str, name: str, implementation: type) -> object:
    """The smallest plugin: one implementation of one kind, such as `plugin_of("injector", "squares", Squares)`."""

    def register(self: object, register: Any) -> None:  # noqa: ARG001
        register(name, implementation)

    return type("Plugin", (), {HOOKS[kind]: hookimpl(register, specname=HOOKS[kind])})()


def run_recipe(folder: Path, recipe: Mapping[str, Any], until: str = "report") -> Path:
    """Write the recipe to `folder/recipe.yaml`, run it in this process up to a stage, and return the run directory."""
    from tinygsm_kit.pipeline import run

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(dict(recipe), sort_keys=False, allow_unicode=True), encoding="utf-8")
    return run(path, folder / "run", until=until, workers=1)
