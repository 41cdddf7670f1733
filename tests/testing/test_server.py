"""The mock server itself: what it is asked to break it breaks, the same way each time, and it logs all that it received."""

import json
import urllib.error
import urllib.request
from collections import Counter
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tinygsm_kit.testing import Conversion, Faults, MockServer, in_own_process
from tinygsm_kit.testing.server import read_log
from tinygsm_kit.testing.wires import answer_from_prompt


def ask(url: str, number: int = 0, path: str = "/responses", **headers: str) -> dict[str, Any]:
    turns = [{"role": "user", "content": f"Number {number}\nAnswer: {number + 60}"}]
    body = {"model": "m", "input": turns} if path == "/responses" else {"model": "m", "messages": turns}
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def said(answer: dict[str, Any]) -> str:
    return answer["output"][0]["content"][0]["text"]


def test_it_answers_both_apis_with_the_answer_that_the_prompt_tells():
    with MockServer(usage=(7, 3)) as server:
        responses = ask(server.url)
        chat = ask(server.url, path="/chat/completions")
    for text in (said(responses), chat["choices"][0]["message"]["content"]):
        assert json.loads(text)["final_answer"] == "60"
    assert responses["usage"]["total_tokens"] == chat["usage"]["total_tokens"] == 10
    assert [request.path for request in server.received] == ["/v1/responses", "/v1/chat/completions"]
    assert server.received[0].body["model"] == "m"
    assert server.billed() == (14, 6)


@pytest.mark.parametrize("status", [429, 500])
def test_statuses(status: int):
    faults = Faults(rate_limit=1.0) if status == 429 else Faults(error=1.0)
    with MockServer(faults=faults, retry_after=1.5) as server, pytest.raises(urllib.error.HTTPError) as error:
        ask(server.url)
    assert error.value.code == status
    assert error.value.headers["Retry-After"] == ("1.5" if status == 429 else None)
    assert server.billed() == (0, 0)


def test_broken_answers():
    with MockServer(faults=Faults(truncated=1.0)) as server, pytest.raises(json.JSONDecodeError):
        ask(server.url)
    with MockServer(faults=Faults(drop=1.0)) as server, pytest.raises((HTTPException, OSError)):
        ask(server.url)
    with MockServer(faults=Faults(malformed=1.0)) as server, pytest.raises(json.JSONDecodeError):
        json.loads(said(ask(server.url)))
    with MockServer(faults=Faults(wrong=1.0)) as server:
        assert "3 × 4 = 13" in said(ask(server.url))
    with MockServer(faults=Faults(refusal=1.0)) as server:
        assert ask(server.url)["output"][0]["content"][0]["type"] == "refusal"


def test_faults_depend_on_the_request_and_its_attempt_not_on_the_order():
    faults = Faults(rate_limit=0.2, wrong=0.3)

    def outcomes(order: range) -> dict[str, str]:
        with MockServer(faults=faults, seed=5) as server:
            for number in order:
                try:
                    ask(server.url, number)
                except urllib.error.HTTPError:
                    continue
        return {request.digest: request.outcome for request in server.received}

    first = outcomes(range(60))
    assert first == outcomes(range(59, -1, -1))
    assert set(first.values()) == {"ok", "rate_limit", "wrong"}


def test_a_script_decides_before_chance_does():
    answers = {0: "error", 1: Conversion(("One step.",), "1")}
    with MockServer(script=lambda request: answers.get(request.number), faults=Faults(refusal=1.0)) as server:
        with pytest.raises(urllib.error.HTTPError):
            ask(server.url)
        assert json.loads(said(ask(server.url))) == {"steps": ["One step."], "final_answer": "1"}
        assert ask(server.url)["output"][0]["content"][0]["type"] == "refusal"
    (outcomes,) = server.sent_twice().values()
    assert outcomes == ["error", "ok", "refusal"]


def test_a_stranger_is_told_its_key_back_as_the_service_does():
    with MockServer(key="sk-right") as server:
        with pytest.raises(urllib.error.HTTPError) as error:
            ask(server.url, Authorization="Bearer sk-wrong")
        assert b"sk-wrong" in error.value.read()
        ask(server.url, Authorization="Bearer sk-right")
    assert [request.outcome for request in server.received] == ["stranger", "ok"]


def test_in_a_process_of_its_own_it_leaves_a_log(tmp_path: Path):
    with in_own_process(tmp_path / "log", wrong=0.5, input_tokens=9, output_tokens=4) as url:
        for number in range(30):
            ask(url, number)
    log = read_log(tmp_path / "log")
    assert len(log) == 30
    assert set(Counter(request.outcome for request in log)) == {"ok", "wrong"}
    assert all(request.ended is not None and (request.input_tokens, request.output_tokens) == (9, 4) for request in log)


def test_the_last_answer_in_the_prompt_is_meant():
    assert answer_from_prompt("Answer: 1\nText\nAnswer: 2.50\n").answer == "2.50"
    assert answer_from_prompt("nothing").answer == "0"
