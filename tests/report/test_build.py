"""A report is built from whatever a run has, and from nothing else."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from tinygsm_kit.report.build import build, build_report
from tinygsm_kit.report.cards import dataset_card, model_card
from tinygsm_kit.report.files import write_whole
from tinygsm_kit.report.markdown import render_markdown, render_summary
from tinygsm_kit.report.page import embed, render_page
from tinygsm_kit.report.provenance import duration
from tinygsm_kit.report.rundir import ReportError, read_run
from tinygsm_kit.report.tables import spread
from tinygsm_kit.report.verdict import number, p_text, points

BuildRun = Callable[..., Path]


class Page(HTMLParser):
    """Elements that are not closed, addresses that are asked for, and the visible sample answers."""

    void = frozenset({"meta", "link", "br", "input", "img", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.answers = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.addresses += [value for name in ("src", "href") if (value := values.get(name))]
        self.answers += "answer" in (values.get("class") or "").split()
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag


def test_a_whole_report(build_run: BuildRun) -> None:
    run = build_run(items=60)
    assert build(run) == run / "report" / "index.html"
    page = Page((run / "report" / "index.html").read_text("utf-8"))
    assert page.open == []
    assert {address for address in page.addresses if not address.startswith("#")} == {"data:,"}
    assert page.answers == 20  # ten questions, two conditions, without JavaScript
    figures = {path.name for path in (run / "report" / "figures").iterdir()}
    names = ["table_baseline", "table_mul_tokens", "loss", "lengths_gsm8k_tgsm", "token_use", "exposures", "injection"]
    assert {f"{name}.{kind}" for name in names for kind in ("svg", "png")} <= figures
    for path in (run / "report" / "figures").glob("*.svg"):
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
    assert {path.name for path in (run / "report" / "cards").iterdir()} == {"baseline.md", "mul_tokens.md", "dataset.md"}
    assert not list(run.rglob("*.tmp"))


def test_the_same_run_gives_the_same_report(build_run: BuildRun) -> None:
    run = build_run(items=40)
    build(run)
    first = {path: path.read_bytes() for path in (run / "report").rglob("*.*")}
    build(run)
    assert {path: path.read_bytes() for path in (run / "report").rglob("*.*")} == first


@pytest.mark.parametrize(
    "gone",
    [["eval"], ["eval/mul_tokens", "manifest.json"], ["models", "inject", "eval/baseline/samples_mul_table.jsonl"]],
    ids=["nothing evaluated", "one condition, no manifest", "no training, no data, a task without samples"],
)
def test_what_is_absent_is_left_out(build_run: BuildRun, gone: list[str]) -> None:
    run = build_run(items=30)
    for path in (run / name for name in gone):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    build(run)
    report = json.loads((run / "report" / "report.json").read_text("utf-8"))
    assert Page((run / "report" / "index.html").read_text("utf-8")).open == []
    if "eval" in gone:
        assert report["headline"]["sentence"] == "Nothing has been evaluated yet."
    if "eval/mul_tokens" in gone:
        assert report["comparisons"] == []
        assert report["headline"]["sentence"].endswith("There is no pair of conditions to compare.")
    if "inject" in gone:
        assert report["injection"] == {}
        assert "mul_table" not in {row["task"] for row in report["comparisons"]}
        assert report["conditions"]["baseline"]["tasks"]["mul_table"]["exact_match"]["low"] is not None


def test_the_injection_is_counted(build_run: BuildRun) -> None:
    report = build_report(read_run(build_run(items=10, rows=50)))
    assert report["injection"]["baseline"]["with_token"] == 0
    assert report["injection"]["mul_tokens"] == {
        "rows": 50, "with_token": 50, "share": 1.0, "mean_when_present": 1.0, "distribution": {"1": 50},
    }  # fmt: skip
    # the same facts are stated in both conditions, written out in one and as tokens in the other
    assert report["facts"]["baseline"] == report["facts"]["mul_tokens"]
    assert sum(report["facts"]["baseline"].values()) == 50


def test_what_a_model_wrote_cannot_leave_its_place() -> None:
    text = embed({"r": ["</script><!--<script>", "a\u2028b & c"]})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"r": ["</script><!--<script>", "a\u2028b & c"]}


def test_names_and_texts_are_escaped(build_run: BuildRun) -> None:
    run = build_run(items=12, name="<b>run</b> | *x*")
    samples = run / "eval/baseline/samples_gsm8k_tgsm.jsonl"
    rows = [json.loads(line) for line in samples.read_text("utf-8").splitlines()]
    rows[0]["resps"] = [["<img src=x onerror=alert(1)> \ud800 \x00"]]
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = read_run(run)
    report = build_report(found)
    page = render_page(found, report)
    assert "<img" not in page
    assert "<b>run" not in page
    page.encode("utf-8")
    assert "# &lt;b&gt;run&lt;/b&gt; \\| \\*x\\*" in render_markdown(report)


def test_the_terminal_gets_the_gist_and_the_file_everything(build_run: BuildRun) -> None:
    report = build_report(read_run(build_run(items=12)))
    whole, gist = render_markdown(report), render_summary(report)
    assert gist.splitlines()[:3] == whole.splitlines()[:3]
    assert "| response_tokens |" in whole
    assert "response_tokens" not in gist
    wanted = [line for line in whole.splitlines() if "| exact_match |" in line]
    assert [line for line in gist.splitlines() if "| exact_match |" in line] == wanted != []


def test_the_model_card(build_run: BuildRun) -> None:
    run = read_run(build_run(items=40))
    card = model_card(run, "mul_tokens")
    _, front, body = card.split("---\n", 2)
    head = yaml.safe_load(front)
    assert head["library_name"] == "transformers"
    scores = {entry["dataset"]["name"]: entry["metrics"][0]["value"] for entry in head["model-index"][0]["results"]}
    assert scores["GSM8K"] == run.evaluations["mul_tokens"].tasks["gsm8k_tgsm"].metrics["exact_match"]
    assert "trained from scratch, with `mul_tokens` in its training text" in body
    assert "User: {question}" in body
    with pytest.raises(ReportError, match="expected one of the conditions baseline, mul_tokens, found 'gone'"):
        model_card(run, "gone")


def test_the_data_set_card(build_run: BuildRun) -> None:
    card = dataset_card(read_run(build_run(items=10, source={"use": "tinygsm", "dataset": "TinyGSM/TinyGSM"})))
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["source_datasets"] == ["TinyGSM/TinyGSM"]
    assert head["size_categories"] == ["n<1K"]
    assert [entry["config_name"] for entry in head["configs"]] == ["baseline", "mul_tokens"]
    assert "| convert | `unsupported_call` | 2 |" in card


def test_the_data_set_card_tells_of_the_rows_that_it_goes_with_and_of_no_others(build_run: BuildRun) -> None:
    run = build_run(items=10)
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    manifest["stages"]["inject/baseline/100-rows"] = {**manifest["stages"]["inject/baseline"], "rows_out": 100}
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    card = dataset_card(read_run(run))
    assert "| inject/baseline | 400 | 400 | 0 |" in card
    assert "100-rows" not in card


def test_numbers_for_people() -> None:
    assert [points(value, signed=True) for value in (0.006, -0.011, 0.0, -0.0001, None)] == [
        "+0.6",
        "−1.1",
        "0.0",
        "0.0",
        "n/a",
    ]
    assert number(-1234.5, 1) == "−1,234.5"
    assert [p_text(p) for p in (0.5149, 0.0312, 0.0004)] == ["p = 0.51", "p = 0.031", "p < 0.001"]
    assert [duration(s) for s in (12.4, 250, 11_100)] == ["12 s", "4 min 10 s", "3 h 05 min"]
    assert spread(list(range(1_319)), 10) == [0, 131, 263, 395, 527, 659, 791, 923, 1055, 1187]


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b.txt", "text")
    assert (tmp_path / "a" / "b.txt").read_text() == "text"
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "a" / "b.txt", "\ud800")
    assert (tmp_path / "a" / "b.txt").read_text() == "text"
    assert len(list((tmp_path / "a").iterdir())) == 1
