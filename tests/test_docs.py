"""What the documents say is what the code has."""

import inspect
import re
from pathlib import Path

import pytest

from tinygsm_kit import hookspecs, plugins
from tinygsm_kit.cli import app

ROOT = Path(__file__).parent.parent
HOOKS = [name for name in vars(hookspecs) if name.startswith("register_")]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_arguments(hook):
    arguments = ", ".join(inspect.signature(getattr(hookspecs, hook)).parameters)
    assert f"| `{hook}({arguments})` |" in (ROOT / "docs/plugins.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_user_among_the_built_ins(hook):
    kind = {name: kind for kind, name in plugins.HOOKS.items()}[hook]
    assert plugins.host().names(kind)


def test_no_document_names_a_hook_that_does_not_exist():
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "docs/plugins.md"):
        assert set(re.findall(r"register_\w+", document.read_text(encoding="utf-8"))) <= set(HOOKS)


def test_readme_mentions_every_command():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = {(command.name or command.callback.__name__).replace("_", "-") for command in app.registered_commands}
    assert {name for name in commands if f"tinygsm-kit {name}" not in readme} == set()


def test_every_module_of_the_package_has_a_place_in_contributing():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    package = ROOT / "tinygsm_kit"
    names = [path.name for path in package.glob("*.py") if not path.name.startswith("__")]
    names += [f"{path.name}/" for path in package.iterdir() if (path / "__init__.py").is_file()]
    assert [name for name in names if f"`{name}`" not in text] == []
