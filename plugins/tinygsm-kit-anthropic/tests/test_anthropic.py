"""The plugin against a real HTTP server that speaks the Messages API, and everything that the kit adds to it."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tinygsm_kit import get
from tinygsm_kit.convert.batch import BatchPending
from tinygsm_kit.convert.money import BudgetError
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.stage import convert
from tinygsm_kit.parts import PROBLEM_COLUMNS, part_path, part_paths, read_rows, write_part
from tinygsm_kit.progress import Silent
from tinygsm_kit.records import Problem, Rejection, Reply
from tinygsm_kit.testing import Faults, MockServer

KEY = "sk-ant-test-0123456789abcdef"


class Messages:
    """Anthropic's Messages API as a wire of the kit's mock server."""

    def prompt(self, body: Mapping[str, Any]) -> str:
        turns = [turn["content"] for turn in body["messages"]]
        parts = [part for turn in turns for part in ([{"text": turn}] if isinstance(turn, str) else turn)]
        return "\n".join(part.get("text", "") for part in parts)

    def reply(self, body: Mapping[str, Any], text: str | None, usage: tuple[int, int], number: int) -> dict[str, Any]:
        try:
            said = json.loads(text or "")
        except ValueError:
            said = {"steps": "cut"}
        content = [] if text is None else [{"type": "tool_use", "id": f"toolu_{number}", "name": "working", "input": said}]
        return {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": body["model"], "content": content,
                "stop_reason": "refusal" if text is None else "tool_use", "stop_sequence": None,
                "usage": {"input_tokens": usage[0] - 5, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 0,
                          "output_tokens": usage[1]}}  # fmt: skip


class Server(MockServer):
    """The mock server with Anthropic's endpoints, batches included."""

    def __init__(self, **options: Any) -> None:
        self.seconds = options.pop("batch_seconds", 0.0)
        self.expired = set(options.pop("expired", ()))
        super().__init__(wires={"/v1/messages": Messages()}, **options)
        self.jobs: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.batches = self  # type: ignore[assignment]

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def add_routes(self, application: web.Application) -> None:
        application.router.add_post("/v1/messages/batches", self.create)
        application.router.add_get("/v1/messages/batches", self.list)
        application.router.add_get("/v1/messages/batches/{id}", self.retrieve)
        application.router.add_get("/v1/messages/batches/{id}/results", self.results)

    def state(self, name: str) -> dict[str, Any]:
        job = self.jobs[name]
        ended = time.time() >= job["ready"]
        total = len(job["requests"])
        counts = dict.fromkeys(("succeeded", "errored", "canceled", "expired"), 0)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(job["created"]))
        return {"id": name, "type": "message_batch", "processing_status": "ended" if ended else "in_progress",
                "request_counts": {"processing": 0 if ended else total, **counts, "succeeded": total if ended else 0},
                "created_at": stamp, "expires_at": stamp, "ended_at": stamp if ended else None, "archived_at": None,
                "cancel_initiated_at": None,
                "results_url": f"{self.url}/messages/batches/{name}/results" if ended else None}  # fmt: skip

    async def create(self, request: web.Request) -> web.Response:
        name = f"msgbatch_{len(self.jobs)}"
        requests = (await request.json())["requests"]
        self.jobs[name] = {"requests": requests, "created": time.time(), "ready": time.time() + self.seconds}
        self.asked += [each["custom_id"] for each in requests]
        return web.json_response(self.state(name))

    async def list(self, request: web.Request) -> web.Response:
        data = [self.state(name) for name in reversed(self.jobs)]
        return web.json_response({"data": data, "has_more": False, "first_id": None, "last_id": None})

    async def retrieve(self, request: web.Request) -> web.Response:
        return web.json_response(self.state(request.match_info["id"]))

    async def results(self, request: web.Request) -> web.Response:
        lines = []
        for number, each in enumerate(self.jobs[request.match_info["id"]]["requests"]):
            body = each["params"]
            if len(self.jobs) == 1 and number in self.expired:
                result: dict[str, Any] = {"type": "expired"}
            else:
                text = self.answer(Messages().prompt(body)).json()
                result = {"type": "succeeded", "message": Messages().reply(body, text, self.usage or (100, 10), number)}
            lines.append(json.dumps({"custom_id": each["custom_id"], "result": result}))
        return web.Response(text="\n".join(lines) + "\n", content_type="application/x-jsonl")


