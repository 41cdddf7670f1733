"""The built-in probe suites."""

import pytest

from tinygsm_kit import get
from tinygsm_kit.maths.facts import probe_facts
from tinygsm_kit.plugins import host

SIZES = {
    "mul_table": 81, "mul_multidigit": 100, "addition": 100, "subtraction": 100, "division": 100, "mul_commuted": 56,
    "forgetting": 108,
}  # fmt: skip


@pytest.mark.parametrize(("suite", "size"), SIZES.items())
def test_sizes_and_unique_ids(suite: str, size: int) -> None:
    probes = list(get("probe_suite", suite).probes())
    assert len(probes) == size
    assert len({probe.id for probe in probes}) == size
    assert len({probe.question for probe in probes}) == size
    assert {probe.suite for probe in probes} == {suite}


def test_every_built_in_suite_is_tried() -> None:
    built_in = {
        entry.name
        for entry in host().entries.values()
        if entry.kind == "probe_suite" and entry.plugin == "tinygsm_kit.evaluate"
    }
    assert built_in == set(SIZES)


@pytest.mark.parametrize("suite", ["mul_table", "mul_multidigit", "addition", "subtraction", "division"])
def test_drawn_suites_ask_the_fixed_facts(suite: str) -> None:
    probes = list(get("probe_suite", suite).probes())
    assert [(probe.question, probe.answer) for probe in probes] == [(fact.question, fact.answer) for fact in probe_facts(suite)]


def test_commuted_products_come_in_pairs() -> None:
    probes = list(get("probe_suite", "mul_commuted").probes())
    for ascending, descending in zip(probes[::2], probes[1::2], strict=True):
        assert (ascending.kind, descending.kind) == ("ascending", "descending")
        assert ascending.operands == descending.operands[::-1]
        assert ascending.answer == descending.answer


def test_forgetting_asks_each_fact_in_three_forms() -> None:
    probes = [probe for probe in get("probe_suite", "forgetting").probes() if probe.operands == (7, 8)]
    assert [(probe.kind, probe.question, probe.answer) for probe in probes] == [
        ("plain", "What is 7 times 8?", "56"),
        ("symbolic", "7 × 8 =", "56"),
        ("words", "What is seven times eight?", "56"),
    ]
