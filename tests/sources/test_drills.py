from collections import Counter
from fractions import Fraction

import pytest
from pydantic import ValidationError

from tinygsm_kit.maths import facts, programs
from tinygsm_kit.plugins import get
from tinygsm_kit.records import problem_id


def drilled(**options):
    return list(get("source", "drills", **options).problems())


def program_of(question, **options):
    return next(p for p in drilled(**options) if p.question == question).program


def test_the_table_asks_its_81_facts_in_the_words_of_the_probes():
    questions = {p.question for p in drilled(kinds=["mul_table"])}
    assert questions == {fact.question for fact in facts.probe_facts("mul_table")}
    assert "What is 7 × 8?" in questions


def test_programs_are_single_operations_or_show_the_working():
    assert program_of("What is 23 × 7?", kinds=["mul_multidigit"], hold_out=[]) == "def solution():\n    return 23 * 7\n"
    assert program_of("What is 47 + 38?", kinds=["addition"], hold_out=[]) == (
        "def solution():\n    tens = 40 + 30\n    ones = 7 + 8\n    return tens + ones\n"
    )
    assert program_of("What is 9 + 38?", kinds=["addition"], hold_out=[]) == (
        "def solution():\n    ones = 9 + 8\n    return 30 + ones\n"
    )
    assert program_of("What is 45 - 17?", kinds=["subtraction"], hold_out=[]) == (
        "def solution():\n    rest = 45 - 10\n    return rest - 7\n"
    )
    assert program_of("What is 56 ÷ 8?", kinds=["division"], hold_out=[]) == "def solution():\n    return 56 / 8\n"
    plain = program_of("What is 47 + 38?", kinds=["addition"], hold_out=[], working=False)
    assert plain == "def solution():\n    return 47 + 38\n"


def test_every_program_computes_its_fact():
    signs = {"×": "*", "+": "+", "-": "-", "÷": "/"}
    for problem in drilled(size=1_500, seed=3):
        _, _, left, sign, right = problem.question.rstrip("?").split()
        assert sign in signs
        expected = facts.Fact(int(left), sign, int(right)).value
        assert Fraction(programs.run(problem.program)) == expected, problem
        assert problem.difficulty == programs.difficulty(problem.program)


def test_probe_questions_are_kept_out_in_both_orders():
    suites = ("mul_multidigit", "addition", "subtraction", "division")
    probes = {fact.question for suite in suites for fact in facts.probe_facts(suite)}
    probes |= {fact.commuted.question for suite in ("mul_multidigit", "addition") for fact in facts.probe_facts(suite)}
    questions = {p.question for p in drilled()}
    assert len(questions) > 10_000
    assert not questions & probes
    assert probes & {p.question for p in drilled(hold_out=[])}


def test_rows_are_spread_evenly_over_kinds_and_facts():
    problems = drilled(kinds=["mul_table", "addition"], size=1_620)
    assert Counter(p.source for p in problems) == {"drills/mul_table": 810, "drills/addition": 810}
    assert set(Counter(p.question for p in problems if p.source == "drills/mul_table").values()) == {10}


def test_weights_decide_how_often_a_kind_comes():
    counts = Counter(p.source for p in drilled(kinds={"mul_table": 3, "addition": 1}, size=400))
    assert counts == {"drills/mul_table": 300, "drills/addition": 100}


def test_a_deliberate_repeat_has_a_numbered_id_and_nothing_else_is_doubled():
    problems = drilled(kinds=["mul_table"], repeat=3)
    assert len({p.id for p in problems}) == len(problems) == 243
    first = next(p for p in problems if p.question == "What is 7 × 8?")
    base = problem_id(first.question, first.program)
    assert [p.id for p in problems if p.question == first.question] == [base, f"{base}#2", f"{base}#3"]
    seeded = drilled(kinds=["mul_table"], repeat=3, seed=1)
    assert [p.id for p in seeded if p.question == first.question] == [base, f"{base}#1.2", f"{base}#1.3"]


def test_row_i_does_not_depend_on_the_size_but_on_the_seed():
    assert drilled(size=700)[:100] == drilled(size=100)
    assert drilled(size=100, seed=1) != drilled(size=100)


def test_ranges_widen_a_kind():
    questions = {p.question for p in drilled(kinds=["mul_table"], ranges={"mul_table": [[2, 12], [11, 12]]}, hold_out=[])}
    assert len(questions) == 22
    assert "What is 12 × 11?" in questions


def test_a_range_may_go_in_steps():
    questions = {
        p.question for p in drilled(kinds=["addition"], ranges={"addition": [[10, 30, 10], [10, 20, 10]]}, hold_out=[])
    }
    assert questions == {f"What is {left} + {right}?" for left in (10, 20, 30) for right in (10, 20)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ["mul_tables"]}, "mul_table"),
        ({"kinds": []}, "at least one kind"),
        ({"kinds": {"addition": 0}}, "weight above 0"),
        ({"ranges": {"addition": [[10, 30, 0], [1, 9]]}}, "greater than 0"),
        ({"hold_out": ["adition"]}, "found 'adition'"),
        ({"hold_out": ["mul_table"], "kinds": ["mul_table"]}, "nothing is left to drill of mul_table"),
        ({"sise": 3}, "sise"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(ValidationError, match=message):
        get("source", "drills", **options)
