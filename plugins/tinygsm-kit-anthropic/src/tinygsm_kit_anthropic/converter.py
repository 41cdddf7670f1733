"""The `anthropic` converter: one request of the Messages API for a problem, answered through a forced tool call."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from tinygsm_kit.convert.prompts import (
    EXAMPLES,
    INSTRUCTIONS,
    PROMPT_VERSION,
    QUESTION,
    REPAIR,
    Example,
    example_text,
    question_text,
    solution_of,
)
from tinygsm_kit.errors import KitError
from tinygsm_kit.interfaces import Options
from tinygsm_kit.records import Problem, Rejection, Reply, Solution, Usage

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

    from tinygsm_kit_anthropic.batches import MessageBatches

TOOL = {
    "name": "working",
    "description": "Hand in the finished working.",
    "input_schema": {
        "type": "object",
        "properties": {"steps": {"type": "array", "items": {"type": "string"}}, "final_answer": {"type": "string"}},
        "required": ["steps", "final_answer"],
    },
}


class AnthropicOptions(Options):
    """What the `anthropic` converter can be told."""

    model: str = Field("claude-haiku-4-5", description="model name")
    base_url: str | None = Field(None, description="another server than Anthropic's")
    api_key_env: str = Field("ANTHROPIC_API_KEY", description="environment variable that holds the API key")
    temperature: float | None = Field(
        None, ge=0, le=1, description="sampling temperature; the service's default where not given"
    )
    max_output_tokens: int = Field(2048, ge=16, description="tokens of an answer at most")
    instructions: str = Field(INSTRUCTIONS, description="the system prompt")
    prompt: str = Field(QUESTION, description="the question; {question}, {program} and {answer} are filled in")
    examples: tuple[Example, ...] = Field(EXAMPLES, description="worked examples shown before the question")


class Anthropic:
    """Asks Claude to tell the program, as steps and a final answer."""

    Options: ClassVar = AnthropicOptions
    version: ClassVar[str] = "1"
    prices: ClassVar[Mapping[str, Any]] = {"claude-haiku-4-5": {"input": 1.00, "output": 5.00, "cached": 0.10}}
    not_in_output: ClassVar[frozenset[str]] = frozenset({"api_key_env"})

    def __init__(self, options: AnthropicOptions) -> None:
        self.options = options
        self.model, self.max_output_tokens = options.model, options.max_output_tokens

    @functools.cached_property
    def client(self) -> AsyncAnthropic:
        """The SDK's client, without retries of its own."""
        import anthropic

        key = os.environ.get(self.options.api_key_env)
        if not key:
            raise KitError(f"no API key: set the environment variable {self.options.api_key_env}")
        try:
            transport = anthropic.DefaultAioHttpClient()
        except RuntimeError:  # the extra anthropic[aiohttp] is not installed
            transport = anthropic.DefaultAsyncHttpxClient()
        return anthropic.AsyncAnthropic(api_key=key, base_url=self.options.base_url, max_retries=0, http_client=transport)

    @functools.cached_property
    def batch(self) -> MessageBatches:
        """Message batches: half the price."""
        from tinygsm_kit_anthropic.batches import MessageBatches

        return MessageBatches(self)

    def request(self, problem: Problem) -> dict[str, Any]:
        """The body of the request."""
        messages: list[dict[str, Any]] = []
        for number, example in enumerate(self.options.examples):
            said = {"steps": list(example.steps), "final_answer": example.answer}
            messages.append({"role": "user", "content": example_text(self.options.prompt, example)})
            messages += _handed_in(f"toolu_example_{number}", said, "Good.")
        messages = _joined([*messages, {"role": "user", "content": question_text(self.options.prompt, problem)}])
        return self._request(messages)

    def repair(self, problem: Problem, request: Mapping[str, Any], reply: Reply, fault: str) -> dict[str, Any]:  # noqa: ARG002
        """The same conversation, with the failed answer and what was wrong with it."""
        said, asked = reply.body.get("said"), REPAIR.format(fault=fault)
        turns = _handed_in("toolu_failed", said, asked) if said else [{"role": "user", "content": asked}]
        return self._request(_joined([*request["messages"], *turns]))

    async def send(self, request: Mapping[str, Any]) -> Reply:
        """One request. The body is read as it is: typed parsing would cost more CPU than all the rest."""
        return self.reply(await self.client.post("/v1/messages", cast_to=object, body=dict(request)))

    def reply(self, message: object) -> Reply:
        """What is kept of a message: what was handed in, how it ended, the tokens."""
        if not isinstance(message, dict):
            raise ValueError("the service's answer is not a JSON object")
        used = [part for part in message.get("content") or [] if part.get("type") == "tool_use"]
        usage = message.get("usage") or {}
        cached = usage.get("cache_read_input_tokens") or 0
        fresh = (usage.get("input_tokens") or 0) + (usage.get("cache_creation_input_tokens") or 0)
        body = {
            "said": used[0].get("input") if used else None,
            "ended": message.get("stop_reason"),
            "model": message.get("model"),
        }
        return Reply(body, Usage(input=fresh + cached, output=usage.get("output_tokens") or 0, cached=cached))

    def read(self, problem: Problem, reply: Reply) -> Solution | Rejection:
        """The solution in a reply, or why there is none: `refusal`, `cut_off`, `malformed_answer`."""
        ended, said = reply.body.get("ended"), reply.body.get("said")
        if ended == "refusal":
            return Rejection(problem.id, "convert", "refusal", "the model refused")
        if ended == "max_tokens":
            return Rejection(problem.id, "convert", "cut_off", f"the answer was longer than {self.max_output_tokens} tokens")
        steps = said.get("steps") if isinstance(said, dict) else None
        if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps) or "final_answer" not in said:
            return Rejection(problem.id, "convert", "malformed_answer", "expected steps, a list of strings, and final_answer")
        version = f"{self.version}/{self.model}/prompt-{PROMPT_VERSION if self._own_prompt else 'custom'}"
        return solution_of(problem, steps, str(said["final_answer"]), "anthropic", version)

    async def close(self) -> None:
        """End the connections."""
        client = self.__dict__.pop("client", None)
        if client is not None:
            await client.close()

    @property
    def _own_prompt(self) -> bool:
        options = self.options
        return (options.instructions, options.prompt, options.examples) == (INSTRUCTIONS, QUESTION, EXAMPLES)

    def _request(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        options = self.options
        body = {"model": options.model, "max_tokens": options.max_output_tokens, "system": options.instructions,
                "messages": messages, "tools": [TOOL], "tool_choice": {"type": "tool", "name": TOOL["name"]}}  # fmt: skip
        return body if options.temperature is None else {**body, "temperature": options.temperature}


def _handed_in(identifier: str, said: Any, answer: str) -> list[dict[str, Any]]:
    """An assistant's tool call and the user's answer to it."""
    return [
        {"role": "assistant", "content": [{"type": "tool_use", "id": identifier, "name": TOOL["name"], "input": said}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": identifier, "content": answer}]},
    ]


def _joined(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring messages of one role as one: the API wants the roles to alternate."""
    joined: list[dict[str, Any]] = []
    for message in messages:
        if joined and joined[-1]["role"] == message["role"]:
            joined[-1] = {"role": message["role"], "content": _parts(joined[-1]) + _parts(message)}
        else:
            joined.append(message)
    return joined


def _parts(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
