"""The hooks: every place where a plugin can put something of its own, on one screen.

Each hook hands the plugin a callback `register(name, implementation)`. `implementation` is a class as described in
`tinygsm_kit.interfaces`, or the string `"package.module:Class"`, which is imported when it is first used.
"""

from collections.abc import Callable

from pluggy import HookimplMarker, HookspecMarker

hookspec = HookspecMarker("tinygsm_kit")
hookimpl = HookimplMarker("tinygsm_kit")

Register = Callable[[str, type | str], None]


@hookspec
def register_sources(register: Register) -> None:
    """Register where problems come from (`tinygsm_kit.interfaces.Source`)."""


@hookspec
def register_converters(register: Register) -> None:
    """Register program-to-text converters (`LocalConverter` or `RemoteConverter`)."""


@hookspec
def register_injectors(register: Register) -> None:
    """Register text variants such as fact tokens (`Injector`)."""


@hookspec
def register_probe_suites(register: Register) -> None:
    """Register generated tests of one skill (`ProbeSuite`)."""


@hookspec
def register_trainers(register: Register) -> None:
    """Register ways to train (`Trainer`)."""


@hookspec
def register_rewards(register: Register) -> None:
    """Register rewards for reinforcement learning (`Reward`)."""
