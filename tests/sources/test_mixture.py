import json
import logging
from collections import Counter
from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from tinygsm_kit.plugins import get, host
from tinygsm_kit.records import Rejection
from tinygsm_kit.references import Of, Reference, with_plugins

SYNTHETIC = {"use": "synthetic", "weight": 0.6}
DRILLS = {"use": "drills", "weight": 0.4, "kinds": ["mul_table"]}


def mixed(**options):
    return list(get("source", "mixture", **options).problems())


def kinds(problems):
    return Counter(p.source.split("/")[0] for p in problems)


def test_weights_hold_and_parts_without_a_size_give_as_many_as_needed():
    problems = mixed(parts=[SYNTHETIC, DRILLS], size=20_000)
    assert kinds(problems) == {"synthetic": 12_000, "drills": 8_000}


def test_every_table_fact_comes_tens_of_times():
    facts = Counter(p.question for p in mixed(parts=[SYNTHETIC, DRILLS], size=8_000) if p.source == "drills/mul_table")
    assert len(facts) == 81
    assert min(facts.values()) >= 39
    assert sum(facts.values()) == 3_200


def test_a_shorter_mixture_is_the_beginning_of_a_longer_one():
    assert mixed(parts=[SYNTHETIC, DRILLS], size=300) == mixed(parts=[SYNTHETIC, DRILLS], size=900)[:300]


def test_it_is_seeded():
    assert mixed(parts=[SYNTHETIC, DRILLS], size=100, seed=1) == mixed(parts=[SYNTHETIC, DRILLS], size=100, seed=1)
    orders = {tuple(p.id for p in mixed(parts=[SYNTHETIC, DRILLS], size=20, seed=seed)) for seed in range(8)}
    assert len(orders) > 1


def test_it_ends_at_the_first_part_that_runs_out_so_that_the_weights_hold():
    problems = mixed(parts=[{"use": "synthetic", "size": 30}, {"use": "drills", "kinds": ["mul_table"]}])
    assert abs(kinds(problems)["synthetic"] - kinds(problems)["drills"]) <= 1
    assert kinds(problems)["synthetic"] == 30


def test_or_when_all_have():
    problems = mixed(parts=[{"use": "synthetic", "size": 30}, {"use": "drills", "kinds": ["mul_table"]}], until="all")
    assert kinds(problems) == {"synthetic": 30, "drills": 81}


def test_a_mixture_that_falls_short_says_which_part_ran_out(caplog):
    with caplog.at_level(logging.WARNING):
        problems = mixed(parts=[{"use": "synthetic", "size": 30}, DRILLS], size=500)
    assert len(problems) < 500
    assert f"part 1 (synthetic) ran out after {len(problems)} of 500 rows" in caplog.text


def test_mixtures_nest():
    inner = {"use": "mixture", "parts": [SYNTHETIC, {"use": "drills", "weight": 0.6}]}
    problems = mixed(parts=[inner, {"use": "drills", "kinds": ["mul_table"], "seed": 4}], size=400)
    assert Counter(p.source.split("/")[0] for p in problems) == {"synthetic": 100, "drills": 300}


def test_rejections_pass_through(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"question": "q", "code": "def f():\\n    return 1 + 1\\n"}\nnot json\n')
    problems = mixed(parts=[{"use": "tinygsm", "path": str(tmp_path / "rows.jsonl")}, DRILLS], until="all", size=40)
    assert [p.reason for p in problems if isinstance(p, Rejection)] == ["malformed_json"]


@pytest.mark.parametrize(
    ("parts", "location", "message"),
    [
        ([SYNTHETIC, {"use": "drills", "wieght": 2}], ("parts", 1, "wieght"), "did you mean 'weight'"),
        ([{"use": "sintetic"}], ("parts", 0, "use"), "did you mean 'synthetic'"),
        ([{"use": "drills", "kinds": {"addition": -1}}], ("parts", 0, "kinds"), "weight above 0"),
        ([{"use": "synthetic", "weight": 0}], ("parts", 0, "weight"), "greater than 0"),
        ([], ("parts",), "at least 1 item"),
    ],
)
def test_a_misspelled_key_inside_a_part_is_located(parts, location, message):
    with pytest.raises(ValidationError, match=message) as caught:
        get("source", "mixture", parts=parts)
    assert [error["loc"] for error in caught.value.errors()] == [location]


def test_what_was_given_comes_back_as_it_was_written():
    options = host().find("source", "mixture").load().Options.model_validate({"parts": [SYNTHETIC, DRILLS], "size": 10})
    assert options.model_dump(mode="json", exclude_unset=True) == {
        "parts": [SYNTHETIC, {**DRILLS, "kinds": {"mul_table": 1.0}}],
        "size": 10,
    }


def test_the_identity_tells_versions_and_data_of_the_parts(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"question": "q", "code": "c"}\n')
    part = {"use": "tinygsm", "path": str(rows)}
    before = get("source", "mixture", parts=[part]).identity()
    rows.write_text('{"question": "q", "code": "d"}\n')
    assert get("source", "mixture", parts=[part]).identity() != before
    assert before[0][0]["version"] == "1"


def test_the_schema_ends_though_a_mixture_may_hold_mixtures():
    schema = json.loads(json.dumps(with_plugins(TypeAdapter(Annotated[Reference, Of("source")]).json_schema())))
    mixture = next(entry for entry in schema["$defs"]["source"]["anyOf"] if entry.get("title") == "source mixture")
    part = schema["$defs"][mixture["properties"]["parts"]["items"]["$ref"].removeprefix("#/$defs/")]
    assert all("weight" in entry["properties"] for entry in part["anyOf"] if "properties" in entry)
