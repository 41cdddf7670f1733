"""Ready rows are known by their content, not by where they lie."""

import json

from tinygsm_kit.inject.texts import identity, ready_rows


def test_the_identity_is_that_of_the_content(tmp_path):
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    for path in (one, two):
        path.write_text(json.dumps({"question": "Hello?", "text": "Hello."}) + "\n")
    before = identity(one)
    assert identity(two) == before
    two.write_text(two.read_text().replace("Hello.", "Howdy."))
    assert two.stat().st_size == one.stat().st_size
    assert identity(two) != before
    assert identity(tmp_path / "gone.jsonl") == []


def test_the_set_that_ships_can_be_read_and_has_no_doubles():
    from tinygsm_kit.recipe_files import find_recipe, load

    path = load(find_recipe("small_transition")).train[0].host.data.texts
    questions = [row["question"] for row in ready_rows(path)]
    assert len(questions) == len(set(questions)) == 64
