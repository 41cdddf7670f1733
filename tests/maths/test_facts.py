from fractions import Fraction

import pytest

from tinygsm_kit.maths import facts
from tinygsm_kit.maths.facts import Fact

PINNED = {
    "mul_multidigit": ["What is 36 × 8?", "What is 67 × 6?", "What is 49 × 5?"],
    "addition": ["What is 33 + 90?", "What is 2 + 58?", "What is 55 + 64?"],
}


def test_a_fact_is_asked_in_one_wording():
    assert Fact(7, "×", 8).question == "What is 7 × 8?"
    assert Fact(47, "+", 38).question == "What is 47 + 38?"
    assert Fact(45, "-", 17).question == "What is 45 - 17?"
    assert Fact(56, "÷", 8).question == "What is 56 ÷ 8?"


@pytest.mark.parametrize(
    ("fact", "answer"), [((7, "×", 8), "56"), ((47, "+", 38), "85"), ((45, "-", 17), "28"), ((56, "÷", 8), "7")]
)
def test_answers(fact, answer):
    assert Fact(*fact).answer == answer


def test_a_division_with_remainder_has_a_value_but_no_answer():
    assert Fact(7, "÷", 2).value == Fraction(7, 2)
    with pytest.raises(ValueError, match="without remainder, found 7 ÷ 2"):
        _ = Fact(7, "÷", 2).answer


def test_the_suites_have_the_promised_sizes_and_ranges():
    assert {suite: len(facts.probe_facts(suite)) for suite in facts.PROBE_SUITES} == {
        "mul_table": 81,
        "mul_multidigit": 100,
        "addition": 100,
        "subtraction": 100,
        "division": 100,
    }
    assert facts.probe_facts("mul_table")[:2] == (Fact(1, "×", 1), Fact(1, "×", 2))
    assert all(10 <= f.left <= 99 and 2 <= f.right <= 9 for f in facts.probe_facts("mul_multidigit"))
    assert all(1 <= f.left <= 100 and 1 <= f.right <= 100 for f in facts.probe_facts("addition"))
    assert all(f.value > 0 for f in facts.probe_facts("subtraction"))
    assert all(f.value.denominator == 1 and 2 <= f.right <= 9 for f in facts.probe_facts("division"))


def test_no_suite_asks_anything_twice_even_commuted():
    for suite in ("mul_multidigit", "addition"):
        asked = facts.probe_facts(suite)
        assert len({frozenset((f.left, f.right)) for f in asked}) == len(asked)


def test_the_draw_never_changes():
    """Results of different runs and versions are comparable only while these stay what they are."""
    assert [f.question for f in facts.probe_facts("mul_multidigit")[:3]] == PINNED["mul_multidigit"]
    assert [f.question for f in facts.probe_facts("addition")[:3]] == PINNED["addition"]


def test_held_out_covers_both_operand_orders():
    kept_out = facts.held_out(["addition", "subtraction"])
    first = facts.probe_facts("addition")[0]
    assert {first, first.commuted} <= kept_out
    minus = facts.probe_facts("subtraction")[0]
    assert minus in kept_out
    assert minus.commuted not in kept_out


def test_an_unknown_suite_is_an_error():
    with pytest.raises(KeyError, match="adition"):
        facts.held_out(["adition"])
