"""What a run made, put on the Hugging Face hub: a repository for each condition's model, and one for the rows of all."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tinygsm_kit.errors import KitError
from tinygsm_kit.manifest import FILE as MANIFEST
from tinygsm_kit.parts import part_paths
from tinygsm_kit.pipeline.runner import StageError
from tinygsm_kit.progress import Progress
from tinygsm_kit.report.cards import dataset_card, model_card
from tinygsm_kit.report.rundir import Run, read_run

WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
MODEL_FILES = (
    *WEIGHTS, "config.json", "generation_config.json", "adapter_config.json", "tinygsm_kit.json", "training_log.jsonl",
    "tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges.txt", "*.model", "*.tiktoken",
    "chat_template*",
)  # fmt: skip
"""What belongs to a model. Whatever else lies beside it (checkpoints, optimizer states, arguments, rejected rows) stays."""
OUTDATED = ("*/data/*.parquet", *WEIGHTS)
"""Files of an earlier push that would be read together with those of this one, where this one does not replace them."""


class PushError(StageError):
    """The hub did not take everything. The message says what it took, and how to go on; the run is as it was."""


@dataclass(frozen=True)
class Upload:
    """A file for a repository: bytes that were made for it, or a file of the run."""

    path: str
    content: bytes | Path

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size


@dataclass(frozen=True)
class Repository:
    """A repository of the hub, and all the files that go there."""

    name: str
    kind: Literal["model", "dataset"]
    files: tuple[Upload, ...]


def repositories(
    run: Path, to: str, condition: str | None = None, what: Literal["all", "models", "data"] = "all"
) -> list[Repository]:
    """What a push sends: `to` is OWNER/NAME; models (of one condition, or of all) go to NAME-CONDITION, the rows of all
    conditions to the data set NAME.

    Models are those of the recipe's first seed, trained on all of its rows. Raises KitError where the run is not finished,
    or where a file would give away a path of this machine.
    """
    _check_name(to)
    found = read_run(run)
    models = [] if what == "data" else _conditions(found, condition)
    data = [] if what == "models" else _conditions(found, None)
    _check_finished(found, [*(f"{stage}/{name}" for name in models for stage in ("train", "evaluate")),
                            *(f"inject/{name}" for name in data)])  # fmt: skip
    made = [Repository(f"{to}-{name}", "model", tuple(_model_files(found, name))) for name in models]
    if data:
        made.append(Repository(to, "dataset", tuple(_data_files(found, data))))
    for repository in made:
        for file in repository.files:
            _check_private(file, found)
    return made


def listing(made: Sequence[Repository]) -> str:
    """Every repository with its files and their sizes, for the screen."""
    lines = []
    for repository in made:
        total = sum(file.size for file in repository.files)
        lines.append(f"{repository.kind} {repository.name}: {len(repository.files)} files, {_size(total)}")
        lines += [f"  {_size(file.size):>9}  {file.path}" for file in repository.files]
    return "\n".join(lines)


def _size(count: int) -> str:
    return f"{count} B" if count < 1_000 else f"{count / 1e3:.1f} kB" if count < 1e6 else f"{count / 1e6:,.1f} MB"


def push(made: Sequence[Repository], private: bool | None, progress: Progress) -> Iterator[str]:
    """Create each repository and commit its files to it in one commit; yields the commits' addresses. Raises PushError."""
    import huggingface_hub.utils

    quiet: Any = huggingface_hub.utils
    quiet.disable_progress_bars()
    api = huggingface_hub.HfApi()
    done: list[str] = []
    with progress.task("push", sum(len(repository.files) for repository in made)) as task:
        for repository in made:
            try:
                address = _commit(api, repository, private)
            except Exception as error:
                raise PushError(_explain(error, repository, done)) from error
            done.append(repository.name)
            task.advance(len(repository.files))
            yield address


