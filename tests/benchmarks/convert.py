"""Problems a second of trace + verify + inject, beside bare `compile` + `exec` and pydantic-monty, on one core.

    python tests/benchmarks/convert.py [FOLDER]

FOLDER holds JSONL files with `question` and `code` (default: ../shared/data/tinygsm beside the repository). All lanes run
the same restored programs in one run, in turns, and the best turn of each counts. The last line is one JSON object.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from tinygsm_kit.convert.trace import Trace
from tinygsm_kit.convert.verify import verify
from tinygsm_kit.inject.mul_tokens import MulTokens
from tinygsm_kit.maths.programs import ProgramError, difficulty, restore, run, solution_function
from tinygsm_kit.records import Problem, Rejection, problem_id

ROUNDS = 5


def restored(folder: Path) -> list[Problem]:
    """The problems whose programs can be restored and return a finite number."""
    problems = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.open(encoding="utf-8"):
            row = json.loads(line)
            try:
                program = restore(row["code"])
                answer = run(program)
            except ProgramError:
                continue
            key = problem_id(row["question"], program)
            problems.append(Problem(key, row["question"], program, answer, difficulty(program), "tinygsm"))
    return problems


def seconds(work: Callable[[], object]) -> float:
    """CPU-bound wall time of one pass."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def convert_all(problems: list[Problem]) -> tuple[int, int]:
    """Rows converted and verified, and how many of them carry a fact token."""
    trace, injector = Trace(Trace.Options()), MulTokens(MulTokens.Options())
    converted = carrying = 0
    for problem in problems:
        solution = trace.convert(problem)
        if isinstance(solution, Rejection) or isinstance(solution := verify(problem, solution), Rejection):
            continue
        converted += 1
        carrying += "<MUL_" in injector.inject(solution.text)
    return converted, carrying


def execute_all(calls: list[tuple[str, str]]) -> float:
    """Seconds of bare compile + exec + call; only ever run in a child process."""

    def work() -> None:
        for source, name in calls:
            names: dict[str, object] = {"__name__": "program"}
            try:
                exec(compile(source, "program", "exec"), names)
                names[name]()  # type: ignore[operator]
            except Exception:
                continue

    with redirect_stdout(io.StringIO()):
        return seconds(work)


def run_all(problems: list[Problem]) -> None:
    """Every program through pydantic-monty, with limits."""
    for problem in problems:
        run(problem.program)


def main() -> int:
    default = Path(__file__).resolve().parents[3] / "shared" / "data" / "tinygsm"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    if not any(folder.glob("*.jsonl")):
        print(f"expected a folder of JSONL files with question and code, found none in {folder}; pass it as the argument")
        return 2
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import ast

    problems = restored(folder)
    calls = [(problem.program, solution_function(ast.parse(problem.program)).name) for problem in problems]
    converted, carrying = convert_all(problems)
    print(f"{len(problems)} programs, {converted} converted and verified, {carrying} with a fact token")
    ours, bare, monty = [], [], []
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for _ in range(ROUNDS):
            ours.append(seconds(lambda: convert_all(problems)))
            bare.append(pool.apply(execute_all, (calls,)))
            monty.append(seconds(lambda: run_all(problems)))
    rates = {name: len(problems) / min(times) for name, times in (("trace", ours), ("exec", bare), ("monty", monty))}
    print(f"trace + verify + inject  {rates['trace']:9,.0f} a second")
    print(f"compile + exec           {rates['exec']:9,.0f} a second")
    print(f"pydantic-monty           {rates['monty']:9,.0f} a second")
    result = {
        "rows_per_s": round(rates["trace"]),
        "vs_exec": round(rates["trace"] / rates["exec"], 3),
        "vs_monty": round(rates["trace"] / rates["monty"], 3),
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