@pytest.fixture(autouse=True)
def _own_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYGSM_KIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rows = [{"id": f"{n:016x}", "question": f"Tom has {n} eggs and buys 60. How many has he?",
             "program": f"def f():\n    return {n} + 60", "answer": str(n + 60), "difficulty": 1, "source": "test"}
            for n in range(60)]  # fmt: skip
    write_part(part_path(tmp_path / "sample", 0), rows, PROBLEM_COLUMNS)
    return tmp_path / "sample"


def run(source: Path, folder: Path, server: Server, **host: Any):
    return convert(source, folder, converter="anthropic", options={"base_url": server.root}, host=HostOptions(**host), seed=0,
                   workers=1, progress=Silent())  # fmt: skip


def test_the_request_forces_the_tool_and_alternates_roles():
    problem = Problem("a" * 16, "How many?", "return 1", "1")
    body = get("converter", "anthropic").request(problem)
    assert (body["tool_choice"], body["tools"][0]["name"]) == ({"type": "tool", "name": "working"}, "working")
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    assert KEY not in json.dumps(body)
    again = get("converter", "anthropic").repair(problem, body, Reply({"said": {"steps": ["x"], "final_answer": "2"}}), "wrong")
    roles = [message["role"] for message in again["messages"]]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    assert "wrong" in str(again["messages"][-1])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"ended": "refusal"}, "refusal"),
        ({"ended": "max_tokens", "said": {"steps": []}}, "cut_off"),
        ({"ended": "end_turn", "said": None}, "malformed_answer"),
        ({"ended": "tool_use", "said": {"steps": "one", "final_answer": "1"}}, "malformed_answer"),
        ({"ended": "tool_use", "said": {"steps": ["one"]}}, "malformed_answer"),
    ],
)
def test_unusable_answers_have_their_reason(body: dict, reason: str):
    outcome = get("converter", "anthropic").read(Problem("a" * 16, "", "", "1"), Reply(body))
    assert isinstance(outcome, Rejection)
    assert outcome.reason == reason


def test_the_host_gives_retries_repair_verification_ledger_and_money(source: Path, tmp_path: Path):
    faults = Faults(rate_limit=0.05, error=0.05, drop=0.05, malformed=0.05, wrong=0.1)
    with Server(faults=faults, usage=(105, 20), seed=2) as server:
        counts = run(source, tmp_path / "out", server)
        asked = len(server.received)
        run(source, tmp_path / "again", server)
        assert len(server.received) == asked
        answered = sum(request.outcome in ("ok", "malformed", "wrong") for request in server.received)
    assert counts.rows_out + sum(counts.rejected.values()) == 60
    assert counts.rows_out >= 55
    rows = list(read_rows(part_paths(tmp_path / "out")))
    assert {(row["converter"], row["version"]) for row in rows} == {("anthropic", "1/claude-haiku-4-5/prompt-1")}
    each = (100 * 1.0 + 5 * 0.1 + 20 * 5.0) / 1e6
    assert counts.extra["usd"] - counts.extra["usd_unanswered"] == pytest.approx(answered * each, abs=2e-6)


def test_the_budget_holds(source: Path, tmp_path: Path):
    with Server(usage=(1000, 2000)) as server, pytest.raises(BudgetError):
        run(source, tmp_path / "out", server, budget_usd=0.1, max_in_flight=32)
    tokens = server.billed()
    assert tokens[0] * 1e-6 + tokens[1] * 5e-6 <= 0.1


def test_batches_are_collected_and_what_expired_is_asked_again_alone(source: Path, tmp_path: Path):
    with Server(usage=(105, 20), expired=range(10)) as server:
        counts = run(source, tmp_path / "out", server, mode="batch", poll_seconds=0.05)
    assert counts.rows_out == 60
    assert [len(job["requests"]) for job in server.jobs.values()] == [60, 10]
    assert counts.extra["usd"] == pytest.approx(60 * (100 * 1.0 + 5 * 0.1 + 20 * 5.0) / 2e6, abs=1e-6)


def test_a_batch_whose_id_was_lost_is_known_by_what_it_holds(source: Path, tmp_path: Path):
    from tinygsm_kit.convert.ledger import Ledger, ledger_path

    with Server(batch_seconds=1.0) as server:
        with pytest.raises(BatchPending):
            run(source, tmp_path / "out", server, mode="batch", detach=True)
        ledger = Ledger(ledger_path())
        ledger.database.execute("UPDATE jobs SET remote = NULL")
        ledger.close()
        counts = run(source, tmp_path / "out", server, mode="batch", poll_seconds=0.1)
        assert len(server.jobs) == 1
    assert counts.rows_out == 60
