"""tinygsm-kit: find out, with honest statistics, which data makes a small model better at grade-school maths."""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

from tinygsm_kit.hookspecs import hookimpl
from tinygsm_kit.records import Probe, Problem, Rejection, Solution

if TYPE_CHECKING:
    from tinygsm_kit.pipeline import run
    from tinygsm_kit.plugins import get

__version__ = metadata.version("tinygsm-kit")
__all__ = ["Probe", "Problem", "Rejection", "Solution", "get", "hookimpl", "run"]

_LAZY = {"get": "tinygsm_kit.plugins", "run": "tinygsm_kit.pipeline"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
