"""The Files and Batch endpoints of the mock server: jobs that complete after a while, fail in part, or expire half done."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from tinygsm_kit.testing.wires import Conversion

if TYPE_CHECKING:
    from aiohttp import web

    from tinygsm_kit.testing.server import MockServer


class Batches:
    """Files and jobs, in memory. `jobs` and `lines` (every request that a job held) are there for tests to look at."""

    def __init__(self, server: MockServer, seconds: float, expire: tuple[int, ...]) -> None:
        self.server, self.seconds, self.expire = server, seconds, expire
        self.files: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.lines: list[tuple[str, str, str]] = []
        """(job, custom_id, outcome) of each request in each job."""

    def add_routes(self, application: web.Application) -> None:
        """Put the endpoints into the server's application."""
        router = application.router
        router.add_post("/v1/files", self._upload)
        router.add_get("/v1/files/{id}/content", self._content)
        router.add_delete("/v1/files/{id}", self._delete)
        router.add_post("/v1/batches", self._create)
        router.add_get("/v1/batches", self._list)
        router.add_get("/v1/batches/{id}", self._get)
        router.add_post("/v1/batches/{id}/cancel", self._cancel)

    async def _upload(self, request: web.Request) -> web.Response:
        from aiohttp import web

        if (stranger := self.server.refuse_stranger(request)) is not None:
            return stranger
        form = await request.post()
        upload = form["file"]
        content = upload.encode() if isinstance(upload, str) else upload.file.read()  # type: ignore[union-attr]
        identifier = self._store(content)
        return web.json_response(self._file(identifier, str(form.get("purpose", "batch"))))

    def _store(self, content: bytes) -> str:
        identifier = f"file-{len(self.files):06d}"
        self.files[identifier] = content
        return identifier

    def _file(self, identifier: str, purpose: str) -> dict[str, Any]:
        return {"id": identifier, "object": "file", "bytes": len(self.files[identifier]), "created_at": int(time.time()),
                "filename": "requests.jsonl", "purpose": purpose, "status": "processed"}  # fmt: skip

    async def _content(self, request: web.Request) -> web.Response:
        from aiohttp import web

        content = self.files.get(request.match_info["id"])
        return web.Response(status=404) if content is None else web.Response(body=content)

    async def _delete(self, request: web.Request) -> web.Response:
        from aiohttp import web

        self.files.pop(request.match_info["id"], None)
        return web.json_response({"id": request.match_info["id"], "object": "file", "deleted": True})

    async def _create(self, request: web.Request) -> web.Response:
        from aiohttp import web

        if (stranger := self.server.refuse_stranger(request)) is not None:
            return stranger
        asked = await request.json()
        identifier = f"batch_{len(self.jobs):06d}"
        lines = self.files[asked["input_file_id"]].decode().splitlines()
        self.jobs[identifier] = {
            "id": identifier, "object": "batch", "endpoint": asked["endpoint"], "errors": None, "status": "in_progress",
            "input_file_id": asked["input_file_id"], "completion_window": asked["completion_window"],
            "output_file_id": None, "error_file_id": None, "created_at": int(time.time()),
            "ready_at": time.time() + self.seconds,
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0}, "metadata": asked.get("metadata"),
        }  # fmt: skip
        return web.json_response(self._seen(identifier))

    async def _list(self, request: web.Request) -> web.Response:  # noqa: ARG002
        from aiohttp import web

        data = [self._seen(identifier) for identifier in reversed(self.jobs)]
        return web.json_response({"object": "list", "data": data, "has_more": False})

    async def _get(self, request: web.Request) -> web.Response:
        from aiohttp import web

        identifier = request.match_info["id"]
        if identifier not in self.jobs:
            return web.json_response({"error": {"message": f"No batch found with id '{identifier}'."}}, status=404)
        return web.json_response(self._seen(identifier))

    async def _cancel(self, request: web.Request) -> web.Response:
        from aiohttp import web

        self.jobs[request.match_info["id"]]["status"] = "cancelled"
        return web.json_response(self._seen(request.match_info["id"]))

    def _seen(self, identifier: str) -> dict[str, Any]:
        job = self.jobs[identifier]
        if job["status"] == "in_progress" and time.time() >= job["ready_at"]:
            self._finish(job, expires=list(self.jobs).index(identifier) in self.expire)
        return {name: value for name, value in job.items() if name != "ready_at"}

    def _finish(self, job: dict[str, Any], expires: bool) -> None:
        lines = [json.loads(line) for line in self.files[job["input_file_id"]].decode().splitlines()]
        in_time = len(lines) // 2 if expires else len(lines)
        results = [self._result(job, line) for line in lines[:in_time]]
        late = {"code": "batch_expired", "message": "This request could not be executed before the completion window expired."}
        good = [result for result in results if result["error"] is None and result["response"]["status_code"] == 200]
        bad = [result for result in results if result not in good]
        for line in lines[in_time:]:
            bad.append({"id": "batch_req", "custom_id": line["custom_id"], "response": None, "error": late})
            self.lines.append((job["id"], line["custom_id"], "expired"))
        job["output_file_id"] = self._store(_jsonl(good)) if good else None
        job["error_file_id"] = self._store(_jsonl(bad)) if bad else None
        job["request_counts"] = {"total": len(lines), "completed": len(good), "failed": len(bad)}
        job["status"] = "expired" if expires else "completed"

    def _result(self, job: dict[str, Any], line: dict[str, Any]) -> dict[str, Any]:
        from tinygsm_kit.testing.server import digest_of

        server, body = self.server, line["body"]
        wire = server.wires[line["url"]]
        digest = digest_of(body)
        server.arrivals[digest] += 1
        outcome = server.faults.draw(server.seed, digest, server.arrivals[digest])
        self.lines.append((job["id"], line["custom_id"], outcome))
        failed = {"rate_limit": 429, "error": 500, "drop": 500, "truncated": 500}.get(outcome)
        if failed is not None:
            error = {"error": {"message": "The server had an error.", "code": None}}
            return {"id": "batch_req", "custom_id": line["custom_id"], "error": None,
                    "response": {"status_code": failed, "request_id": "req", "body": error}}  # fmt: skip
        conversion: Conversion = server.answer(wire.prompt(body))
        text = server.said(outcome, conversion)
        usage = server.usage or (len(json.dumps(body)) // 4, len(text or "") // 3 + 8)
        reply = wire.reply(body, text, usage, len(self.lines))
        return {"id": "batch_req", "custom_id": line["custom_id"], "error": None,
                "response": {"status_code": 200, "request_id": "req", "body": reply}}  # fmt: skip


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()
