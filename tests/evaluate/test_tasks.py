"""The task files, and how tasks are found."""

from pathlib import Path

import pytest
import yaml

from tinygsm_kit.evaluate import task_files
from tinygsm_kit.evaluate.catalogue import Catalogue
from tinygsm_kit.evaluate.harness import BUILT_IN_SUITES, ResponseTask
from tinygsm_kit.evaluate.metrics import METRICS
from tinygsm_kit.evaluate.task_files import UnknownTaskError
from tinygsm_kit.interfaces import Options
from tinygsm_kit.plugins import host
from tinygsm_kit.records import Probe

SOURCE = Path(__file__).parents[2] / "tasks"


def test_pip_installed_these_very_files() -> None:
    """If this fails: pip install -e . once more; an editable installation holds a copy of tasks/."""
    installed = {path.name: path.read_text("utf-8") for path in task_files.folder().glob("*.yaml")}
    assert installed == {path.name: path.read_text("utf-8") for path in SOURCE.glob("*.yaml")}


def test_files_are_named_after_their_tasks() -> None:
    assert list(task_files.read()) == [path.stem for path in sorted(SOURCE.glob("*.yaml"))]
    for name, entry in task_files.read().items():
        assert entry["metadata"]["version"] >= 1, name


def test_groups_aggregate_every_metric_that_every_response_has() -> None:
    for entry in task_files.read().values():
        if "group" in entry:
            assert [row["metric"] for row in entry["aggregate_metric_list"]] == [m for m in METRICS if m != "true_equations"]


def test_every_built_in_suite_has_a_file() -> None:
    assert set(BUILT_IN_SUITES) <= set(task_files.read())
    assert task_files.expand(["mul_probes", "gsm8k", "addition"]) == ["mul_table", "mul_multidigit", "addition", "gsm8k"]


@pytest.fixture
def cubes():
    """A third party's suite, registered for the time of a test."""

    class Cubes:
        class Options(Options):
            """None."""

        version = "3"

        def __init__(self, options: Options) -> None:
            self.options = options

        def probes(self):
            return (Probe(str(n), "cubes", f"What is {n}³?", str(n**3), (n,)) for n in range(2, 7))

        def score(self, probe: Probe, response: str) -> bool:
            return probe.answer in response

    entries = dict(host().entries)
    host()._register("probe_suite", "test", "test", "cubes", Cubes)
    yield
    host().entries.clear()
    host().entries.update(entries)


@pytest.mark.usefixtures("cubes")
def test_a_plugins_suite_is_a_task_without_a_file(model: Path) -> None:
    task = Catalogue({"pretrained": str(model)}).select(["cubes"]).tasks["cubes"]
    assert isinstance(task, ResponseTask)
    assert task.VERSION == "3"
    doc = task.eval_docs[1]
    assert (doc["question"], doc["answer"], doc["operands"]) == ("What is 3³?", "27", [3])
    assert doc["prompt"] == "User: What is 3³?\nAssistant:"
    assert task.process_results(doc, [" I guess 27!"])["exact_match"] == 1
    assert task.process_results(doc, [" I guess 28!"])["exact_match"] == 0


@pytest.mark.usefixtures("cubes")
def test_tgsm_probes_holds_every_registered_suite(model: Path) -> None:
    selection = Catalogue({"pretrained": str(model)}).select(["tgsm_probes", "mul_probes"])
    assert list(selection.tasks) == host().names("probe_suite")
    assert selection.groups["tgsm_probes"].child_names == host().names("probe_suite")
    assert selection.groups["mul_probes"].child_names == ["mul_table", "mul_multidigit", "addition"]


@pytest.mark.usefixtures("cubes")
def test_lm_eval_alone_finds_the_suite_in_the_group(model: Path) -> None:
    from lm_eval.tasks import TaskManager

    manager = TaskManager(
        include_path=str(task_files.folder()), include_defaults=False, metadata={"pretrained": str(model), "max_length": 4}
    )
    tasks = manager.load(["tgsm_probes"])["tasks"]
    task = tasks["tgsm_probes::cubes"]
    doc = task.eval_docs[0]
    assert task.process_results(doc, ["8"])["exact_match"] == 1
    assert task.aggregation().keys() == METRICS.keys()
    assert len(tasks) == len(host().names("probe_suite"))


@pytest.mark.slow
def test_an_unknown_task_is_told_its_nearest_names(model: Path) -> None:
    with pytest.raises(UnknownTaskError, match=r"unknown task 'gsm8k_tgms'.*nearest: gsm8k_tgsm"):
        Catalogue({"pretrained": str(model)}).select(["gsm8k_tgms"])


def test_room_shrinks_with_the_context(tmp_path: Path, gsm8k: Path, model: Path) -> None:
    metadata = {"pretrained": str(model), "gsm8k": str(gsm8k)}
    assert Catalogue(metadata).select(["gsm8k_tgsm"]).tasks["gsm8k_tgsm"].limit == 256
    (tmp_path / "config.json").write_text(
        (model / "config.json").read_text().replace('"n_positions": 512', '"n_positions": 100')
    )
    small = {"pretrained": str(tmp_path), "tokenizer": str(model), "gsm8k": str(gsm8k)}
    assert Catalogue(small).select(["gsm8k_tgsm"]).tasks["gsm8k_tgsm"].limit == 50


def test_yaml_files_are_plain_data() -> None:
    for path in SOURCE.glob("*.yaml"):
        tags = [event.tag for event in yaml.parse(path.read_text("utf-8")) if getattr(event, "tag", None)]
        assert set(tags) <= {"!function"}
