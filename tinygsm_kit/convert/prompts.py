"""The prompt that asks a language model to tell a program as a person would. `PROMPT_VERSION` goes up when its words change."""

from __future__ import annotations

from tinygsm_kit.interfaces import Options
from tinygsm_kit.records import Problem, Solution

PROMPT_VERSION = "1"

INSTRUCTIONS = """\
You turn a short Python program that solves a word problem into the working a patient teacher would write on the board.

Rules:
- Follow the program's own steps in its order. Never use another method, and never mention code, variables or functions.
- One short step a line. Say in words what is being worked out, keep units such as $, % and hours, then give the equation.
- Write every multiplication as `a × b = c`, with the sign ×.
- Break a product of multi-digit numbers into single-digit facts before giving its result. For 24 × 7 write: \
2 × 7 = 14, so 20 × 7 = 140. 4 × 7 = 28. 140 + 28 = 168, so 24 × 7 = 168.
- Every equation must be exactly true. Where a result is rounded write ≈ instead of =.
- The final answer is the number that the program returns, without unit, and equals the last step's result.
"""

QUESTION = """\
Problem:
{question}

Program:
{program}

Answer: {answer}"""

REPAIR = """\
That working was rejected: {fault}
Write the whole working again with this mended. Keep to all the rules."""


class Example(Options):
    """A worked example shown to the model before the problem."""

    question: str
    program: str
    answer: str
    steps: list[str]


EXAMPLES = (
    Example(
        question="A farmer packs 12 boxes with 36 eggs each and sells them for $0.25 an egg. How much does he earn?",
        program="boxes = 12\neggs_per_box = 36\nprice = 0.25\n"
        "eggs = boxes * eggs_per_box\nearned = eggs * price\nreturn earned",
        answer="108",
        steps=[
            "The farmer packs 12 boxes of 36 eggs, so first find how many eggs.",
            "2 × 6 = 12 and 2 × 3 = 6, so 2 × 36 = 12 + 60 = 72. 10 × 36 = 360. 360 + 72 = 432, so 12 × 36 = 432 eggs.",
            "Each egg sells for $0.25, which is a quarter of a dollar: 432 ÷ 4 = 108, so 432 × 0.25 = $108.",
        ],
    ),
)


def question_text(template: str, problem: Problem) -> str:
    """The template with the problem's fields put in; braces of the problem's own text stay as they are."""
    return _filled(template, question=problem.question, program=problem.program, answer=problem.answer or "")


def example_text(template: str, example: Example) -> str:
    """The template with an example's fields put in."""
    return _filled(template, question=example.question, program=example.program, answer=example.answer)


def _filled(template: str, **fields: str) -> str:
    for name, value in fields.items():
        before, mark, after = template.partition("{" + name + "}")
        template = before + (value.replace("{", "\0") if mark else "") + after
    return template.replace("\0", "{")


def solution_of(problem: Problem, steps: list[str], answer: str, converter: str, version: str) -> Solution:
    """A Solution from what a model said: one step a line, an answer mark of its own dropped, `18.00` and `$18` read as 18."""
    from tinygsm_kit.maths.answers import normalise, parse

    lines = [line.strip() for step in steps for line in step.splitlines()]
    kept = tuple(line for line in lines if line and not line.startswith("####"))
    number = parse(answer)
    return Solution(problem.id, kept, answer.strip() if number is None else normalise(number), converter, version)
