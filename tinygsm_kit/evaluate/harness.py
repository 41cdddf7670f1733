"""The kit's tasks for lm-eval: what a YAML of `tasks/` leaves to Python, and probe suites that have no YAML.

A task's `dataset_kwargs` say what it asks: `{questions: gsm8k}` or `{suite: mul_table}`. All else follows from the model:
the prompt it was trained with, its tokenizer, its fact tokens and its context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from typing import Any

import datasets
from lm_eval.api.task import ConfigurableTask

from tinygsm_kit import plugins
from tinygsm_kit.evaluate import questions
from tinygsm_kit.evaluate.checkpoint import Checkpoint
from tinygsm_kit.evaluate.fact_tokens import for_model
from tinygsm_kit.evaluate.metrics import METRICS, Scorer, Value, mean_of_known, next_turn
from tinygsm_kit.records import Probe

Document = dict[str, Any]

PROBE_LIMIT = 128
"""Tokens that a model has for a probe: room for a long multiplication, digit by digit."""


@dataclass(frozen=True)
class Model:
    """One model as a task sees it."""

    checkpoint: Checkpoint
    prompt: str
    scorer: Scorer
    context: int | None

    @classmethod
    def named_in(cls, metadata: Mapping[str, Any]) -> Model:
        """From lm-eval's metadata, which hold its `--model_args`."""
        checkpoint = Checkpoint.named_in(metadata)
        scorer = Scorer(for_model(checkpoint.settings), checkpoint.token_counter(), next_turn(checkpoint.prompt))
        return cls(checkpoint, checkpoint.prompt, scorer, checkpoint.context())

    def documents(self, asked: Mapping[str, Any], metadata: Mapping[str, Any]) -> Any:
        """What lm-eval calls a data set: the questions with this model's `prompt`, as its split `test`."""
        rows = _probe_rows(asked["suite"]) if "suite" in asked else _question_rows(asked, metadata)
        for row in rows:
            row["prompt"] = self.prompt.replace("{question}", row["question"])
        return {"test": datasets.Dataset.from_list(rows)}

    def room(self, wanted: int) -> int:
        """Tokens for a response: as wanted, but half of a context that is too small for twice as many."""
        return wanted if self.context is None else min(wanted, self.context // 2)


def _question_rows(asked: Mapping[str, Any], metadata: Mapping[str, Any]) -> list[Document]:
    name = asked["questions"]
    found = questions.load(name, metadata.get(name))
    if "subset" in asked:
        found = questions.fixed_subset(found, asked["subset"])
    return [{"id": row.id, "question": row.question, "answer": row.answer} for row in found]


def _probe_rows(suite: str) -> list[Document]:
    return [
        {"id": probe.id, "question": probe.question, "answer": probe.answer, "suite": probe.suite,
         "operands": list(probe.operands), "kind": probe.kind}
        for probe in plugins.get("probe_suite", suite).probes()
    ]  # fmt: skip


def score(model: Model, document: Document, response: str, limit: int) -> dict[str, Value]:
    """The metrics of one response. A probe suite's own `score` takes the place of exact match."""
    operands = document.get("operands") or ()
    answer, question = document["answer"], document["question"]
    scores = model.scorer.score(response, answer=answer, question=question, limit=limit, operands=operands)
    judge = getattr(plugins.get("probe_suite", document["suite"]), "score", None) if "suite" in document else None
    if judge is not None:
        probe = Probe(document["id"], document["suite"], question, answer, tuple(operands), document["kind"])
        scores["exact_match"] = float(judge(probe, model.scorer.facts.eject(model.scorer.own_words(response))))
    return scores


def _metric_list(metrics: Mapping[str, bool] = METRICS) -> list[dict[str, Any]]:
    return [{"metric": name, "aggregation": _aggregation(name), "higher_is_better": up} for name, up in metrics.items()]


def _aggregation(metric: str) -> Any:
    """lm-eval's own mean, which has a standard error, but where some responses have no value."""
    return mean_of_known if metric == "true_equations" else "mean"


def _completed(config: Mapping[str, Any]) -> dict[str, Any]:
    """A task's configuration with what all tasks of the kit share. `process_results` must be set by the caller."""
    shared: dict[str, Any] = {
        "output_type": "generate_until",
        "test_split": "test",
        "doc_to_text": "prompt",
        "doc_to_target": "answer",
        "num_fewshot": 0,
        "metric_list": _metric_list(),
    }
    own = {key: value for key, value in config.items() if key != "class"}
    return shared | own


class ResponseTask(ConfigurableTask):  # type: ignore[misc]
    """A question, a free response, and the kit's metrics on it."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.model = Model.named_in(config.get("metadata") or {})
        metrics = {**METRICS, **self.more_metrics(config)}
        # process_results is overridden below; were it not set, lm-eval would look each metric up in its own registry.
        completed = _completed(config) | {"metric_list": _metric_list(metrics), "process_results": score}
        generation = dict(completed["generation_kwargs"])
        generation["max_gen_toks"] = self.model.room(generation["max_gen_toks"])
        super().__init__(config=completed | {"generation_kwargs": generation})

    @staticmethod
    def more_metrics(config: Mapping[str, Any]) -> Mapping[str, bool]:  # noqa: ARG004
        """What a kind of task measures beside METRICS, and whether higher is better."""
        return {}

    def download(self, dataset_kwargs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Make the documents; nothing is downloaded where the questions are generated or local."""
        self.dataset = self.model.documents(dataset_kwargs or {}, self.config.metadata or {})

    def build_all_requests(self, **settings: Any) -> None:
        """As lm-eval's, without its progress bar, which is gone before one could read it."""
        with redirect_stderr(StringIO()):
            super().build_all_requests(**settings)

    @property
    def limit(self) -> int:
        """Tokens a response may have, `--gen_kwargs` included."""
        return int(self.config.generation_kwargs["max_gen_toks"])

    def process_results(self, doc: Document, results: Sequence[Any]) -> dict[str, Value]:
        """The metrics of one document's response."""
        return score(self.model, doc, results[0], self.limit)


def suite_config(name: str) -> dict[str, Any]:
    """A task's configuration for a registered probe suite that has no YAML."""
    return {
        "task": name,
        "class": ResponseTask,
        "dataset_kwargs": {"suite": name},
        "generation_kwargs": {"until": [], "do_sample": False, "max_gen_toks": PROBE_LIMIT},
        "metadata": {"version": plugins.host().find("probe_suite", name).load().version},
    }


class _InlineSuite:
    """A probe suite inside a group's YAML. lm-eval builds those as plain ConfigurableTask, from functions alone."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.model: Model | None = None

    def documents(self, **metadata: Any) -> Any:
        self.model = Model.named_in(metadata)
        return self.model.documents({"suite": self.name}, metadata)

    def process_results(self, doc: Document, results: Sequence[Any]) -> dict[str, Value]:
        assert self.model is not None, "lm-eval loads the documents before it scores"
        return score(self.model, doc, results[0], PROBE_LIMIT)


def _inline(name: str) -> dict[str, Any]:
    suite = _InlineSuite(name)
    config = {key: value for key, value in suite_config(name).items() if key != "dataset_kwargs"}
    functions = {"custom_dataset": suite.documents, "process_results": suite.process_results, "task_alias": name}
    return _completed(config) | functions


BUILT_IN_SUITES = ("mul_table", "mul_multidigit", "addition", "subtraction", "division", "mul_commuted", "forgetting")
"""Suites with a YAML of their own in `tasks/`."""


def __getattr__(name: str) -> Any:
    """`every_suite`: the members of the group `tgsm_probes`, looked up when lm-eval reads its YAML."""
    if name != "every_suite":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    suites = plugins.host().names("probe_suite")
    return [suite if suite in BUILT_IN_SUITES else _inline(suite) for suite in suites]
