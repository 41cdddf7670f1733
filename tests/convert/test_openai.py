"""The `openai` converter: what it sends, and what it makes of what comes back, for both APIs."""

import asyncio
import json
from pathlib import Path

import pytest

from tinygsm_kit import get
from tinygsm_kit.convert.openai import OpenAI, OpenAIOptions
from tinygsm_kit.convert.prompts import EXAMPLES, INSTRUCTIONS, REPAIR
from tinygsm_kit.convert.verify import verify
from tinygsm_kit.records import Problem, Rejection, Reply, Solution, Usage
from tinygsm_kit.testing import MockServer

PROBLEM = Problem("a" * 16, "A {red} box of 4 and 8?", "def f():\n    return len({4: 1}) + 11", "12", 1, "test")


def test_the_request_is_strict_json_schema_and_holds_no_key(api_key: str):
    sent = get("converter", "openai", reasoning_effort="minimal").request(PROBLEM)
    body = sent["body"]
    assert (sent["server"], sent["path"]) == ("api.openai.com", "/responses")
    assert body["model"] == "gpt-5-nano"
    assert body["reasoning"] == {"effort": "minimal"}
    assert (body["max_output_tokens"], body["store"]) == (4096, False)
    form = body["text"]["format"]
    assert (form["type"], form["strict"]) == ("json_schema", True)
    assert form["schema"]["required"] == ["steps", "final_answer"]
    assert [turn["role"] for turn in body["input"]] == ["system", "user", "assistant", "user"]
    assert body["input"][0]["content"] == INSTRUCTIONS
    last = body["input"][-1]["content"]
    assert "A {red} box of 4 and 8?" in last
    assert "return len({4: 1}) + 11" in last
    assert last.endswith("Answer: 12")
    assert api_key not in json.dumps(sent)


def test_chat_says_the_same_in_its_own_words():
    converter = get("converter", "openai", api="chat", base_url="http://me:secret@host:8000/v1?key=1", temperature=0, model="m")
    sent = converter.request(PROBLEM)
    assert (sent["server"], sent["path"]) == ("host:8000/v1", "/chat/completions")
    assert "secret" not in json.dumps(sent)
    body = sent["body"]
    assert (body["max_tokens"], body["temperature"]) == (4096, 0)
    assert body["response_format"]["json_schema"]["strict"] is True
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    plain = get("converter", "openai", api="chat", json_schema=False).request(PROBLEM)["body"]
    assert "response_format" not in plain
    assert '"final_answer"' in plain["messages"][0]["content"]
    assert plain["max_completion_tokens"] == 4096


def test_the_shipped_examples_pass_the_verification_they_ask_for():
    for example in EXAMPLES:
        problem = Problem("e" * 16, example.question, example.program, example.answer)
        assert isinstance(verify(problem, Solution(problem.id, tuple(example.steps), example.answer, "x", "1")), Solution)
    assert "a × b = c" in INSTRUCTIONS
    assert "24 × 7 = 168" in INSTRUCTIONS


def test_the_version_of_a_solution_names_model_and_prompt():
    assert OpenAI(OpenAIOptions()).made_by == "1/gpt-5-nano/prompt-1"
    other = OpenAI(OpenAIOptions(model="m", instructions="Be brief.")).made_by
    assert other.startswith("1/m/prompt-")
    assert other != OpenAI(OpenAIOptions(model="m", instructions="Be very brief.")).made_by


@pytest.mark.parametrize("api", ["responses", "chat"])
def test_both_apis_over_http(api: str):
    async def go(url: str) -> Reply:
        converter = get("converter", "openai", api=api, base_url=url)
        try:
            return await converter.send(converter.request(PROBLEM))
        finally:
            await converter.close()

    with MockServer(usage=(11, 7)) as server:
        reply = asyncio.run(go(server.url))
        (seen,) = server.received
    assert reply.usage == Usage(11, 7)
    assert seen.headers["Authorization"].startswith("Bearer ")
    solution = get("converter", "openai", api=api).read(PROBLEM, reply)
    assert isinstance(solution, Solution)
    assert (solution.steps[-1], solution.answer) == ("Following the program to its end gives 12.", "12")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"refusal": "No."}, "refusal"),
        ({"text": '{"steps": ["a', "ended": "max_output_tokens"}, "cut_off"),
        ({"text": '{"steps": ["a"', "ended": "completed"}, "malformed_answer"),
        ({"text": "", "ended": "completed"}, "malformed_answer"),
        ({"text": '["steps"]'}, "malformed_answer"),
        ({"text": '{"steps": "one", "final_answer": "12"}'}, "malformed_answer"),
        ({"text": '{"steps": [1], "final_answer": "12"}'}, "malformed_answer"),
        ({"text": '{"final_answer": "12"}'}, "malformed_answer"),
    ],
)
def test_unusable_answers_have_their_reason(body: dict, reason: str):
    outcome = get("converter", "openai").read(PROBLEM, Reply(body))
    assert isinstance(outcome, Rejection)
    assert (outcome.problem_id, outcome.reason) == (PROBLEM.id, reason)


def test_answers_are_tidied_not_mended():
    said = '```json\n{"steps": ["4 + 8 = 12.\\n", "", "So 12.\\n#### 12"], "final_answer": "$12.00"}\n```'
    solution = get("converter", "openai").read(PROBLEM, Reply({"text": said}))
    assert (solution.steps, solution.answer) == (("4 + 8 = 12.", "So 12."), "12")
    assert (
        get("converter", "openai").read(PROBLEM, Reply({"text": '{"steps": ["x"], "final_answer": "many"}'})).answer == "many"
    )


def test_repair_goes_on_in_the_same_conversation():
    converter = get("converter", "openai", api="chat")
    first = converter.request(PROBLEM)
    again = converter.repair(PROBLEM, first, Reply({"text": "4 + 8 = 13"}), "false equation: 4 + 8 = 13")
    assert again["body"]["messages"][:4] == first["body"]["messages"]
    assert again["body"]["messages"][4:] == [
        {"role": "assistant", "content": "4 + 8 = 13"},
        {"role": "user", "content": REPAIR.format(fault="false equation: 4 + 8 = 13")},
    ]
    assert {name: value for name, value in again["body"].items() if name != "messages"} == {
        name: value for name, value in first["body"].items() if name != "messages"
    }


def test_without_a_key_the_message_names_the_variable(monkeypatch: pytest.MonkeyPatch, sample, run, tmp_path: Path):
    from tinygsm_kit.convert.assembly import ConvertError

    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ConvertError, match="OPENAI_API_KEY"):
        run(sample(3), tmp_path / "out")