def _commit(api: Any, repository: Repository, private: bool | None) -> str:
    """What has not changed since an earlier push is not sent again: the library compares digests."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    where = {"repo_id": repository.name, "repo_type": repository.kind}
    api.create_repo(**where, private=private, exist_ok=True)
    paths = {file.path for file in repository.files}
    there = [path for path in api.list_repo_files(**where) if path not in paths]
    outdated = [path for path in there if any(fnmatch.fnmatch(path, pattern) for pattern in OUTDATED)]
    operations = [
        *(CommitOperationAdd(file.path, file.content) for file in repository.files),
        *(CommitOperationDelete(path) for path in outdated),
    ]
    return str(api.create_commit(**where, operations=operations, commit_message="Push with tinygsm-kit").commit_url)


def _explain(error: Exception, repository: Repository, done: Sequence[str]) -> str:
    """What went wrong in a line, and what to do about it."""
    from huggingface_hub.errors import LocalTokenNotFoundError, OfflineModeIsEnabled

    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, OfflineModeIsEnabled):
        remedy = "offline mode is set: unset HF_HUB_OFFLINE, or see with --dry-run what would be sent"
    elif isinstance(error, LocalTokenNotFoundError) or status in (401, 403):
        remedy = f"log in with a token that may write to {repository.name}: `hf auth login`, or HF_TOKEN in the environment"
    else:
        remedy = "the same command goes on; see with --dry-run what it sends"
    first = str(error).strip().partition("\n")[0] or type(error).__name__
    kept = f"Pushed before: {', '.join(done)}." if done else "Nothing was pushed before."
    return f"push to {repository.name} failed: {first}\n{kept} The run is untouched. What to do: {remedy}."


def _check_name(to: str) -> None:
    import huggingface_hub.utils
    from huggingface_hub.errors import HFValidationError

    names: Any = huggingface_hub.utils
    try:
        if not all(to.partition("/")):
            raise HFValidationError("an owner, a slash and a name")
        names.validate_repo_id(to)
    except HFValidationError as error:
        raise KitError(f"--to {to}: expected OWNER/NAME, as the hub names repositories: {error}") from error


def _conditions(run: Run, condition: str | None) -> list[str]:
    declared = list(run.recipe.get("conditions") or {})
    if condition is not None and condition not in declared:
        raise KitError(f"{run.path}: expected one of the conditions {', '.join(declared)}, found {condition!r}")
    return declared if condition is None else [condition]


def _check_finished(run: Run, wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if not run.stage(name).get("done")]
    if missing:
        raise KitError(
            f"{run.path}: expected a finished run, found that {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not "
            f"done (see {MANIFEST}): finish it with `tinygsm-kit run {run.path / 'recipe.yaml'} --out {run.path}`, then push"
        )


# ---------------------------------------------------------------------------------------------------------------- files


def _model_files(run: Run, condition: str) -> Iterator[Upload]:
    folder = run.path / "models" / condition
    yield Upload("README.md", _without_paths(run, model_card(run, condition)).encode())
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    chosen = [path for path in files if any(fnmatch.fnmatch(path.name, pattern) for pattern in MODEL_FILES)]
    if not any(path.suffix == ".safetensors" for path in chosen):
        raise KitError(
            f"{folder}: expected weights as *.safetensors, found {', '.join(path.name for path in files) or 'nothing'}"
        )
    for path in chosen:
        yield Upload(path.name, _without_origin(path) if path.name.endswith("config.json") else path)


def _data_files(run: Run, conditions: Sequence[str]) -> Iterator[Upload]:
    """The training text as it lies in the run: one configuration a condition, in the layout that `load_dataset` reads."""
    yield Upload("README.md", _without_paths(run, dataset_card(run)).encode())
    for condition in conditions:
        paths = part_paths(run.path / "inject" / condition)
        for index, path in enumerate(paths):
            yield Upload(f"{condition}/data/train-{index:05d}-of-{len(paths):05d}.parquet", path)


def _without_origin(path: Path) -> bytes | Path:
    """A configuration without the folder that its model or tokenizer was loaded from; the file itself where it names none."""
    config = json.loads(path.read_text(encoding="utf-8"))
    kept = {
        key: value for key, value in config.items() if not (key.endswith("name_or_path") and Path(str(value)).is_absolute())
    }
    return path if kept == config else (json.dumps(kept, indent=2, ensure_ascii=False) + "\n").encode()


def _without_paths(run: Run, card: str) -> str:
    """A card in which files of this machine, which the recipe may name, go by their last name alone."""
    for path in sorted(_absolute_paths(run.recipe), key=len, reverse=True):
        card = card.replace(path, Path(path).name)
    return card


def _absolute_paths(value: Any) -> Iterator[str]:
    if isinstance(value, str) and Path(value).is_absolute() and len(Path(value).parts) > 1:
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _absolute_paths(each)


def _check_private(file: Upload, run: Run) -> None:
    """Refuse to publish where this machine keeps its files. Weights, rows and vocabularies are not looked into."""
    if not file.path.endswith((".md", "config.json", "tinygsm_kit.json", ".jsonl")):
        return
    content = file.content if isinstance(file.content, bytes) else file.content.read_bytes()
    for folder in {str(run.path.resolve()), str(Path.home())} - {"/"}:
        if folder.encode() in content:
            raise KitError(f"{file.path} names a folder of this machine ({folder}): expected none in what is published")
