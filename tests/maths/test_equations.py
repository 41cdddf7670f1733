"""Equations in running text: what is read as arithmetic, and whether it is true."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygsm_kit.maths.equations import find, first_false, format_number, holds

TRUE = [
    "10 × 5 = 50",
    "Tray total: 10 trays × $50 = $500.",
    "3 hours × 4 = 12 hours",
    "2 × (3 + 4) = 14",
    "5^(2 × 3) = 15625",
    "10 - 3 = 7",
    "1/3 ≈ 0.33",
    "12 ÷ 5 = 2 remainder 2",
    "12 ÷ 5 = 2 R 2",
    "12 ÷ 5 = 2 R2",
    "2 + 3 × 4 = 14",
    "106 * 9 = 954",
    "The ratio is 3:2, so 3 + 2 = 5 parts",
    "50% of 80 = 40",
    "20% × 50 = 10",
    "1/4 of 20 = 5",
    "7 1/2 = 15/2",
    "15 / 2 = 7 1/2",
    "10 / 3 = 3.33...",
    "10 / 3 = 3.34...",
    "- 3 × 4 = 12",
    "**3 × 4 = 12**",
    "\\frac{1}{2} = 0.5",
    "Cost of 3 apples = 3 × 2 = 6",
    "3 dozen = 3 × 12 = 36",
    "1.5 hours = 1.5 × 60 = 90 minutes",
    "2 × 30 minutes = 1 hour",
    "For 10 boxes - 5 × 3 = 15.",
    "2 × 3 = 6 apples - 2 each",
    "10 apples - 4 apples = 6 apples",
    "5 kg × 3 = 15 kg",
    "3² = 9",
    "2 ** 3 = 8",
    "-5 + 3 = -2",
    "5 - -3 = 8",
    "$-5 + $3 = -$2",
    "Total = 5 × 10 = 50",
    "Day 2 = 5 + 3 = 8",
    "1. 3 × 4 = 12",
    "Step 1: 3 × 4 = 12",
    "3 × 4\n= 12",
    "3 x 4 = 12",
    "5(3 + 4) = 35",
    "12 divided by 4 = 3",
    "1,234.50 + 0.5 = 1,235",
    "365 × 6: 3 × 6 = 18, 6 × 6 = 36, 5 × 6 = 30, so 1800 + 360 + 30 = 2190",
    "100 - 20% × 100 = 80",
    "4 × 25 cents = $1",
    "4 × 25 cents = 100 cents = $1",
    "3 + 4 = 7 (apples)",
    "1/2 + 1/3 = 5/6",
    "0.1 + 0.2 = 0.3",
    "3rd × 4 = 12",
    "5 × 4 = 20 apples.",
    "5 apples, 3 × 4 = 12",
    "10 -3 = 7",
    "10-5=5",
    "7 × 8 = 56, 000",
    "30 minutes × 4 = 2 hours",
    "60 miles/hour × 2 hours = 120 miles",
    "$5/hour × 3 hours = $15",
    "2 million + 500,000 = 2,500,000",
    "(5 apples + 3 apples) × 2 = 16",
    "5 + 3 (apples) = 8",
    "4 × 4 = 2⁴",
    "3 × 4 = 12 - that's all",
    "2 x -3 = -6",
    "2 plus 3 × 4 = 14",
    "12 divided by 2 + 3 = 9",
    "12 ÷ 4 = 3 remainder 0",
    "48/2 = <<48/2=24>>24",
    "3 × 4 = 12! Great",
    "20/50 × 100 = 40",
    "5 × 3 = 15 = 3 × 5",
    "5 - 5 × 0 = 5",
    "$10 × (1 - 20%) = $8",
    "1.5 × $2.50 = $3.75",
    "10 / 3 ≈ 3",
    "2/3 ≈ 67%",
    "10 / 4 ≈ 2.5 × 1",
    "-3 × 4 = -12",
    "15 - 20 = -5",
    "$15 - $20 = -$5",
    "0.5 × 10 = 5.0",
    "80% × 50 students = 40 students",
    "1/2 × 1/2 = 1/4",
    "1 1/2 + 1 1/2 = 3",
    "100 / 6= 16 and (2/3)",
    "17/3 = 5 and 2/3",
    "12 x 1 and 1/4 = 15",
    "3 / 1/4 = 12",
    "2 cups / 1/4 cup/burger = 8 burgers",
    "60 / 3/4 = 80 years",
    "3*2=6 billion miles",
    "32 - 28 = $4 million",
    "1/3 of Solomon = 66/3 = 22",
    "3/(1/4)=12 times.",
    "30 minutes/week + 60 minutes/week + 40 minutes/week = 130 minutes/week\nThen",
    "360 miles / 4.5 hours = 80 miles/hour.",
    "4 * 12 times = 48 times",
    "10/30 * 100% = 33.333...%",
    "13 / 6 = 2 full cycles with a remainder of 1",
    "3 - 1 = 2 extra times.",
    "2 × 3 = 6 and 1/4 = 0.25",
]

FALSE = [
    "10 × 5 = 51",
    "Tray total: 10 trays × $50 = $501.",
    "3 hours × 4 = 13 hours",
    "2 × (3 + 4) = 15",
    "5^(2 × 3) = 6",
    "10 − 3 = 8",
    "5 × 4 = 20.5",
    "1/3 = 0.33",
    "1/3 ≈ 0.34",
    "12 ÷ 5 = 2 remainder 3",
    "12 ÷ 5 = 2",
    "3 × 4 = 12 = 13",
    "3 × 4 = 12 + 1 = 13",
    "3 × 4 = 12,000",
    "20% of $50 = $11",
    "- 3 × 4 = 13",
    "* 3 × 4 = 13",
    "3 × 4 = **13**",
    "\\(3 \\times 4 = 13\\)",
    "\\frac{1}{2} \\times 3 = 1.6",
    "Cost of 3 apples = 3 × 2 = 7",
    "For 10 boxes - 5 × 3 = 16.",
    "10 apples - 4 apples = 7",
    "5kg × 3 = 16kg",
    "3² = 10",
    "2 ** 3 = 9",
    "Total = 5 × 10 = 51",
    "12 = 3 × 5",
    "so 12 = 3 × 5",
    "Day 2 = 5 + 3 = 9",
    "1) 3 × 4 = 13",
    "3 × 4\n= 13",
    "5 =\n 2 + 4",
    "3 x 4 = 13",
    "3x4=13",
    "5(3 + 4) = 36",
    "3 times 4 = 13",
    "10 × 5 = 50 × 2 = 100",
    "(3 × 4 = 13)",
    "3 + 4 = 8 (apples)",
    "3 × 4 = 12 × 2",
    "5 × 4 = 21 apples.",
    "$5 × 3 = $15 and 2 × 4 = 9",
    "10 -3 = 8",
    "10-5=6",
    "2 hours × 60 minutes = 130 minutes",
    "2 hours × 60 = 130 minutes",
    "4 × 25 cents = $2",
    "60 miles/hour × 2 hours = 130 miles",
    "$5 per hour × 3 hours = $16",
    "(5 apples + 3 apples) × 2 = 17",
    "5 + 3 (apples) = 9",
    "2 × 5 = 10 apples - 3 apples = 7 apples",
    "2 × 5 = 10 - 3 = 7",
    "3 × 4 = 13 - that's all",
    "y + 3 = 10 - 2 = 9",
    "x = 5 × 3 = 16",
    "2 plus 3 × 4 = 12",
    "12 divided by 2 + 3 = 5",
    "12 ÷ 4 = 3 remainder 1",
    "48/2 = <<48/2=25>>25",
    "'3 + 4 = 8'",
    "2 + 2 = 4, 3 + 3 = 7",
    "3 × 4 = 12 apples × 2 = 24 apples",
    "10 = 5 + 5 = 11",
    "$10 × (1 - 0.2) = $8.01",
    "2 / 3 ≈ 0.6",
    "2/3 ≈ 66%",
    "So 5 × 6 = 30 and 30 + 2 = 33.",
    "3 × 4 = 12\n12 + 5 = 18",
    "3 × 4 = 12\n= 13",
    "* 3 × 4 = 12\n* 3 × 4 = 13",
    "-3 × 4 = 12",
    ".5 × 10 = 6",
    "1 1/2 + 1 1/2 = 4",
    "17/3 = 5 and 1/3",
    "3 / 1/4 = 13",
    "3*2=7 billion miles",
    "2 million + 3 million = 6 million",
    "3/(1/4)=13 times.",
    "30 minutes/week + 60 minutes/week = 130 minutes/week\nThen",
    "13 / 6 = 2 full cycles with a remainder of 2",
    "13 / 6 = 2",
    "5 eggs/day × 3 days = 16 eggs",
    "2 × 3 = 7 and 1/4 = 0.25",
]

NO_ARITHMETIC = [
    "x = 5",
    "2x + 3 = 13",
    "= 7.",
    "3:2 = 6:4",
    "between 10-15 = 6 pages",
    "4) = 14",
    "price × 3 = 15",
    "10 = 5 + x",
    "2024-01-15",
    "<MUL_3_4_12> + 2 = 13",
    "6 ÷ 0 = 3",
    "2n + 3 = 9",
    "a = 3, b = 4",
    "1,00,000 / 10 = 10000",
    "2 hours + 30 minutes = 150 minutes",
    "max(3, 4) + 1 = 5",
    "2e3 × 2 = 4000",
    "17 % 5 = 2",
    "3 × 4 = 12½",
    "2x - 3 = 7",
    "2x -3 = 7",
    "3x = 12",
    "3 * x = 12",
    "2 x + 3 = 13",
    "3^64^64 = 1",
    "3 × 4 = 12 remainder 1",
    "10% = 0.1",
    "≈ 3.33",
    "7 boxes (3 in each) = 21",
    "half of 20 = 10",
    "There are 7 adults + Shonda (1) + 2 kids + 10 of friends = 20",
    "100 boxes x 100 kg/box = 10 000 kg",
    "17 pounds of apple because20-3 = 17",
    "5 × 10 000 = 50 000",
]


def verdict(text: str) -> bool | None:
    """False where one equation is, else True where one is, else None."""
    verdicts = [holds(equation) for equation in find(text)]
    return False if False in verdicts else True if True in verdicts else None


@pytest.mark.parametrize("text", TRUE)
def test_true_statements_are_true(text: str) -> None:
    assert verdict(text) is True
    assert first_false(text) is None


@pytest.mark.parametrize("text", FALSE)
def test_false_equations_are_found(text: str) -> None:
    assert verdict(text) is False
    found = first_false(text)
    assert found is not None
    assert found in list(find(text)) or "\n" in text


@pytest.mark.parametrize("text", NO_ARITHMETIC)
def test_what_is_no_arithmetic_has_no_verdict(text: str) -> None:
    assert verdict(text) is None
    assert first_false(text) is None


@pytest.mark.parametrize(
    "text",
    ["(" * 500 + "1 + " + ")" * 500 + " × 2 = 2", "1" * 5000 + " + 1 = 2", "-" * 3000 + "1 + 1 = 2", "9^" * 50 + "9 = 1",
     "= ≈ = × ÷ ( [ $ % , . 1", "1 ÷ 0 = 0", "3 × = 4 × =", "√" * 50 + "= 3 + 4"],
)  # fmt: skip
def test_hostile_text_is_survived(text: str) -> None:
    assert verdict(text) is None
    assert first_false(text) is None


def test_a_chain_gives_each_of_its_links_where_it_stands() -> None:
    text = "So 2 × 3 = 6 = 12 ÷ 2."
    first, second = find(text)
    assert (first.left, first.sign, first.right) == ("2 × 3", "=", "6")
    assert (second.left, second.sign, second.right) == ("6", "=", "12 ÷ 2")
    assert text[first.start : first.end] == "2 × 3 = 6"
    assert text[second.start : second.end] == "6 = 12 ÷ 2"


def test_a_range_is_no_false_difference() -> None:
    assert verdict("pages 10-15 = 6 pages") is None
    assert verdict("15-10 = 6") is False
    assert verdict("10 - 15 = 6") is False
    assert verdict("2 + 10-15 = 6") is False


def test_the_first_false_equation_is_named_with_its_place() -> None:
    text = "Cost: 3 × 4 = 12.\nThen (2 + 3) × 4 = 21 and 1 + 1 = 3."
    found = first_false(text)
    assert found is not None
    assert text[found.start : found.end] == "(2 + 3) × 4 = 21"
    assert (found.left, found.right) == ("(2 + 3) × 4", "21")


def test_rounding_is_allowed_to_half_a_unit_of_the_last_place_and_no_more() -> None:
    assert verdict("10 / 8 ≈ 1.3") is True
    assert verdict("10 / 8 ≈ 1.2") is True
    assert verdict("10 / 8 ≈ 1.25") is True
    assert verdict("10 / 8 ≈ 1.24") is False
    assert verdict("10 / 8 = 1.3") is False
    assert verdict("199 / 2 ≈ 100") is True
    assert verdict("198 / 2 ≈ 100") is False


# ------------------------------------------------------------------------------------------------------ properties

SIGNS = {"+": ["+", " + ", " plus "], "-": [" - ", " − ", "−", " minus "],
         "×": ["×", " × ", " * ", "*", " x ", " · ", " times "],
         "÷": [" ÷ ", " / ", "/", "÷", " divided by "]}  # fmt: skip


@st.composite
def calculations(draw: st.DrawFn) -> tuple[str, Fraction]:
    """A written calculation of two to four operands, with its value by an evaluation of its own."""
    operands = draw(st.lists(st.integers(1, 5000), min_size=2, max_size=4))
    operators = [draw(st.sampled_from("+-×÷")) for _ in operands[1:]]
    python = str(operands[0])
    text = draw(numeral(operands[0]))
    for operator, operand in zip(operators, operands[1:], strict=True):
        python += {"×": "*", "÷": "/"}.get(operator, operator) + f"Fraction({operand})"
        text += draw(st.sampled_from(SIGNS[operator])) + draw(numeral(operand))
    return text, Fraction(eval(f"Fraction({python})"))


def numeral(value: int) -> st.SearchStrategy[str]:
    """A number in one of the ways in which it may be written."""
    return st.sampled_from([str(value), f"{value:,}", f"{value}.0", f"${value}", f"{value} apples"])


@given(calculations(), st.sampled_from(["{}", "So {}", "Total: {}", "- {}", "She pays {}", "A line.\n{}", "1. {}"]),
       st.sampled_from([".", " apples.", ", so", "", " in all\nThen", "!"]))  # fmt: skip
def test_calculations_are_decided_as_an_evaluation_of_their_own_decides(
    calculation: tuple[str, Fraction], frame: str, tail: str
) -> None:
    text, value = calculation
    above, below = value.numerator, value.denominator
    exact = str(above) if below == 1 else f"{above}/{below}"
    shown = f"{float(round(value, 2)):.2f}"
    assert verdict(frame.format(f"{text} = {exact}{tail}")) is True
    assert verdict(frame.format(f"{text} ≈ {shown}{tail}")) is True
    assert verdict(frame.format(f"{text} = {above + below}{tail}" if below == 1 else f"{text} = {shown}{tail}")) in (
        (False,) if below == 1 or Fraction(shown) != value else (True,)
    )


PIECES = st.sampled_from(
    ["3", "4", "12", "7", "1,234", "2.5", "$5", "50%", "0", "1/2", "×", "x", "*", "+", "-", "−", "÷", "/", "=", "≈", "(", ")",
     "apples", "hours", "and", "so", "of", "times", "a", "x", "million", "R", ".", ",", ":", ";",
     "\n", " ", " ", " ", " ", "²", "^"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join))
def test_the_quick_way_agrees_with_the_parser(text: str) -> None:
    found = first_false(text)
    assert (found is None) == (verdict(text) is not False)


AROUND = st.lists(
    st.sampled_from(
        ["2 ", "+ ", "× ", "x ", "of ", "50% of ", "times ", "by ", "(", ") ", ", ", ". ", ": ", "so ", "we get ", "- ", "$",
         "= ", "≈ ", "7 ", "apples ", "million ", "remainder 0 ", "R ", "and 1/2 ", "/", "%", "\n", "… ", "! ", "1,000 "]
    ),
    max_size=5,
).map("".join)  # fmt: skip


@given(AROUND, st.integers(2, 30), st.sampled_from("×+-÷*"), st.integers(2, 30), st.sampled_from([0, 0, 0, 1]), AROUND)
def test_the_quick_way_agrees_around_plain_equations(before: str, a: int, sign: str, b: int, error: int, after: str) -> None:
    result = {"×": a * b, "*": a * b, "+": a + b, "-": a - b, "÷": Fraction(a, b)}[sign] + error
    for text in (f"{before}{a} {sign} {b} = {result}{after}", f"{before}{a} {sign} {b} = {result} {after}"):
        assert (first_false(text) is None) == (verdict(text) is not False), text


# ---------------------------------------------------------------------------------------------------- printed numbers


@pytest.mark.parametrize(
    ("value", "text", "exact"),
    [(7, "7", True), (1234567, "1234567", True), (0.1 + 0.2, "0.3", True), (10 / 3, "3.33", False), (2 / 3, "0.67", False),
     (Fraction(1, 30), "0.0333", False), (Fraction(1, 8), "0.125", True), (0.0625, "0.0625", True), (-3.5, "-3.5", True),
     (170.0, "170", True), (2.675 * 3, "8.025", True), (1e15, "1000000000000000", True), (Fraction(22, 7), "3.14", False),
     (-0.05, "-0.05", True), (0.0012345, "0.00123", False), (99.999, "99.999", True), (1e-7, "0.0000001", True)],
)  # fmt: skip
def test_numbers_are_printed_as_a_person_would(value: float | Fraction, text: str, exact: bool) -> None:
    assert format_number(value) == (text, exact)


@given(st.one_of(st.fractions(-10_000, 10_000), st.integers(-(10**9), 10**9)))
def test_a_printed_number_is_its_value_or_rounds_it(value: Fraction | int) -> None:
    text, exact = format_number(value)
    assert re.fullmatch(r"-?\d+(\.\d*[1-9])?", text)
    if exact:
        assert Fraction(text) == value
    else:
        assert Fraction(text) != value
        places = max(len(text.partition(".")[2]), 2)
        assert abs(Fraction(text) - value) <= Fraction(1, 2 * 10**places)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_printed(value: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        format_number(value)
