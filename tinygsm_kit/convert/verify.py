"""The check that every converter's solution must pass: true equations, and the answer that the program gave.

What is checked is the text that a model will be trained on, whoever wrote it. Reasons are stable slugs; the detail names the
failing line, so that it can be sent back to the language model that wrote it.
"""

from __future__ import annotations

from dataclasses import replace

from tinygsm_kit.maths.answers import FACT_TOKEN, same
from tinygsm_kit.maths.equations import first_false
from tinygsm_kit.records import ANSWER_MARK, Problem, Rejection, Solution

STAGE = "convert"


def verify(problem: Problem, solution: Solution) -> Solution | Rejection:
    """The solution, its answer written as the program's, or a Rejection.

    Reasons: `no_answer` (the program was not run), `no_steps`, `answer_mark` (`####` inside the working),
    `fact_token` (text that looks like one), `false_equation`, `wrong_answer`.
    """
    if problem.answer is None:
        return _rejection(problem, "no_answer", "the program has no answer to hold the solution against: it was not run")
    steps = "\n".join(solution.steps)
    if not steps or steps.isspace():
        return _rejection(problem, "no_steps", "expected at least one step of working, found none")
    if ANSWER_MARK in steps:
        return _rejection(
            problem, "answer_mark", f"{ANSWER_MARK} may stand before the answer only: {_line(steps, steps.index(ANSWER_MARK))}"
        )
    token = FACT_TOKEN.search(steps) if "<" in steps else None
    if token is not None:
        return _rejection(problem, "fact_token", f"{token[0]} may come from an injector only: {_line(steps, token.start())}")
    equation = first_false(steps)
    if equation is not None:
        stated = f"{equation.left} {equation.sign} {equation.right}"
        return _rejection(problem, "false_equation", f"{stated} is false, in the line: {_line(steps, equation.start)}")
    if solution.answer == problem.answer:
        return solution
    if not same(solution.answer, problem.answer):
        return _rejection(problem, "wrong_answer", f"expected {problem.answer}, found {solution.answer!r} as the answer")
    return replace(solution, answer=problem.answer)


def _line(text: str, position: int) -> str:
    """The line around a position."""
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    return text[start : end if end >= 0 else len(text)].strip()


def _rejection(problem: Problem, reason: str, detail: str) -> Rejection:
    return Rejection(problem.id, STAGE, reason, detail)
