"""What the mock server says: answers in the wire formats of the APIs it stands in for, right ones and broken ones."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol


@dataclass(frozen=True)
class Conversion:
    """What the model is to say: the steps and the final answer."""

    steps: tuple[str, ...]
    answer: str

    def wrong(self) -> Conversion:
        """The same with one false equation in it."""
        return Conversion((*self.steps, "So 3 × 4 = 13."), self.answer)

    def json(self) -> str:
        """As the schema of the `openai` converter asks for it."""
        return json.dumps({"steps": list(self.steps), "final_answer": self.answer}, ensure_ascii=False)


Answerer = Callable[[str], Conversion]

_ANSWER = re.compile(r"(?m)^Answer: (.+)$")


def answer_from_prompt(prompt: str) -> Conversion:
    """A right conversion for a prompt that tells the answer in a line `Answer: …`, as the kit's prompts do."""
    told = _ANSWER.findall(prompt)
    answer = told[-1].strip() if told else "0"
    return Conversion((
        "Read what is given and write down each number with its unit.",
        "For practice, 6 × 7 = 42 and 8 × 9 = 72.",
        f"Following the program to its end gives {answer}.",
    ), answer)  # fmt: skip


@dataclass(frozen=True)
class Faults:
    """How often each fault is drawn, as a share of all requests. At most one fault befalls a request."""

    rate_limit: float = 0.0
    """429 with Retry-After."""
    error: float = 0.0
    """500."""
    drop: float = 0.0
    """The connection is cut before an answer; the request is billed."""
    truncated: float = 0.0
    """200, but the body ends in the middle of the JSON."""
    malformed: float = 0.0
    """200, but the model's text is not the JSON that was asked for."""
    wrong: float = 0.0
    """A false equation."""
    refusal: float = 0.0
    """The model refuses."""

    def draw(self, seed: int, digest: str, attempt: int) -> str:
        """The fault for the n-th arrival of a request: the same whatever else arrives, `ok` for none."""
        number = int.from_bytes(hashlib.sha256(f"{seed}:{digest}:{attempt}".encode()).digest()[:8], "big") / 2**64
        for field in fields(self):
            number -= getattr(self, field.name)
            if number < 0:
                return field.name
        return "ok"


class Wire(Protocol):
    """One API's format."""

    def prompt(self, body: Mapping[str, Any]) -> str:
        """All text that was sent to the model."""

    def reply(self, body: Mapping[str, Any], text: str | None, usage: tuple[int, int], number: int) -> dict[str, Any]:
        """The answer's body; `text` None is a refusal. `usage` is input and output tokens."""


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content)


class Responses:
    """OpenAI's Responses API."""

    def prompt(self, body: Mapping[str, Any]) -> str:
        """Instructions and all messages."""
        given = body.get("input", "")
        turns = [given] if isinstance(given, str) else [_text(turn["content"]) for turn in given]
        return "\n".join([body.get("instructions") or "", *turns])

    def reply(self, body: Mapping[str, Any], text: str | None, usage: tuple[int, int], number: int) -> dict[str, Any]:
        """A `response` object as the service writes it."""
        said = {"type": "refusal", "refusal": "I cannot help with that."} if text is None else {
            "type": "output_text", "annotations": [], "logprobs": [], "text": text}  # fmt: skip
        return {
            "id": f"resp_{number:032x}", "object": "response", "created_at": 1_750_000_000, "status": "completed",
            "error": None, "incomplete_details": None, "instructions": body.get("instructions"),
            "metadata": {}, "model": body.get("model"),
            "max_output_tokens": body.get("max_output_tokens"), "parallel_tool_calls": True, "previous_response_id": None,
            "reasoning": body.get("reasoning") or {"effort": None, "summary": None}, "store": False, "temperature": 1.0,
            "text": body.get("text"), "tool_choice": "auto", "tools": [], "top_p": 1.0, "truncation": "disabled", "user": None,
            "output": [{"id": f"msg_{number:032x}", "type": "message", "status": "completed", "role": "assistant",
                        "content": [said]}],
            "usage": {"input_tokens": usage[0], "input_tokens_details": {"cached_tokens": 0}, "output_tokens": usage[1],
                      "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": sum(usage)},
        }  # fmt: skip


class Chat:
    """OpenAI's chat completions, as most servers speak them."""

    def prompt(self, body: Mapping[str, Any]) -> str:
        """All messages."""
        return "\n".join(_text(message["content"]) for message in body.get("messages", []))

    def reply(self, body: Mapping[str, Any], text: str | None, usage: tuple[int, int], number: int) -> dict[str, Any]:
        """A `chat.completion` object as the service writes it."""
        refusal = "I cannot help with that." if text is None else None
        return {
            "id": f"chatcmpl-{number:x}", "object": "chat.completion", "created": 1_750_000_000, "model": body.get("model"),
            "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None,
                         "message": {"role": "assistant", "content": text, "refusal": refusal, "annotations": []}}],
            "usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage),
                      "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}},
            "service_tier": "default", "system_fingerprint": None,
        }  # fmt: skip


OPENAI: dict[str, Wire] = {"/v1/responses": Responses(), "/v1/chat/completions": Chat()}
