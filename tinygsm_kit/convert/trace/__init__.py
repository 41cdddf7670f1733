"""The `trace` converter: a program's executed calculations, told in words and numbers, with no model."""

from __future__ import annotations

import ast
from typing import ClassVar

from pydantic import Field

from tinygsm_kit import interfaces
from tinygsm_kit.convert.trace.quantities import PrecisionError, Quantity, UntellableError
from tinygsm_kit.convert.trace.statements import Returned, Run
from tinygsm_kit.convert.trace.wording import Cues
from tinygsm_kit.maths.answers import AnswerError, normalise, same
from tinygsm_kit.records import Problem, Rejection, Solution

_PLACES = (2, 4, 6, 8, 10)
"""Decimals of rounded numbers: as few as carry the calculation to its answer."""


class Options(interfaces.Options):
    """What the workings look like."""

    break_products: bool = Field(True, description="break products of larger numbers into single-digit facts")
    break_sums: bool = Field(
        False, description="add larger numbers digit by digit, partial products too: 350 + 40 = 390, so 390 + 2 = 392"
    )
    division_facts: bool = Field(True, description="tell divisions through their fact: 56 ÷ 8 = 7 since 7 × 8 = 56")
    max_steps: int = Field(40, ge=1, description="lines of a solution at most; a longer one is rejected")
    max_iterations: int = Field(40, ge=1, description="rounds of a loop that are told one by one; a longer loop is rejected")


class Trace:
    """Program to chain of thought by following the executed assignments. Deterministic, and needs no network."""

    Options: ClassVar[type[interfaces.Options]] = Options
    version: ClassVar[str] = "2"

    def __init__(self, options: interfaces.Options) -> None:
        assert isinstance(options, Options)
        self.options = options

    def convert(self, problem: Problem) -> Solution | Rejection:
        """The narration of a problem's program, or the reason why it cannot be told faithfully."""
        try:
            tree = ast.parse(problem.program)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return Rejection(problem.id, "convert", "syntax", str(error))
        cues = Cues(problem.question)
        try:
            steps, answer = self._tell(tree, cues, problem.program)
        except UntellableError as error:
            return Rejection(problem.id, "convert", error.reason, error.detail)
        except AnswerError as error:
            return Rejection(problem.id, "convert", error.reason, str(error))
        except RecursionError:
            return Rejection(problem.id, "convert", "too_deep", "an expression or recursion too deep to follow")
        return Solution(problem.id, tuple(steps), answer, "trace", self.version)

    def _tell(self, tree: ast.Module, cues: Cues, source: str) -> tuple[list[str], str]:
        options = self.options
        for places in _PLACES:
            final = places == _PLACES[-1]
            run = Run(
                cues,
                source,
                break_products=options.break_products,
                break_sums=options.break_sums,
                division_facts=options.division_facts,
                max_steps=options.max_steps,
                max_iterations=options.max_iterations,
                places=places,
                strict=not final,
            )
            try:
                outcome = run.solve(tree)
            except PrecisionError:
                continue
            quantity = outcome.value
            if quantity.__class__ is not Quantity:
                normalise(quantity)
                raise UntellableError("not_a_number", f"a {type(quantity).__name__} is returned")
            answer = normalise(quantity.value)
            if quantity.rounded and not final and not same(answer, quantity.text):
                continue
            return self._finish(run, outcome, quantity), answer
        raise AssertionError("the last round of decimals always ends")

    def _finish(self, run: Run, outcome: Returned, quantity: Quantity) -> list[str]:
        if abs(float(quantity.exact) - quantity.value) > 1e-9 * abs(quantity.value) + 1e-12:
            raise UntellableError("binary_noise", f"{quantity.text} is {quantity.value!r} in binary arithmetic")
        lines = run.story.leading_to(outcome.needs)
        lines[:-1] = [f"So far{line[6:]}" if line.startswith(("Answer:", "Answer,")) else line for line in lines[:-1]]
        if quantity.kind == "fraction":
            above, below = quantity.exact.as_integer_ratio()
            sign = "≈" if quantity.rounded else "="
            lines.append(f"{'As a decimal' if lines else 'Answer'}: {above} ÷ {below} {sign} {quantity.text}.")
        if len(lines) > self.options.max_steps:
            raise UntellableError("too_long", f"more than {self.options.max_steps} lines")
        amount = f"${quantity.text}" if quantity.unit == "$" and quantity.exact >= 0 else quantity.text
        return lines or [f"The answer is {amount}."]
