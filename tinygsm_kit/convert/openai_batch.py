"""OpenAI's batch jobs: half the price, an answer within a day. Limits as of the provider's documentation of 2026."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinygsm_kit.interfaces import BatchJob, BatchResult

if TYPE_CHECKING:
    from tinygsm_kit.convert.openai import OpenAI

LABEL = "tinygsm_kit"
"""The key of a job's metadata that holds our name for it."""
STATES = {"completed": "ended", "expired": "ended", "cancelled": "ended", "failed": "failed"}
WORTH_ANOTHER_TRY = (408, 409, 429)


class OpenAIBatch:
    """The batch service of one `openai` converter."""

    max_requests = 50_000
    max_bytes = 200_000_000

    def __init__(self, converter: OpenAI) -> None:
        self.converter = converter

    def line(self, custom_id: str, request: Mapping[str, Any]) -> str:
        """One request of a job's file."""
        url = f"/v1{request['path']}"
        return json.dumps({"custom_id": custom_id, "method": "POST", "url": url, "body": request["body"]}, ensure_ascii=False)

    async def submit(self, lines: Path, label: str) -> str:
        """Upload the file and make a job of it."""
        client = self.converter.client
        with lines.open("rb") as file:
            uploaded = await client.files.create(file=(f"{label}.jsonl", file), purpose="batch")
        endpoint: Any = f"/v1{self.converter.path}"
        job = await client.batches.create(
            input_file_id=uploaded.id, endpoint=endpoint, completion_window="24h", metadata={LABEL: label}
        )
        return job.id

    async def jobs(self) -> AsyncIterator[BatchJob]:
        """All jobs of the account, newest first."""
        async for job in self.converter.client.batches.list(limit=100):
            yield _state(job)

    async def job(self, identifier: str) -> BatchJob:
        """Where one job stands."""
        return _state(await self.converter.client.batches.retrieve(identifier))

    async def results(self, identifier: str) -> AsyncIterator[BatchResult]:
        """The lines of the output file and of the error file."""
        job = await self.converter.client.batches.retrieve(identifier)
        for file in (job.output_file_id, job.error_file_id):
            if file is None:
                continue
            async with self.converter.client.files.with_streaming_response.content(file) as response:
                async for line in response.iter_lines():
                    if line.strip():
                        yield self._result(json.loads(line))

    def _result(self, line: Mapping[str, Any]) -> BatchResult:
        response, error = line.get("response"), line.get("error")
        if response is None:
            return BatchResult(line["custom_id"], None, str((error or {}).get("code") or error or "no response"))
        status = int(response.get("status_code") or 0)
        if status != 200:
            message = json.dumps(response.get("body"), ensure_ascii=False)[:300]
            return BatchResult(
                line["custom_id"], None, f"status {status}: {message}", status in WORTH_ANOTHER_TRY or status >= 500
            )
        return BatchResult(line["custom_id"], self.converter.reply(response["body"]))


def _state(job: Any) -> BatchJob:
    errors = job.errors.data if job.errors is not None and job.errors.data else []
    detail = "; ".join(f"{error.code}: {error.message}" for error in errors)
    return BatchJob(job.id, (job.metadata or {}).get(LABEL, ""), STATES.get(job.status, "running"), detail)  # type: ignore[arg-type]
