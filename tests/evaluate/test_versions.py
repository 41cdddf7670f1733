"""A changed prompt, question or scorer is another task: its version must rise, or old results would pass for new ones."""

import hashlib
import importlib.util
import json
from pathlib import Path

import pytest

from tinygsm_kit import get
from tinygsm_kit.evaluate import task_files
from tinygsm_kit.evaluate.checkpoint import DEFAULT_PROMPT
from tinygsm_kit.evaluate.fact_tokens import FactTokens
from tinygsm_kit.evaluate.metrics import Scorer

RECORDED = json.loads(Path(__file__).with_name("versions.json").read_text("utf-8"))
"""Version and digest of each task as released. `python tests/evaluate/test_versions.py` prints them anew."""


def digest(name: str) -> str:
    """SHA-256 over what a task asks, how it generates, and how it scores the stored responses."""
    entry = {key: value for key, value in task_files.read()[name].items() if key != "metadata"}
    suite = (entry.get("dataset_kwargs") or {}).get("suite")
    asked = [(probe.question, probe.answer) for probe in get("probe_suite", suite).probes()] if suite else []
    scorer = Scorer(FactTokens([get("injector", "mul_tokens")]), count_tokens=len)
    scores = [scorer.score(text, answer=gold, question="", limit=99) for text, gold, *_ in _stored()] if "task" in entry else []
    return hashlib.sha256(json.dumps([entry, asked, DEFAULT_PROMPT, scores]).encode()).hexdigest()[:16]


def _stored() -> list[tuple[str, ...]]:
    path = Path(__file__).with_name("test_gsm8k_agreement.py")
    spec = importlib.util.spec_from_file_location("stored_responses", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [*module.AGREED, *module.OURS_IS_RIGHT]


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_the_version_rises_with_the_task(name: str) -> None:
    recorded, version = RECORDED[name], task_files.read()[name]["metadata"]["version"]
    if digest(name) != recorded["digest"]:
        assert version > recorded["version"], f"{name} asks or scores differently: raise its version in tasks/{name}.yaml"


def test_every_task_is_recorded() -> None:
    assert set(RECORDED) == set(task_files.read())


if __name__ == "__main__":
    entries = task_files.read()
    print(
        json.dumps(
            {name: {"version": entries[name]["metadata"]["version"], "digest": digest(name)} for name in entries}, indent=2
        )
    )
