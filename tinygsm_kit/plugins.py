"""The plugin host: built-ins, entry points, lookup by name."""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import pluggy

from tinygsm_kit import hookspecs
from tinygsm_kit.errors import KitError, did_you_mean

GROUP = "tinygsm_kit"
BUILT_IN = tuple(f"tinygsm_kit.{room}" for room in ("sources", "convert", "inject", "evaluate", "train"))
HOOKS = {
    "source": "register_sources",
    "converter": "register_converters",
    "injector": "register_injectors",
    "probe_suite": "register_probe_suites",
    "trainer": "register_trainers",
    "reward": "register_rewards",
}


class PluginError(KitError):
    """A plugin is missing, at fault, or clashes with another. The message names it and says what to do."""


@dataclass(frozen=True)
class Entry:
    """One registered implementation, not yet imported where the plugin gave a string."""

    kind: str
    name: str
    target: type | str
    plugin: str
    distribution: str

    def load(self) -> type[Any]:
        """Import the implementation and check that it declares what the host needs."""
        target = self.target
        if isinstance(target, str):
            module, _, attribute = target.partition(":")
            try:
                target = getattr(importlib.import_module(module), attribute)
            except (ImportError, AttributeError) as error:
                message = f"{self.kind} {self.name!r} of {self.plugin}: cannot import {self.target!r}: {error}"
                raise PluginError(message) from error
        for attribute in ("Options", "version"):
            if not hasattr(target, attribute):
                raise PluginError(f"{self.kind} {self.name!r} of {self.plugin} has no {attribute!r}: see interfaces.py")
        return target


class Host:
    """A pluggy manager and the table of what its plugins registered."""

    def __init__(self, entry_points: bool = True) -> None:
        self.manager = pluggy.PluginManager(GROUP)
        self.manager.add_hookspecs(hookspecs)
        self.entries: dict[tuple[str, str], Entry] = {}
        for module in BUILT_IN:
            self.add(importlib.import_module(module), module)
        if entry_points:
            self._load_entry_points()

    def add(self, plugin: object, name: str, distribution: str = "tinygsm-kit") -> None:
        """Register one plugin and everything it offers. Unknown hooks and duplicate names are errors that name it."""
        before = dict(self.entries)
        if self.manager.has_plugin(name):
            raise PluginError(f"plugin {name}: a plugin of this name is registered already")
        try:
            self.manager.register(plugin, name)
            self.manager.check_pending()
            self._collect(plugin, name, distribution)
        except (PluginError, ValueError, pluggy.PluginValidationError) as error:
            self.manager.unregister(name=name)  # or every later plugin would be blamed for this one
            self.entries = before
            raise PluginError(f"plugin {name}: {error}") from error

    def _collect(self, plugin: object, name: str, distribution: str) -> None:
        for kind, hook in HOOKS.items():
            for implementation in getattr(self.manager.hook, hook).get_hookimpls():
                if implementation.plugin is plugin:
                    implementation.function(register=functools.partial(self._register, kind, name, distribution))

    def remove(self, name: str) -> None:
        """Take a plugin and everything it registered out again."""
        self.manager.unregister(name=name)
        self.entries = {key: entry for key, entry in self.entries.items() if entry.plugin != name}

    def _register(self, kind: str, plugin: str, distribution: str, name: str, target: type | str) -> None:
        known = self.entries.get((kind, name))
        if known is not None:
            raise PluginError(
                f"{kind} {name!r} is registered twice, by {known.plugin} ({known.distribution}) and by {plugin} "
                f"({distribution}): rename one, or uninstall one"
            )
        self.entries[kind, name] = Entry(kind, name, target, plugin, distribution)

    def _load_entry_points(self) -> None:
        for point in metadata.entry_points(group=GROUP):
            distribution = point.dist.name if point.dist else point.value
            try:
                plugin = point.load()
            except Exception as error:
                raise PluginError(f"plugin {point.name} of {distribution} cannot be imported: {error}") from error
            self.add(plugin, point.name, distribution)

    def find(self, kind: str, name: str) -> Entry:
        """The entry, or a PluginError that names the nearest one."""
        if kind not in HOOKS:
            raise PluginError(f"unknown kind of plugin {kind!r}: expected one of {', '.join(HOOKS)}")
        entry = self.entries.get((kind, name))
        if entry is None:
            names = self.names(kind)
            hint = did_you_mean(name, names, f"there are: {', '.join(names) or 'none'}")
            raise PluginError(f"unknown {kind} {name!r}: {hint}")
        return entry

    def names(self, kind: str) -> list[str]:
        """All names of one kind, in the order of registration."""
        return [entry.name for entry in self.entries.values() if entry.kind == kind]


@functools.cache
def host() -> Host:
    """The process-wide host, built on first use."""
    return Host()


def get(kind: str, name: str, **options: Any) -> Any:
    """A ready instance: `get("injector", "mul_tokens").inject("7 × 8 = 56")`.

    Raises PluginError for an unknown kind or name, and pydantic's ValidationError for options that do not fit.
    """
    implementation = host().find(kind, name).load()
    return implementation(implementation.Options.model_validate(options))
