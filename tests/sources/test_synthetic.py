import re
from collections import Counter
from fractions import Fraction

import pytest
from pydantic import ValidationError

from tinygsm_kit.maths import programs
from tinygsm_kit.plugins import get
from tinygsm_kit.sources.templates import TEMPLATES, Draw
from tinygsm_kit.sources.templates.story import Story, template


def made(**options):
    return list(get("source", "synthetic", **options).problems())


def test_there_are_at_least_forty_templates_of_one_to_eight_steps():
    assert len(TEMPLATES) >= 40
    assert {t.steps for t in TEMPLATES.values()} == set(range(1, 9))


def test_all_operations_occur():
    text = "\n".join(p.program for p in made(size=1_500))
    for sign in (" + ", " - ", " * ", " / ", " // ", " % ", " / 100"):
        assert sign in text


@pytest.mark.parametrize("name", TEMPLATES)
def test_answers_are_sensible(name):
    """Never negative or zero, at most two decimals; and the declared steps are those of the program."""
    for problem in made(templates=[name], size=40, seed=5):
        answer = Fraction(programs.run(problem.program))
        assert answer > 0, problem
        assert (answer * 100).denominator == 1, problem
        assert programs.difficulty(problem.program) == problem.difficulty == TEMPLATES[name].steps, problem


@pytest.mark.parametrize("name", TEMPLATES)
def test_questions_name_what_the_program_uses(name):
    """Each number of two digits or more that the program starts from stands in the question, but for units."""
    units = {"60", "100", "12", "1000", "25", "10", "7"}
    for problem in made(templates=[name], size=30, seed=8):
        used = set(re.findall(r"(?<![\w.])\d\d+(?![\w.])", problem.program)) - units
        assert used <= set(re.findall(r"\d+", problem.question)), problem


def test_names_and_wordings_vary():
    questions = [p.question for p in made(templates=["give_away"], size=200)]
    assert len(set(questions)) > 180
    assert len({q.split()[0] for q in questions}) > 20


def test_one_problem_exactly():
    story = TEMPLATES["discount"].write(Draw(0, 0))
    assert isinstance(story, Story)
    assert story.program.startswith("def solution():\n    price = ")
    assert story.program.endswith("    sale_price = price - discount\n    return sale_price")


def test_row_i_is_decided_by_seed_and_index_alone():
    assert made(size=50) == made(size=200)[:50]
    assert made(size=50, seed=1) != made(size=50)
    source = get("source", "synthetic", size=200)
    assert source.read(123) == made(size=200)[123]


def test_few_problems_come_twice():
    ids = Counter(p.id for p in made(size=10_000))
    assert sum(ids.values()) - len(ids) < 100


def test_steps_can_be_limited():
    assert {p.difficulty for p in made(size=300, min_steps=2, max_steps=3)} == {2, 3}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"templates": ["discont"]}, "unknown template 'discont': did you mean 'discount'"),
        ({"min_steps": 9}, "no template has 9 to 8 steps"),
        ({"templates": ["give_away"], "min_steps": 2}, "no template has 2 to 8"),
        ({"max_step": 3}, "max_step"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(ValidationError, match=message):
        get("source", "synthetic", **options)


def test_two_templates_cannot_have_one_name():
    with pytest.raises(AssertionError, match="discount"):

        @template(1)
        def discount(draw):
            raise NotImplementedError
