"""Answers: normalised, parsed, compared, extracted from responses."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygsm_kit.maths.answers import AnswerError, extract_flexible, extract_strict, normalise, parse, same


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (18, "18"),
        (-5, "-5"),
        (170.0, "170"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.3"),
        (10 / 3, "3.333333"),
        (1e22, "10000000000000000000000"),
        (0.0000123456789, "0.0000123457"),
        (-0.05 / 3, "-0.0166667"),
        (5.5e-17, "0"),
        (123456789.125, "123456789.125"),
        (1234567, "1234567"),
        (Fraction(1, 3), "0.333333"),
        (Fraction(-7, 2), "-3.5"),
        (Fraction(6, 2), "3"),
        (Decimal("2.50"), "2.5"),
        (0.09999999999, "0.1"),
        (99.9999999, "100"),
    ],
)
def test_numbers_are_normalised(value: object, text: str) -> None:
    assert normalise(value) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (True, "answer_bool"),
        (None, "answer_none"),
        ("18", "answer_text"),
        (b"18", "answer_text"),
        ((1, 2), "answer_tuple"),
        ([1], "answer_list"),
        ({"a": 1}, "answer_dict"),
        ({1}, "answer_set"),
        (float("nan"), "answer_nan"),
        (float("inf"), "answer_inf"),
        (float("-inf"), "answer_inf"),
        (1j, "answer_type"),
        (Decimal("NaN"), "answer_type"),
    ],
)
def test_what_is_no_finite_number_is_refused_with_its_reason(value: object, reason: str) -> None:
    with pytest.raises(AnswerError) as caught:
        normalise(value)
    assert caught.value.reason == reason


def test_an_integer_that_cannot_be_printed_is_refused() -> None:
    with pytest.raises(AnswerError) as caught:
        normalise(10**5000)
    assert caught.value.reason == "answer_huge"


@given(st.one_of(st.integers(-(10**20), 10**20), st.floats(-1e15, 1e15), st.fractions(-(10**6), 10**6)))
def test_a_normalised_answer_parses_to_the_value_that_was_rounded(value: float | Fraction) -> None:
    text = normalise(value)
    assert "e" not in text
    assert "," not in text
    assert not ("." in text and text.endswith(("0", ".")))
    number = parse(text)
    assert number is not None
    assert abs(number - Fraction(value)) <= Fraction(1, 10**6)
    assert normalise(number) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$1,234.50", Fraction(2469, 2)),
        ("18.00", Fraction(18)),
        ("18.", Fraction(18)),
        ("50%", Fraction(50)),
        ("3/4", Fraction(3, 4)),
        ("-5", Fraction(-5)),
        ("−5", Fraction(-5)),
        ("-$5", Fraction(-5)),
        ("$-5", Fraction(-5)),
        ("**18**", Fraction(18)),
        ("\\boxed{18}", Fraction(18)),
        ("\\$5", Fraction(5)),
        (" 7 ", Fraction(7)),
        (".5", Fraction(1, 2)),
        ("1,234,567", Fraction(1234567)),
        ("x", None),
        ("", None),
        ("1,23", None),
        ("1 234", None),
        ("3 apples", None),
        ("<MUL_6_9_54>", None),
        ("1/0", None),
        ("9" * 5000, None),
    ],
)
def test_answer_texts_are_parsed_whole_or_not_at_all(text: str, value: Fraction | None) -> None:
    assert parse(text) == value


def test_answers_are_the_same_when_their_numbers_are() -> None:
    assert same("18", "$18.00")
    assert same("1,234", "1234")
    assert same("1/3", "0.333333")
    assert same("70%", "70")
    assert same("0.0166667", "0.016666666")
    assert not same("1234567", "1234568")
    assert not same("3.33", "3.333333")
    assert not same("0.0000123457", "0.00001")
    assert not same("18", "-18")
    assert not same("eighteen", "eighteen")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("so 6 × 3 = 18.\n#### 18", "18"),
        ("#### $1,200", "1200"),
        ("####18", "18"),
        ("#### **18**", "18"),
        ("#### -5", "-5"),
        ("#### −5", "-5"),
        ("#### \\boxed{18}", "18"),
        ("#### 18.", "18"),
        ("#### 18.00", "18"),
        ("#### $18.00.", "18"),
        ("#### 70%", "70"),
        ("#### 3/4", "0.75"),
        ("#### x\n#### 7", "7"),
        ("#### 7\nUser: more\n#### 8", "7"),
        ("#### .5", "0.5"),
        ("#### <MUL_6_9_54>", None),
        ("The answer is 18", None),
        ("####\n18", None),
        ("#### none", None),
        ("### 18", None),
    ],
)
def test_the_strict_answer_is_the_number_behind_the_mark(text: str, answer: str | None) -> None:
    assert extract_strict(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is 1,234", "1234"),
        ("The answer is 1,234.", "1234"),
        ("It costs $18.00.", "18"),
        ("It is 18.", "18"),
        ("so <MUL_6_9_54>", None),
        ("2 boxes, so <MUL_6_9_54>", "2"),
        ("<MUL_6_9_5", None),
        ("<SQR_12_144> 7", "7"),
        ("it is -5", "-5"),
        ("it is −5", "-5"),
        ("10-5", "5"),
        ("3 - 7", "7"),
        ("= -$5", "-5"),
        ("is $-3", "-3"),
        ("70% of them", "70"),
        ("it is 3/4", "0.75"),
        ("\\boxed{18}.", "18"),
        ("**18**", "18"),
        ("5, 6", "6"),
        ("5 apples and 6 pears.", "6"),
        ("1,234,567.50 dollars", "1234567.5"),
        ("costs $.50", "0.5"),
        ("none", None),
        ("", None),
    ],
)
def test_the_flexible_answer_is_the_last_number_outside_fact_tokens(text: str, answer: str | None) -> None:
    assert extract_flexible(text) == answer


@given(st.integers(-(10**9), 10**9), st.sampled_from(["{}", "{:,}", "${:,}", "**{}**", "{}.", "{:,}.00", "{} dollars"]))
def test_every_way_to_write_an_answer_is_read_back(value: int, form: str) -> None:
    written = form.format(value)
    assert extract_strict(f"7 × 8 = 56\n#### {written}") == str(value)
    assert extract_flexible(f"7 × 8 = 56, so the answer is {written}") == str(value)
