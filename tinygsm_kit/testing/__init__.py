"""What plugin authors test with: a plugin in the process, a recipe in a folder, and a server in place of a paid API."""

from tinygsm_kit.testing.harness import installed, plugin_of, run_recipe
from tinygsm_kit.testing.server import MockServer, Received, in_own_process
from tinygsm_kit.testing.wires import Conversion, Faults, Wire

__all__ = [
    "Conversion",
    "Faults",
    "MockServer",
    "Received",
    "Wire",
    "in_own_process",
    "installed",
    "plugin_of",
    "run_recipe",
]
