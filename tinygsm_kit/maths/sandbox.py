"""Run programs of unknown origin in pydantic-monty's interpreter: a process apart, with limits, without files or network."""

from __future__ import annotations

import ast
import atexit
import os
import re
from typing import Any

from tinygsm_kit.maths.answers import AnswerError, normalise
from tinygsm_kit.maths.restoration import ProgramError, solution_function

SECONDS = 1.0
MEMORY_BYTES = 64_000_000
RECURSION_DEPTH = 200
PRINTED_BYTES = 100_000
_DEF = re.compile(r"^def[ ]+(\w+)", re.M)


class Sandbox:
    """A worker process of pydantic-monty. One program never sees what another one left behind."""

    def __init__(self, seconds: float = SECONDS, memory: int = MEMORY_BYTES, recursion: int = RECURSION_DEPTH) -> None:
        import pydantic_monty

        self._monty = pydantic_monty
        self._limits: Any = {
            "max_feed_duration_secs": seconds,
            "max_memory": memory,
            "max_recursion_depth": recursion,
            "max_suspensions": 1,
            "max_total_sleep_secs": 0.0,
        }
        self._pool: Any = pydantic_monty.Monty(max_processes=1, request_timeout=seconds + 5).__enter__()

    def evaluate(self, source: str) -> object:
        """The value of the source's last expression.

        Raises ProgramError: `timeout`, `memory`, `recursion`, `crash`, `unsupported`, `error`.
        """
        monty = self._monty
        try:
            with self._pool.checkout(limits=self._limits) as session:
                return session.feed_run(source, print_callback=monty.CollectString(PRINTED_BYTES))
        except monty.MontyRuntimeError as error:
            raise ProgramError(_REASONS.get(type(error.exception()), "error"), str(error)[:300]) from None
        except monty.MontySyntaxError as error:
            raise ProgramError("unsupported", str(error)[:300]) from None
        except monty.MontyCrashedError as error:
            raise ProgramError("timeout" if error.timed_out else "crash", str(error)[:300]) from None
        except monty.MontyError as error:
            raise ProgramError("error", str(error)[:300]) from None
        except (ValueError, RuntimeError, OverflowError) as error:  # a result that cannot be handed over
            raise ProgramError("error", str(error)[:300]) from None

    def close(self) -> None:
        """End the worker process."""
        if self._pool is not None:
            self._pool.__exit__(None, None, None)
            self._pool = None


_REASONS: dict[type[BaseException], str] = {TimeoutError: "timeout", MemoryError: "memory", RecursionError: "recursion"}
_sandbox: tuple[int, Sandbox] | None = None


def _own_sandbox() -> Sandbox:
    """This process's sandbox, started on first use; a forked child starts its own."""
    global _sandbox
    if _sandbox is None or _sandbox[0] != os.getpid():
        _sandbox = (os.getpid(), Sandbox())
        atexit.register(_sandbox[1].close)
    return _sandbox[1]


def run(program: str) -> str:
    """The normalised number that a restored program's last top-level function returns, computed in the sandbox.

    Raises ProgramError: a limit (`timeout`, `memory`, `recursion`), `error` for any exception of the program, `unsupported`
    for what pydantic-monty lacks, or the reason why the value is no answer (`answer_none`, `answer_text`, `answer_tuple`, …).
    """
    names = _DEF.findall(program)
    if not names:
        names = [solution_function(_parse(program)).name]
    value = _own_sandbox().evaluate(f"{program}\n{names[-1]}()")
    try:
        return normalise(value)
    except AnswerError as error:
        raise ProgramError(error.reason, str(error)) from None


def _parse(program: str) -> ast.Module:
    try:
        return ast.parse(program)
    except SyntaxError as error:
        raise ProgramError("syntax", str(error)) from None
