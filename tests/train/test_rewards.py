import pytest

import tinygsm_kit
from tinygsm_kit import Problem

PROBLEM = Problem("0" * 16, "How many?", "def solution():\n    return 18", answer="18")


@pytest.mark.parametrize(
    ("completion", "strict", "flexible"),
    [
        ("9 × 2 = 18\n#### 18", 1.0, 1.0),
        ("#### $18.00", 1.0, 1.0),
        ("It is 18.", 0.0, 1.0),
        ("#### 17", 0.0, 0.0),
        ("", 0.0, 0.0),
    ],
)
def test_the_final_answer_decides(completion, strict, flexible):
    assert tinygsm_kit.get("reward", "exact_answer").reward(PROBLEM, completion) == strict
    assert tinygsm_kit.get("reward", "exact_answer", flexible=True).reward(PROBLEM, completion) == flexible


def test_a_problem_that_was_never_run_has_no_reward():
    with pytest.raises(ValueError, match="sample it first"):
        tinygsm_kit.get("reward", "exact_answer").reward(Problem("1" * 16, "q", "p"), "#### 1")
