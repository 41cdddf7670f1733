"""Workings in single-digit facts: every fact true, and together they give the result."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygsm_kit.convert.trace.quantities import decimal, rounded
from tinygsm_kit.convert.trace.working import (
    MAX_PARTIALS,
    added_by_places,
    chain,
    digits_of,
    division_steps,
    partial_products,
    sum_by_places,
)

FACT = re.compile(r"([\d.]+) ([×÷+]) ([\d.]+) = ([\d.]+)")
OPERATIONS = {"×": lambda a, b: a * b, "+": lambda a, b: a + b, "÷": lambda a, b: a / b}
decimals = st.builds(lambda value, places: decimal(Fraction(value, 10**places)), st.integers(1, 99_999), st.integers(0, 3))


def facts_are_true(text):
    for left, sign, right, result in FACT.findall(text):
        assert OPERATIONS[sign](Fraction(left), Fraction(right)) == Fraction(result), text


@given(decimals, decimals)
def test_partial_products_add_up(left, right):
    working = partial_products(left, right)
    if working is None:
        return
    head, facts, addends = working
    facts_are_true(facts)
    assert len(FACT.findall(facts)) <= MAX_PARTIALS
    if addends:
        assert head == f"{left} × {right}"
        assert sum(map(Fraction, addends.split(" + "))) == Fraction(left) * Fraction(right)


@given(st.integers(1, 120_000), st.integers(1, 500))
def test_division_steps_are_true_and_go_through_facts(above, below):
    working = division_steps(above, below)
    if working is None:
        return
    facts_are_true("; ".join(working))
    for times, divisor, _ in re.findall(r"since (\d+) × (\d+) = (\d+)", working[1]):
        assert int(divisor) <= 9
        assert int(times) <= 9 or set(times[1:]) == {"0"}


@pytest.mark.parametrize(
    ("above", "below", "working"),
    [
        (56, 8, ("", "since 7 × 8 = 56")),
        (600, 3, ("", "6 ÷ 3 = 2 since 2 × 3 = 6")),
        (2000, 500, ("", "20 ÷ 5 = 4 since 4 × 5 = 20")),
        (15, 2, ("15 ÷ 2", "2 into 15 goes 7 times since 7 × 2 = 14, 1 left over, and 1 ÷ 2 = 0.5")),
        (66, 2, ("66 ÷ 2", "2 into 6 goes 3 times since 3 × 2 = 6; again 2 into 6 goes 3 times")),
        (96, 24, None),
        (3, 7, None),
    ],
)
def test_divisions_read_as_taught(above, below, working):
    assert division_steps(above, below) == working


@given(st.lists(st.integers(1, 99_999), min_size=2, max_size=6))
def test_sums_by_places_are_true_and_carry_from_one_digit_at_a_time(addends):
    steps, last = added_by_places(tuple(map(str, addends)))
    facts_are_true(f"{steps}, {last} = {sum(addends)}")
    added = [digit for _, _, digit, _ in FACT.findall(f"{steps}, {last} = {sum(addends)}")]
    assert all(set(digit[1:]) <= {"0"} for digit in added)
    assert sum(map(int, added)) == sum(addends[1:])


@given(st.integers(1, 9999), st.integers(1, 9999))
def test_sums_of_two_numbers_come_to_their_sum(left, right):
    working = sum_by_places(str(left), str(right))
    if working is None:
        return
    head, steps = working
    assert head == f"{left} + {right}"
    facts_are_true(f"{steps} = {left + right}")


@pytest.mark.parametrize(
    ("left", "right", "steps"),
    [
        ("47", "38", "47 + 30 = 77, so 77 + 8"),
        ("9", "38", "38 + 9"),
        ("60", "11", "11 + 60"),
        ("123", "45", "123 + 40 = 163, so 163 + 5"),
        ("45", "123", "123 + 40 = 163, so 163 + 5"),
        ("38", "9", None),
        ("11", "60", None),
        ("7", "8", None),
        ("20", "30", None),
        ("100", "27", None),
        ("47", "0", None),
        ("4.5", "12", None),
        ("12345", "12", None),
    ],
)
def test_sums_are_broken_where_that_helps(left, right, steps):
    assert sum_by_places(left, right) == (steps and (f"{left} + {right}", steps))


def test_digits_keep_their_places():
    assert digits_of("10.50") == [(1, 1), (5, -1)]


def test_adding_a_negative_number_is_subtracting():
    assert chain(["20", "-5", "-3"], [20, -5, -3], [False, False, True]) == "20 - 5 + 3"


@given(st.fractions(-1000, 1000), st.integers(0, 8))
def test_rounding_shows_the_nearest_number(value, places):
    text, shown = rounded(value, places)
    assert Fraction(text) == shown
    assert abs(shown - value) <= Fraction(1, 2 * 10**places)


@pytest.mark.parametrize(
    ("above", "below", "steps"),
    [
        (240, 40, "24 ÷ 4 = 6 since 6 × 4 = 24"),
        (8000, 40, "8 ÷ 4 = 2 since 2 × 4 = 8, so 800 ÷ 4 = 200"),
        (1500, 50, "15 ÷ 5 = 3 since 3 × 5 = 15, so 150 ÷ 5 = 30"),
    ],
)
def test_equations_of_a_shortened_division_never_run_into_each_other(above, below, steps):
    assert division_steps(above, below) == ("", steps)
