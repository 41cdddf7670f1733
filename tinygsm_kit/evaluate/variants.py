"""Tasks that read responses in another way: several samples of each answer, and programs in place of prose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tinygsm_kit.evaluate.harness import Document, ResponseTask, score
from tinygsm_kit.evaluate.metrics import Value, mean_of_known, pass_at, strict_answer
from tinygsm_kit.maths import answers, programs


class SampledTask(ResponseTask):
    """`repeats` responses to each question, drawn with a temperature: pass@k, maj@k, and all else as means over the samples."""

    @staticmethod
    def more_metrics(config: Mapping[str, Any]) -> Mapping[str, bool]:
        """`pass@1`, `pass@k` and `maj@k` for half of the samples and for all."""
        return {
            name: True for k in _sizes(config["repeats"]) for name in ([f"pass@{k}"] if k == 1 else [f"pass@{k}", f"maj@{k}"])
        }

    def process_results(self, doc: Document, results: Sequence[Any]) -> dict[str, Value]:
        """`results[0]` holds the samples of one question."""
        samples: list[str] = results[0]
        scored = [score(self.model, doc, sample, self.limit) for sample in samples]
        means: dict[str, Value] = {name: mean_of_known([one[name] for one in scored]) for name in scored[0]}
        right = sum(one["exact_match"] == 1 for one in scored)
        given = [self._given(sample) for sample in samples]
        for k in _sizes(len(samples)):
            means[f"pass@{k}"] = pass_at(right, len(samples), k)
            if k > 1:
                means[f"maj@{k}"] = float(_majority_is(given[:k], doc["answer"]))
        return means

    def _given(self, response: str) -> str | None:
        return strict_answer(self.model.scorer.facts.eject(self.model.scorer.own_words(response)))


def _sizes(samples: int) -> list[int]:
    return sorted({1, max(1, samples // 2), samples})


def _majority_is(given: Sequence[str | None], answer: str) -> bool:
    """Whether the answer given most often, the first of several such, is right. No answer has no vote."""
    votes = Counter(answers.normalise(number) for one in given if one and (number := answers.parse(one)) is not None)
    return bool(votes) and answers.same(votes.most_common(1)[0][0], answer)


class ProgramTask(ResponseTask):
    """The response is a program: it is restored, run in the sandbox, and what it returns is the answer."""

    @staticmethod
    def more_metrics(config: Mapping[str, Any]) -> Mapping[str, bool]:  # noqa: ARG004
        """`runs`: whether a program was found that came to a finite number."""
        return {"runs": True}

    def process_results(self, doc: Document, results: Sequence[Any]) -> dict[str, Value]:
        """A program that is no program or comes to no number is wrong."""
        response: str = results[0]
        scores = score(self.model, doc, response, self.limit)
        # What stands between prompt and completion is a space; before `def` it would be an indentation.
        returned = _returned(self.model.scorer.own_words(response).removeprefix(" "))
        right = float(returned is not None and answers.same(returned, doc["answer"]))
        return scores | {"exact_match": right, "exact_match_flexible": right, "answer_format": float(returned is not None),
                         "runs": float(returned is not None)}  # fmt: skip


def _returned(response: str) -> str | None:
    try:
        return programs.run(programs.restore(response))
    except ValueError:  # ProgramError, AnswerError
        return None
