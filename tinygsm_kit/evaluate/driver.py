"""Evaluate a model through lm-eval, so that what is done is never done again.

A task's results are kept under the fingerprint of everything they depend on: the model's files, the task's questions,
prompt and version, and the settings. The same call goes on where it was killed.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinygsm_kit.progress import Progress, Silent

if TYPE_CHECKING:
    from lm_eval.api.model import LM
    from lm_eval.api.task import Task

    from tinygsm_kit.evaluate.catalogue import Selection
    from tinygsm_kit.evaluate.options import EvaluateOptions

Json = dict[str, Any]

JOINT_DOCUMENTS = 1_000
"""Tasks are run together up to so many documents."""

_SECTIONS = ("results", "configs", "versions", "n-shot", "higher_is_better", "n-samples")
"""What lm-eval's results hold by task."""


def evaluate(
    model: Path | str,
    tasks: Sequence[str],
    folder: Path,
    *,
    gsm8k: Path | None = None,
    data: Mapping[str, Path] | None = None,
    limit: int | None = None,
    batch_size: int = 64,
    device: str | None = None,
    backend: str = "hf",
    backend_options: Mapping[str, Any] | None = None,
    seed: int = 1234,
    progress: Progress | None = None,
) -> Json:
    """Run lm-eval tasks on a model and return lm-eval's results, also written as `folder/results.json`.

    `folder/samples_<task>.jsonl` holds each task's responses and `folder/results_<task>.json` its results alone, both in
    lm-eval's own formats; tasks found there with an unchanged fingerprint are not run again. `gsm8k`, or `data` by the name
    of a question set, points to local questions. `backend` is any model class of lm-eval, and `backend_options` are more of
    its arguments. Under `accelerate launch` all processes share the work; the first one writes and returns the results.
    Raises UnknownTaskError, QuestionSetError or CheckpointError before the model is loaded.
    """
    from tinygsm_kit.evaluate.catalogue import Catalogue
    from tinygsm_kit.evaluate.checkpoint import Checkpoint
    from tinygsm_kit.evaluate.options import EvaluateOptions
    from tinygsm_kit.evaluate.questions import local_sources

    options = EvaluateOptions(tasks=tuple(tasks), gsm8k=gsm8k, data=dict(data or {}), limit=limit, batch_size=batch_size,
                              device=device, backend=backend, model_args=dict(backend_options or {}))  # fmt: skip
    metadata = {**options.model_args, "pretrained": str(model)}
    selection = Catalogue(metadata | local_sources(options)).select(options.tasks)
    settings = {"model": Checkpoint.named_in(metadata).fingerprint(), "backend": backend, "backend_options": options.model_args,
                "limit": limit, "seed": seed}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    keys = {name: fingerprint(name, task, settings) for name, task in selection.tasks.items()}
    run = _Run(str(model), options, folder, keys, seed, progress or Silent())
    missing = {name: task for name, task in selection.tasks.items() if run.kept(name) is None}
    for together in batches(missing, limit):
        run.evaluate(together)
    done = {name: kept for name in selection.tasks if (kept := run.kept(name)) is not None}
    if len(done) < len(selection.tasks):
        return {}
    merged = _merged(selection, done)
    _write(folder / "results.json", json.dumps(merged, indent=2, ensure_ascii=False))
    return merged


