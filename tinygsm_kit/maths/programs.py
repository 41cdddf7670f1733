"""Programs that solve a problem: restore what a language model wrote, run it safely, count its operations.

A restored program is parseable Python whose last top-level function is the solution and is called without arguments.
"""

from __future__ import annotations

import ast

from tinygsm_kit.maths.restoration import ProgramError, restore, solution_function
from tinygsm_kit.maths.sandbox import run

__all__ = ["ProgramError", "difficulty", "restore", "run", "solution_function"]

_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)


def difficulty(program: str) -> int:
    """The number of arithmetic operations written in the program; a negative sign is none."""
    return sum(
        isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, _ARITHMETIC)
        for node in ast.walk(ast.parse(program))
    )
