"""The nouns every room shares: problems, solutions, rejections and probes.

Plain frozen dataclasses, because at twelve million rows the cost of a record is the cost of the run.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

ANSWER_MARK = "####"
"""What stands before the final answer, as in GSM8K (Cobbe et al., 2021)."""

PROMPT = "User: {question}\nAssistant:"
"""What a model reads before it answers, unless the recipe says otherwise."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A word problem with the Python program that solves it.

    `answer` is the normalised number that the program returns, as text; None until the program was run.
    `difficulty` is the number of arithmetic operations in the program.
    """

    id: str
    question: str
    program: str
    answer: str | None = None
    difficulty: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class Solution:
    """A worked solution in natural language (chain of thought): one step a line, then the answer."""

    problem_id: str
    steps: tuple[str, ...]
    answer: str
    converter: str
    version: str

    @property
    def text(self) -> str:
        """The steps, one a line, then `#### answer`."""
        return "\n".join((*self.steps, f"{ANSWER_MARK} {self.answer}"))


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row did not go on. `reason` is a short stable slug; `detail` says what was found.

    `row` holds the offending input as JSON where it never became a Problem, so that nothing is lost.
    """

    problem_id: str
    stage: str
    reason: str
    detail: str = ""
    row: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """A generated question that tests one skill.

    `operands` lets a report lay results out (the cell of a heat map); `kind` tells forms of a question apart.
    """

    id: str
    suite: str
    question: str
    answer: str
    operands: tuple[int, ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a paid request consumed, in tokens. `cached` and `reasoning` are parts of `input` and `output`."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a remote converter got back for one request: the body as JSON-able data, and what it cost in tokens."""

    body: Mapping[str, object]
    usage: Usage = field(default_factory=Usage)


def problem_id(question: str, program: str) -> str:
    """First 16 hex digits of SHA-256 over question and program, white space folded so that layout makes no new problem."""
    normal = " ".join(question.split()) + "\n" + "\n".join(line.rstrip() for line in program.strip().splitlines())
    return hashlib.sha256(normal.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(slots=True)
class Counts:
    """What a data stage did. `rows_in == rows_out + sum(rejected.values())` always, but where a sample left rows undrawn."""

    rows_in: int = 0
    rows_out: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    extra: dict[str, object] = field(default_factory=dict)

    def reject(self, reason: str, rows: int = 1) -> None:
        """Count rejected rows by reason."""
        self.rejected[reason] = self.rejected.get(reason, 0) + rows
