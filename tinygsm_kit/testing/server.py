"""A server that speaks OpenAI's API over HTTP on this machine, answers from a script, fails on request, and logs it all.

    with MockServer(latency=0.2, faults=Faults(rate_limit=0.02)) as server:
        ...  # point a converter's base_url at server.url
    assert not server.sent_twice()

`python -m tinygsm_kit.testing --help` runs it as a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from tinygsm_kit.testing.wires import OPENAI, Answerer, Conversion, Faults, Wire, answer_from_prompt

if TYPE_CHECKING:
    from aiohttp import web

BILLED = ("ok", "drop", "truncated", "malformed", "wrong", "refusal")
"""Outcomes that a service charges for: the model did its work."""


@dataclass
class Received:
    """One request as the server saw it."""

    number: int
    path: str
    digest: str
    """SHA-256 of the body: two requests with one digest are one request sent twice."""
    started: float
    outcome: str = ""
    ended: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None


class MockServer:
    """See the module's docstring. A context manager: it runs in a thread of its own between enter and exit."""

    def __init__(
        self,
        *,
        answer: Answerer = answer_from_prompt,
        script: Callable[[Received], str | Conversion | None] | None = None,
        latency: float | Callable[[Received], float] = 0.0,
        faults: Faults | None = None,
        retry_after: float = 0.05,
        usage: tuple[int, int] | None = None,
        seed: int = 0,
        log: Path | None = None,
        keep: bool = True,
        port: int = 0,
        wires: Mapping[str, Wire] | None = None,
        key: str | None = None,
        batch_seconds: float = 0.0,
        expire: tuple[int, ...] = (),
    ) -> None:
        """`script` may name the fault, or give the answer, for one request; None leaves it to `faults`.

        `usage` fixes input and output tokens. `keep` keeps headers and bodies in `received`. `key` is the only API key that
        is let in. Batch jobs take `batch_seconds`; those whose ordinal is in `expire` expire half done.
        """
        from tinygsm_kit.testing.batches import Batches

        self.answer, self.script, self.latency, self.faults = answer, script, latency, faults or Faults()
        self.retry_after, self.usage, self.seed, self.keep = retry_after, usage, seed, keep
        self.port, self.wires, self.key = port, dict(OPENAI if wires is None else wires), key
        self.batches = Batches(self, batch_seconds, expire)
        self.received: list[Received] = []
        self.arrivals: Counter[str] = Counter()
        self.in_flight = self.most_in_flight = 0
        self._log = None if log is None else _appending(log)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """What to give a client as `base_url`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def sent_twice(self) -> dict[str, list[str]]:
        """Outcomes of every request that arrived more than once, by digest."""
        outcomes: dict[str, list[str]] = {}
        for request in self.received:
            outcomes.setdefault(request.digest, []).append(request.outcome)
        return {digest: found for digest, found in outcomes.items() if len(found) > 1}

    def billed(self) -> tuple[int, int]:
        """Input and output tokens of all requests that a service would charge for, unanswered ones included."""
        paid = [request for request in self.received if request.outcome in (*BILLED, "")]
        return sum(request.input_tokens for request in paid), sum(request.output_tokens for request in paid)

    def __enter__(self) -> MockServer:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve(ready)), name="mock-server", daemon=True)
        self._thread.start()
        if not ready.wait(30):
            raise RuntimeError("the mock server did not start within 30 s")
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(10)

    async def serve(self, ready: threading.Event | None = None) -> None:
        """Serve until told to stop."""
        from aiohttp import web

        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        application = web.Application(client_max_size=1 << 30)
        for path in self.wires:
            application.router.add_post(path, self._handle)
        self.batches.add_routes(application)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, backlog=4096)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        if ready is not None:
            ready.set()
        await self._stop.wait()
        await runner.cleanup()
        if self._log is not None:
            self._log.close()

    def refuse_stranger(self, request: web.Request) -> web.Response | None:
        """401 for a request without the right key, as the service words it: with the key's end in the message."""
        from aiohttp import web

        given = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.headers.get("x-api-key", "")
        if self.key is None or given == self.key:
            return None
        error = {"message": f"Incorrect API key provided: {given}.", "type": "invalid_request_error", "code": "invalid_api_key"}
        return web.json_response({"error": error}, status=401)

    async def _handle(self, request: web.Request) -> Any:
        from aiohttp import web

        raw = await request.read()
        received = self._arrived(request, raw)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if (stranger := self.refuse_stranger(request)) is not None:
                received.outcome = "stranger"
                return stranger
            body = json.loads(raw)
            outcome, payload = self._decide(received, request.path, body)
            latency = self.latency if isinstance(self.latency, float | int) else self.latency(received)
            if latency and outcome not in ("rate_limit", "error"):
                await asyncio.sleep(latency)
            received.outcome = outcome
            return await self._answer(request, outcome, payload, web)
        finally:
            self.in_flight -= 1
            received.ended = time.time()
            self._write(received)

    def _arrived(self, request: web.Request, raw: bytes) -> Received:
        received = Received(len(self.received), request.path, hashlib.sha256(raw).hexdigest(), time.time())
        if self.keep:
            received.headers, received.body = dict(request.headers), json.loads(raw)
            received.digest = digest_of(received.body)
        digest = received.digest
        self.arrivals[digest] += 1
        self.received.append(received)
        self._write(received)
        return received

    def _decide(self, received: Received, path: str, body: Mapping[str, Any]) -> tuple[str, bytes]:
        scripted = self.script(received) if self.script else None
        if isinstance(scripted, str):
            outcome = scripted
        else:
            drawn = self.faults.draw(self.seed, received.digest, self.arrivals[received.digest])
            outcome = "ok" if isinstance(scripted, Conversion) else drawn
        if outcome in ("rate_limit", "error"):
            return outcome, b""
        wire = self.wires[path]
        conversion = scripted if isinstance(scripted, Conversion) else self.answer(wire.prompt(body))
        text = self.said(outcome, conversion)
        received.input_tokens, received.output_tokens = self.usage or (len(json.dumps(body)) // 4, len(text or "") // 3 + 8)
        reply = wire.reply(body, text, (received.input_tokens, received.output_tokens), received.number)
        return outcome, json.dumps(reply).encode()

    def said(self, outcome: str, conversion: Conversion) -> str | None:
        """The model's text for an outcome; None where it refuses."""
        if outcome == "refusal":
            return None
        if outcome == "malformed":
            return conversion.json()[:-9]
        return (conversion.wrong() if outcome == "wrong" else conversion).json()

    async def _answer(self, request: web.Request, outcome: str, payload: bytes, web: Any) -> Any:
        if outcome == "rate_limit":
            error = {"error": {"message": "Rate limit reached.", "type": "requests", "code": "rate_limit_exceeded"}}
            return web.json_response(error, status=429, headers={"Retry-After": f"{self.retry_after:g}"})
        if outcome == "error":
            return web.json_response({"error": {"message": "The server had an error."}}, status=500)
        if outcome == "drop" and request.transport is not None:
            request.transport.abort()
        body = payload[: len(payload) // 2] if outcome == "truncated" else payload
        return web.Response(body=body, content_type="application/json")

    def _write(self, received: Received) -> None:
        if self._log is not None:
            self._log.write(json.dumps({name: getattr(received, name) for name in _LOGGED}) + "\n")
            self._log.flush()


def digest_of(body: Mapping[str, Any] | None) -> str:
    """A request's name, whether it comes alone or in a batch job."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


_LOGGED = [item.name for item in fields(Received) if item.name not in ("headers", "body")]


def _appending(path: Path) -> TextIO:
    return path.open("a", encoding="utf-8")


def read_log(path: Path) -> list[Received]:
    """All requests in a server's log, each as it was last written; those never answered have no end."""
    last: dict[tuple[float, int], Received] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        received = Received(**json.loads(line))
        last[received.started, received.number] = received
    return list(last.values())


@contextmanager
def in_own_process(log: Path, **options: float | int) -> Iterator[str]:
    """A server in a process of its own, so that its work takes no time from the client's. Yields its `base_url`."""
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "tinygsm_kit.testing", f"--log={log}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(10)


def main() -> None:
    """Serve until terminated; the first line on standard output is the base_url."""
    parser = argparse.ArgumentParser(description="An OpenAI-compatible server with scripted answers and faults.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--log", type=Path, help="JSON lines of all that arrives")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--retry-after", type=float, default=0.05)
    parser.add_argument("--input-tokens", type=int, help="what every request is said to cost")
    parser.add_argument("--output-tokens", type=int, default=0)
    for fault in fields(Faults):
        parser.add_argument(f"--{fault.name.replace('_', '-')}", type=float, default=0.0, help="share of requests")
    given = parser.parse_args()
    faults = Faults(**{fault.name: getattr(given, fault.name) for fault in fields(Faults)})
    usage = None if given.input_tokens is None else (given.input_tokens, given.output_tokens)
    server = MockServer(latency=given.latency, faults=faults, seed=given.seed, log=given.log, keep=False, port=given.port,
                        retry_after=given.retry_after, usage=usage)  # fmt: skip

    async def serve() -> None:
        ready = threading.Event()
        serving = asyncio.create_task(server.serve(ready))
        while not ready.is_set():
            await asyncio.sleep(0.01)
        print(server.url, flush=True)
        await serving

    asyncio.run(serve())
