"""What is measured on each response. Cheap: a response is read a few times and no model is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinygsm_kit.evaluate.fact_tokens import FactTokens
from tinygsm_kit.maths import answers, equations
from tinygsm_kit.records import ANSWER_MARK

Value = float | None
"""One response's value of a metric; None where it does not apply (true equations among none)."""

METRICS: Mapping[str, bool] = {
    "exact_match": True,
    "exact_match_flexible": True,
    "response_tokens": False,
    "stopped": True,
    "fact_tokens": True,
    "fact_tokens_right": True,
    "fact_tokens_wrong": False,
    "fact_tokens_missed": False,
    "true_equations": True,
    "repetition": False,
    "answer_format": True,
}
"""Every metric of every task, and whether higher is better."""

_FORMATTED = re.compile(r"#### -?\$?\d[\d,]*(?:\.\d+)?")
_ENOUGH = 3
"""A tail that is one block this many times over is a loop."""


def mean_of_known(values: Iterable[Value]) -> Value:
    """The mean over the responses to which the metric applies; None where it applies to none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


@dataclass(frozen=True)
class Scorer:
    """Scores one model's responses."""

    facts: FactTokens
    count_tokens: Callable[[str], int] | None = None
    next_turn: str = "\nUser:"
    """Where the model goes on as the user, what follows is not its answer."""

    def score(self, response: str, *, answer: str, question: str, limit: int, operands: Sequence[int] = ()) -> dict[str, Value]:
        """Every metric of METRICS for one response that was given room for `limit` tokens.

        Without a tokenizer there is no `response_tokens` and no `stopped`. `stopped` is read off the text, because text is
        all that lm-eval hands over: a response that was cut off has as many tokens as it had room for.
        """
        own = self.own_words(response)
        plain = self.facts.eject(own)
        use = self.facts.use(own, question, operands)
        tokens = None if self.count_tokens is None else self.count_tokens(response)
        length = {} if tokens is None else {"response_tokens": tokens, "stopped": float(tokens < limit)}
        verdicts = [equation.verdict for equation in equations.find(plain) if equation.verdict is not None]
        return {
            "exact_match": float(_is(strict_answer(plain), answer)),
            "exact_match_flexible": float(_is(answers.extract_flexible(plain), answer)),
            **length,
            "fact_tokens": use.used,
            "fact_tokens_right": use.right,
            "fact_tokens_wrong": use.wrong,
            "fact_tokens_missed": use.missed,
            "true_equations": sum(verdicts) / len(verdicts) if verdicts else None,
            "repetition": float(repeats_itself(response)),
            "answer_format": float(is_well_formed(plain)),
        }

    def own_words(self, response: str) -> str:
        """The response up to where it starts to speak for the user."""
        return response.partition(self.next_turn)[0] if self.next_turn else response


def next_turn(prompt: str) -> str:
    """What a next question would begin with under this prompt template: `\\nUser:` for `User: {question}\\nAssistant:`."""
    opening = prompt.partition("{question}")[0].strip()
    return f"\n{opening}" if opening else ""


def _is(given: str | None, answer: str) -> bool:
    return given is not None and answers.same(given, answer)


def strict_answer(plain: str) -> str | None:
    """The number after the first `####`. Where an equation stands there (a fact token, written out), its right side."""
    _, mark, after = plain.partition(ANSWER_MARK)
    line = after.partition("\n")[0]
    if mark and "=" in line:
        chain = [equation for equation in equations.find(line) if not line[: equation.start].strip()]
        if chain:
            return answers.extract_flexible(chain[0].right)
    return answers.extract_strict(plain)


def is_well_formed(plain: str) -> bool:
    """Whether the response ends as it was taught: one `####`, in its last line, and behind it a number."""
    last = plain.rstrip().rpartition("\n")[2].strip()
    return plain.count(ANSWER_MARK) == 1 and _FORMATTED.fullmatch(last) is not None


def repeats_itself(text: str) -> bool:
    """Degenerate repetition: the text ends in a loop of words or characters, or says one line over and over.

    The last word may be cut off in the middle and is left out.
    """
    lines = [line.strip() for line in text.split("\n") if len(line.strip()) >= 8]
    if len(lines) > _ENOUGH and max(map(lines.count, set(lines))) > _ENOUGH:
        return True
    words = text.split()[:-1]
    return _loops(words, at_least=8) or _loops(text[:-1][-256:], at_least=24)


def _loops(units: Sequence[Any], at_least: int) -> bool:
    """Whether the last units are one block `_ENOUGH` times over or more, `at_least` units long in all."""
    size = len(units)
    for period in range(1, size // _ENOUGH + 1):
        run, enough = 0, max((_ENOUGH - 1) * period, at_least - period)
        while run < enough and run + period < size and units[-1 - run] == units[-1 - run - period]:
            run += 1
        if run >= enough:
            return True
    return False


def pass_at(correct: int, samples: int, k: int) -> float:
    """Unbiased estimate of the chance that one of `k` samples is right (Chen et al., 2021): 1 - C(n - c, k) / C(n, k)."""
    from math import comb

    return 1 - comb(samples - correct, k) / comb(samples, k)
