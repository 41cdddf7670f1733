"""What is measured on a response."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygsm_kit import get
from tinygsm_kit.evaluate.fact_tokens import FactTokens
from tinygsm_kit.evaluate.metrics import (
    METRICS,
    Scorer,
    is_well_formed,
    mean_of_known,
    next_turn,
    pass_at,
    repeats_itself,
    strict_answer,
)


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(FactTokens([get("injector", "mul_tokens")]), count_tokens=lambda text: len(text.split()))


def score(
    scorer: Scorer, response: str, answer: str = "56", question: str = "What is 7 × 8?", limit: int = 100, operands=(7, 8)
):
    return scorer.score(response, answer=answer, question=question, limit=limit, operands=operands)


def test_a_perfect_response(scorer: Scorer) -> None:
    assert score(scorer, " So <MUL_7_8_56>.\n#### 56") == {
        "exact_match": 1.0,
        "exact_match_flexible": 1.0,
        "response_tokens": 4,
        "stopped": 1.0,
        "fact_tokens": 1,
        "fact_tokens_right": 1,
        "fact_tokens_wrong": 0,
        "fact_tokens_missed": 0,
        "true_equations": 1.0,
        "repetition": 0.0,
        "answer_format": 1.0,
    }


def test_every_response_has_every_metric(scorer: Scorer) -> None:
    assert list(score(scorer, "")) == list(METRICS)
    assert score(scorer, "")["true_equations"] is None


def test_without_a_tokenizer_nothing_is_said_of_length() -> None:
    scores = Scorer(FactTokens([])).score("#### 5", answer="5", question="", limit=9)
    assert scores.keys() == METRICS.keys() - {"response_tokens", "stopped"}


@pytest.mark.parametrize(
    ("response", "answer", "strict", "flexible"),
    [
        ("7 × 8 = 56\n#### 56", "56", 1, 1),
        ("The answer is 1,234.", "1234", 0, 1),
        ("#### 1,234", "1234", 1, 1),
        ("#### $18.00", "18", 1, 1),
        ("#### 18.", "18", 1, 1),
        ("She pays $18.00.", "18", 0, 1),
        ("#### <MUL_6_9_54>", "54", 1, 1),
        ("#### 6 × 9 = 54", "54", 1, 1),
        ("She pays <MUL_6_9_54>", "54", 0, 1),
        ("<MUL_6_9_54> So 12.\n#### 12", "12", 1, 1),
        ("<MUL_6_9_54> So 12.\n#### 12", "54", 0, 0),
        ("", "54", 0, 0),
        ("#### none", "54", 0, 0),
        ("#### 54\nUser: What is 7?\nAssistant: #### 7", "54", 1, 1),
        ("So 54.\nUser: What is 7?\nAssistant: #### 7", "7", 0, 0),
    ],
)
def test_exact_match(scorer: Scorer, response: str, answer: str, strict: int, flexible: int) -> None:
    scores = score(scorer, response, answer, "", operands=())
    assert (scores["exact_match"], scores["exact_match_flexible"]) == (strict, flexible)


def test_a_response_that_filled_its_room_was_cut_off(scorer: Scorer) -> None:
    assert score(scorer, "one two three", limit=3)["stopped"] == 0
    assert score(scorer, "one two", limit=3)["stopped"] == 1


def test_going_on_as_the_user_counts_as_length_but_not_as_answer(scorer: Scorer) -> None:
    scores = score(scorer, "#### 56\nUser: one two three", limit=6)
    assert (scores["exact_match"], scores["response_tokens"], scores["stopped"]) == (1, 6, 0)


def test_the_next_turn_is_read_from_the_prompt() -> None:
    assert next_turn("User: {question}\nAssistant:") == "\nUser:"
    assert next_turn("{question}\n") == ""
    assert Scorer(FactTokens([]), next_turn="").own_words("a\nUser: b") == "a\nUser: b"


def test_share_of_true_equations(scorer: Scorer) -> None:
    assert score(scorer, "3 × 4 = 12\n2 + 2 = 5\n<MUL_2_3_6>\n#### 6")["true_equations"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("text", "degenerate"),
    [
        ("7 × 8 = 56.\n#### 56", False),
        ("She pays 5 dollars. She pays 5 dollars. She pays 5 dollars. She pays 5 dol", True),
        ("so the total is 5\n" * 5, True),
        ("3 × 2 = 6, 3 × 3 = 9, 3 × 4 = 12, 3 × 5 = 15, 3 × 6 = 18.\n#### 18", False),
        ("the answer is 00000000000000000000000000000000", True),
        ("10 + 10 + 10 + 10 = 40\n#### 40", False),
        ("Day 1: 5\nDay 2: 5\nDay 3: 5\nDay 4: 5\n#### 20", False),
        ("", False),
    ],
)
def test_degenerate_repetition(text: str, degenerate: bool) -> None:
    assert repeats_itself(text) is degenerate


@given(
    st.lists(st.sampled_from(["a b", "c", "d e f g"]), max_size=6), st.lists(st.text("xyz", min_size=1), min_size=2, max_size=6)
)
def test_a_block_of_words_four_times_over_is_always_seen(start: list[str], block: list[str]) -> None:
    text = " ".join([*start, *block * 4, *block * (8 // len(block)), "cut"])
    assert repeats_itself(text)


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ("7 × 8 = 56.\n#### 56", True),
        ("#### 56\n", True),
        ("#### $1,234.50", True),
        ("#### 56 dollars", False),
        ("#### 56\n#### 56", False),
        ("#### 56\nDone.", False),
        ("56", False),
        ("so #### 56", False),
    ],
)
def test_answer_format(text: str, formatted: bool) -> None:
    assert is_well_formed(text) is formatted


@given(st.integers(-(10**9), 10**9), st.text())
def test_the_strict_answer_is_the_one_behind_the_first_mark(number: int, before: str) -> None:
    assert strict_answer(f"{before.replace('#', '')}\n#### {number}\n#### 7") == str(number)


def test_mean_of_known() -> None:
    assert mean_of_known([1.0, None, 0.5]) == 0.75
    assert mean_of_known([None]) is None


@given(st.integers(1, 12), st.data())
def test_pass_at_k_is_the_chance_of_drawing_a_right_sample(samples: int, data: st.DataObject) -> None:
    from itertools import combinations

    correct, k = data.draw(st.integers(0, samples)), data.draw(st.integers(1, samples))
    draws = list(combinations(range(samples), k))
    hit = sum(any(index < correct for index in draw) for draw in draws)
    assert math.isclose(pass_at(correct, samples, k), hit / len(draws))
