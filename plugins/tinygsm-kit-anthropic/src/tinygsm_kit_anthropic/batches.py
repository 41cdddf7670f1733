"""Anthropic's message batches as a batch service. The provider keeps no label, so a job is known by what it holds."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinygsm_kit.interfaces import BatchJob, BatchResult

if TYPE_CHECKING:
    from tinygsm_kit_anthropic.converter import Anthropic


class MessageBatches:
    """The batch service of one `anthropic` converter. Limits are those of Anthropic's documentation."""

    max_requests = 100_000
    max_bytes = 250_000_000

    def __init__(self, converter: Anthropic) -> None:
        self.converter = converter

    def line(self, custom_id: str, request: Mapping[str, Any]) -> str:
        """One request of a batch."""
        return json.dumps({"custom_id": custom_id, "params": request}, ensure_ascii=False)

    async def submit(self, lines: Path, label: str) -> str:  # noqa: ARG002
        """All lines as one batch."""
        with lines.open(encoding="utf-8") as file:
            requests: Any = [json.loads(line) for line in file]
        return (await self.converter.client.messages.batches.create(requests=requests)).id

    async def jobs(self) -> AsyncIterator[BatchJob]:
        """All batches, newest first, each with the id of one request that it holds as soon as that can be seen."""
        async for batch in self.converter.client.messages.batches.list(limit=100):
            job = _state(batch)
            yield replace(job, holds=await self._one_of(job))

    async def job(self, identifier: str) -> BatchJob:
        """Where one batch stands."""
        return _state(await self.converter.client.messages.batches.retrieve(identifier))

    async def results(self, identifier: str) -> AsyncIterator[BatchResult]:
        """The results of a batch that ended."""
        async for entry in await self.converter.client.messages.batches.results(identifier):
            result = entry.result
            if result.type == "succeeded":
                yield BatchResult(entry.custom_id, self.converter.reply(result.message.to_dict(mode="json")))
            elif result.type == "errored":
                error = result.error.error
                yield BatchResult(
                    entry.custom_id, None, f"{error.type}: {error.message}", error.type != "invalid_request_error"
                )
            else:
                yield BatchResult(entry.custom_id, None, result.type)

    async def _one_of(self, job: BatchJob) -> str:
        if job.state != "ended":
            return ""
        async for result in self.results(job.id):
            return result.custom_id
        return ""


def _state(batch: Any) -> BatchJob:
    counts = batch.request_counts
    total = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
    state = "ended" if batch.processing_status == "ended" else "running"
    return BatchJob(batch.id, "", state, requests=total, created=batch.created_at.timestamp())