def fingerprint(name: str, task: Task, settings: Mapping[str, Any]) -> str:
    """What a task's results depend on, as 16 hex digits: its version, documents and generation, the model and settings."""
    import lm_eval

    digest = hashlib.sha256()
    facts = {
        "task": name,
        "version": task.VERSION,
        "generation": task.get_config("generation_kwargs"),
        "lm_eval": lm_eval.__version__,
    }
    digest.update(json.dumps({**facts, **settings}, sort_keys=True, default=str).encode())
    for document in task.eval_docs:
        digest.update(json.dumps(document, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


def batches(tasks: Mapping[str, Task], limit: int | None) -> Iterator[dict[str, Task]]:
    """Tasks to run in one go: small ones that generate alike share the model's batches, a large one stands alone.

    What was killed begins again with its batch of tasks, so a batch has at most JOINT_DOCUMENTS documents.
    """
    sizes = {name: _size(task, limit) for name, task in tasks.items()}
    alike: dict[str, list[str]] = {}
    for name, task in tasks.items():
        how = json.dumps(task.get_config("generation_kwargs"), sort_keys=True, default=str)
        alike.setdefault(how if task.OUTPUT_TYPE == "generate_until" else name, []).append(name)
    for names in alike.values():
        batch: dict[str, Task] = {}
        for name in sorted(names, key=sizes.__getitem__):
            if batch and sum(sizes[one] for one in batch) + sizes[name] > JOINT_DOCUMENTS:
                yield batch
                batch = {}
            batch[name] = tasks[name]
        yield batch


def _size(task: Task, limit: int | None) -> int:
    return len(task.eval_docs) if limit is None else min(limit, len(task.eval_docs))


class _Run:
    """One call of `evaluate`: the model is loaded when the first task needs it."""

    def __init__(
        self, model: str, options: EvaluateOptions, folder: Path, keys: Mapping[str, str], seed: int, progress: Progress
    ) -> None:
        self.options, self.folder, self.keys, self.seed, self.progress = options, folder, keys, seed, progress
        self.model, self.arguments = model, {"pretrained": model, **options.model_args}
        self._lm: LM | None = None
        self._about: Json = {}

    def kept(self, name: str) -> Json | None:
        """A task's results in the folder, if they depend on the same model, questions and settings."""
        kept = _read(self.folder / f"results_{name}.json")
        same = kept is not None and kept.get("fingerprint") == self.keys[name]
        return kept if same and (self.folder / f"samples_{name}.jsonl").is_file() else None

    def evaluate(self, tasks: Mapping[str, Task]) -> None:
        """Run tasks together and write each one's results and samples."""
        from lm_eval.evaluator import evaluate

        from tinygsm_kit.evaluate.generation import ProgressHook

        lm = self._loaded()
        seed_everything(self.seed)
        for task in tasks.values():
            task.set_fewshot_seed(seed=self.seed)
            if task.get_config("num_fewshot") is None:
                task.set_config(key="num_fewshot", value=0)
        date, started, limit = time.time(), time.perf_counter(), self.options.limit
        sizes = {name: _size(task, limit) for name, task in tasks.items()}
        responses = sum(sizes[name] * (task.get_config("repeats") or 1) for name, task in tasks.items())
        progress = self.progress if is_first_process(lm) else Silent()
        with progress.task(f"evaluate {', '.join(tasks)}", responses) as bar:
            hook = ProgressHook(bar, responses // lm.world_size)
            lm.set_cache_hook(hook)
            results: Any = evaluate(lm, {"tasks": dict(tasks)}, limit=limit)
            hook.finish()
        if not is_first_process(lm):
            return
        seconds = time.perf_counter() - started
        for name in tasks:
            own = {section: {name: results[section][name]} for section in _SECTIONS if name in results.get(section, {})}
            share = seconds * sizes[name] / sum(sizes.values())
            self._write(
                name, own | self._about | {"date": date, "fingerprint": self.keys[name]}, results["samples"][name], share
            )

    def _write(self, name: str, results: Json, samples: list[Any], seconds: float) -> None:
        """lm-eval's tracker writes under dated names; they get their own once whole, the results last."""
        from lm_eval.loggers import EvaluationTracker

        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".") as temporary:
            tracker = EvaluationTracker(str(Path(temporary) / "results.json"))
            tracker.general_config_tracker.log_experiment_args(self.options.backend, self.arguments, None, None, False)
            tracker.general_config_tracker.start_time = time.perf_counter() - seconds
            tracker.save_results_aggregated(results, {name: samples})
            tracker.save_results_samples(name, samples)
            for kind, target in (("samples_*.jsonl", f"samples_{name}.jsonl"), ("results_*.json", f"results_{name}.json")):
                written = list(Path(temporary).glob(kind))
                if len(written) != 1:  # the tracker logs its errors and goes on
                    raise OSError(f"lm-eval could not write {target} in {self.folder}: is the disk full?")
                written[0].replace(self.folder / target)

    def _loaded(self) -> LM:
        if self._lm is None:
            from lm_eval.loggers.utils import add_tokenizer_info

            from tinygsm_kit.evaluate.generation import language_model

            self._lm = language_model(self.model, self.options)
            self._about = {"config": self._config(self._lm), **environment()}
            add_tokenizer_info(self._about, self._lm)
        return self._lm

    def _config(self, lm: LM) -> Json:
        """The entry `config` of lm-eval's results."""
        described = lm.get_model_info() if hasattr(lm, "get_model_info") else {}
        return {
            "model": self.options.backend, "model_args": self.arguments, **described,
            "batch_size": self.options.batch_size, "device": self.options.device, "limit": self.options.limit,
            "random_seed": self.seed, "numpy_seed": self.seed, "torch_seed": self.seed, "fewshot_seed": self.seed,
        }  # fmt: skip


@functools.cache
def environment() -> Json:
    """Versions and hardware as lm-eval records them; asking takes a second, so it is done once."""
    from lm_eval.loggers.utils import add_env_info

    facts: Json = {}
    add_env_info(facts)
    return facts


def is_first_process(lm: LM) -> bool:
    """Whether this process is the one that writes, as lm-eval decides it."""
    return lm.rank == 0 and int(os.environ.get("LOCAL_RANK", "0")) == 0


def seed_everything(seed: int) -> None:
    """As lm-eval's `--seed` does before it runs."""
    import numpy as np
    from lm_eval.utils import set_torch_seed

    random.seed(seed)
    np.random.seed(seed)
    set_torch_seed(seed)


def _merged(selection: Selection, done: Mapping[str, Json]) -> Json:
    """The results of single tasks as lm-eval gives those of one run: its own code joins them and aggregates the groups."""
    from lm_eval.evaluator_utils import EvalAcc, aggregate_groups

    def joined(section: str) -> Json:
        return {name: results[section][name] for name, results in done.items() if name in results.get(section, {})}

    accumulated = EvalAcc(
        metrics=joined("results"), configs=joined("configs"), versions=joined("versions"), num_fewshot=joined("n-shot"),
        higher_is_better=joined("higher_is_better"), n_samples=joined("n-samples"), groups=selection.groups,
    )  # fmt: skip
    merged: Json = dict(aggregate_groups(accumulated)._to_eval_results())
    last = max(done.values(), key=lambda results: float(results["date"]))
    own = {key: value for key, value in last.items() if key not in merged and key != "fingerprint"}
    seconds = sum(float(results["total_evaluation_time_seconds"]) for results in done.values())
    totals = {"task_hashes": joined("task_hashes"), "total_evaluation_time_seconds": str(seconds)}
    return merged | own | totals | {"fingerprints": {name: results["fingerprint"] for name, results in done.items()}}


def _read(path: Path) -> Json | None:
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return results if isinstance(results, dict) else None


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
