"""What every converter's solution must pass."""

import pytest

from tinygsm_kit.convert.verify import verify
from tinygsm_kit.records import Problem, Rejection, Solution

PROBLEM = Problem("p1", "How much?", "def solution(): return 12 * 3", answer="36")


def solution(*steps: str, answer: str = "36") -> Solution:
    return Solution("p1", steps, answer, "test", "1")


def test_a_true_solution_passes_as_it_is() -> None:
    good = solution("Cost: 12 × 3 = 36.", "That is 36 ÷ 5 = 7 remainder 1, about 36 / 5 ≈ 7.")
    assert verify(PROBLEM, good) is good


@pytest.mark.parametrize("answer", ["36.0", "$36", "36.", "72/2"])
def test_another_spelling_of_the_answer_becomes_the_programs(answer: str) -> None:
    passed = verify(PROBLEM, solution("12 × 3 = 36", answer=answer))
    assert passed == solution("12 × 3 = 36")


@pytest.mark.parametrize(
    ("steps", "answer", "reason", "detail"),
    [
        (
            ("She buys 12.", "Cost: 12 × 3 = 37."),
            "36",
            "false_equation",
            "12 × 3 = 37 is false, in the line: Cost: 12 × 3 = 37.",
        ),
        (
            ("So 2 × (3 + 4) = 15, 12 × 3 = 36",),
            "36",
            "false_equation",
            "2 × (3 + 4) = 15 is false, in the line: So 2 × (3 + 4) = 15, 12 × 3 = 36",
        ),
        (("one\n5 × 4 = 20.5\ntwo",), "36", "false_equation", "5 × 4 = 20.5 is false, in the line: 5 × 4 = 20.5"),
        (("12 × 3 = 36",), "35", "wrong_answer", "expected 36, found '35' as the answer"),
        (("12 × 3 = 36",), "thirty-six", "wrong_answer", "expected 36, found 'thirty-six' as the answer"),
        ((), "36", "no_steps", "expected at least one step of working, found none"),
        (("  ",), "36", "no_steps", "expected at least one step of working, found none"),
        (("#### 36",), "36", "answer_mark", "#### may stand before the answer only: #### 36"),
        (("so <MUL_4_9_36>",), "36", "fact_token", "<MUL_4_9_36> may come from an injector only: so <MUL_4_9_36>"),
    ],
)
def test_a_failing_solution_is_rejected_with_the_line_that_fails(
    steps: tuple[str, ...], answer: str, reason: str, detail: str
) -> None:
    assert verify(PROBLEM, solution(*steps, answer=answer)) == Rejection("p1", "convert", reason, detail)


def test_without_the_programs_answer_nothing_is_accepted() -> None:
    unrun = Problem("p1", "How much?", "def solution(): return 36")
    rejection = verify(unrun, solution("12 × 3 = 36"))
    assert isinstance(rejection, Rejection)
    assert rejection.reason == "no_answer"


def test_a_rounded_answer_must_be_the_programs_own_rounding() -> None:
    third = Problem("p1", "How much?", "", answer="3.333333")
    assert isinstance(verify(third, solution("10 / 3 ≈ 3.33", answer="10/3")), Solution)
    assert isinstance(verify(third, solution("10 / 3 ≈ 3.33", answer="3.33")), Rejection)
