"""The `openai` converter: any server that speaks OpenAI's Responses API or chat completions."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

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
from tinygsm_kit.interfaces import Options
from tinygsm_kit.records import Problem, Rejection, Reply, Solution, Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from tinygsm_kit.convert.openai_batch import OpenAIBatch

STAGE = "convert"
PATHS = {"responses": "/responses", "chat": "/chat/completions"}
SCHEMA = {
    "type": "object",
    "properties": {"steps": {"type": "array", "items": {"type": "string"}}, "final_answer": {"type": "string"}},
    "required": ["steps", "final_answer"],
    "additionalProperties": False,
}
CONNECTIONS = 4096
"""The host bounds requests in flight; the client's own pool must never be what waits."""


class OpenAIOptions(Options):
    """What the `openai` converter can be told."""

    model: str = Field("gpt-5-nano", description="model name as the server knows it")
    api: Literal["responses", "chat"] = Field("responses", description="Responses API, or chat completions")
    base_url: str | None = Field(None, description="another server than OpenAI's, such as http://localhost:8000/v1")
    api_key_env: str = Field("OPENAI_API_KEY", description="environment variable that holds the API key")
    reasoning_effort: str | None = Field(None, description="how much a reasoning model thinks: none, minimal, low, …")
    temperature: float | None = Field(None, ge=0, description="sampling temperature; the server's default where not given")
    max_output_tokens: int = Field(4096, ge=16, description="tokens of an answer at most, reasoning included")
    json_schema: bool = Field(True, description="ask for strict JSON; false for servers that cannot, which are asked in words")
    instructions: str = Field(INSTRUCTIONS, description="the system prompt")
    prompt: str = Field(QUESTION, description="the question; {question}, {program} and {answer} are filled in")
    examples: tuple[Example, ...] = Field(EXAMPLES, description="worked examples shown before the question")
    extra_body: dict[str, Any] = Field(
        default_factory=dict, description="further fields of the request, as the server knows them"
    )


class OpenAI:
    """Asks an OpenAI-compatible server to tell the program, as strict JSON of steps and a final answer."""

    Options: ClassVar = OpenAIOptions
    version: ClassVar[str] = "1"
    not_in_output: ClassVar[frozenset[str]] = frozenset({"api_key_env"})
    """Options that change nothing in the output, and so stay out of the fingerprint."""

    def __init__(self, options: OpenAIOptions) -> None:
        self.options = options
        self.model, self.max_output_tokens = options.model, options.max_output_tokens
        self.path = PATHS[options.api]
        self.made_by = f"{self.version}/{options.model}/{_prompt_mark(options)}"

    @functools.cached_property
    def client(self) -> AsyncOpenAI:
        """The SDK's client, without retries of its own, over aiohttp: half the CPU a request of its default transport."""
        import openai

        key = os.environ.get(self.options.api_key_env)
        if not key and self.options.base_url is None:
            from tinygsm_kit.convert.assembly import ConvertError

            raise ConvertError(f"no API key: set the environment variable {self.options.api_key_env}")
        return openai.AsyncOpenAI(
            api_key=key or "none", base_url=self.options.base_url, max_retries=0, http_client=_http_client()
        )

    @functools.cached_property
    def batch(self) -> OpenAIBatch:
        """OpenAI's batch jobs."""
        from tinygsm_kit.convert.openai_batch import OpenAIBatch

        return OpenAIBatch(self)

    def request(self, problem: Problem) -> dict[str, Any]:
        """Where it goes and the body: everything that is sent but the key."""
        turns = list(self._example_turns)
        turns.append({"role": "user", "content": question_text(self.options.prompt, problem)})
        return self._request(turns)

    def repair(self, problem: Problem, request: Mapping[str, Any], reply: Reply, fault: str) -> dict[str, Any]:  # noqa: ARG002
        """The same conversation, with the failed answer and what was wrong with it."""
        said = str(reply.body.get("text") or "")
        turns = [turn for turn in request["body"][self._turns_key] if turn["role"] != "system"]
        turns += [{"role": "assistant", "content": said}] if said else []
        turns.append({"role": "user", "content": REPAIR.format(fault=fault)})
        return self._request(turns)

    async def send(self, request: Mapping[str, Any]) -> Reply:
        """One request. Typed parsing is left out: it costs more CPU than all the rest of the client."""
        answer = await self.client.post(self.path, cast_to=object, body=request["body"])
        return self.reply(answer)

    def reply(self, answer: object) -> Reply:
        """What we keep of a response body: the text, how it ended, the model that answered, the tokens."""
        if not isinstance(answer, dict):
            raise ValueError("the server's answer is not a JSON object")
        return _read_responses(answer) if self.options.api == "responses" else _read_chat(answer)

    def read(self, problem: Problem, reply: Reply) -> Solution | Rejection:
        """The solution in a reply, or why there is none: `refusal`, `cut_off`, `malformed_answer`."""
        body = reply.body
        if body.get("refusal"):
            return Rejection(problem.id, STAGE, "refusal", str(body["refusal"])[:300])
        if body.get("ended") in ("max_output_tokens", "length"):
            return Rejection(problem.id, STAGE, "cut_off", f"the answer was longer than {self.max_output_tokens} tokens")
        try:
            said = json.loads(_json_part(str(body.get("text") or "")))
            steps, answer = said["steps"], said["final_answer"]
        except (ValueError, KeyError, TypeError) as error:
            detail = f"expected JSON with steps and final_answer: {type(error).__name__}: {error}"
            return Rejection(problem.id, STAGE, "malformed_answer", detail[:300])
        if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
            return Rejection(problem.id, STAGE, "malformed_answer", "expected steps to be a list of strings")
        return solution_of(problem, steps, str(answer), "openai", self.made_by)

    async def close(self) -> None:
        """End the connections."""
        if "client" in self.__dict__:
            await self.client.close()
            del self.__dict__["client"]

    @functools.cached_property
    def _turns_key(self) -> str:
        return "input" if self.options.api == "responses" else "messages"

    @functools.cached_property
    def _example_turns(self) -> tuple[dict[str, str], ...]:
        turns: list[dict[str, str]] = []
        for example in self.options.examples:
            said = json.dumps({"steps": example.steps, "final_answer": example.answer}, ensure_ascii=False)
            turns.append({"role": "user", "content": example_text(self.options.prompt, example)})
            turns.append({"role": "assistant", "content": said})
        return tuple(turns)

    def _request(self, turns: list[dict[str, str]]) -> dict[str, Any]:
        options = self.options
        system = options.instructions
        if not options.json_schema:
            system += '\nAnswer with nothing but JSON: {"steps": ["…", "…"], "final_answer": "…"}'
        body: dict[str, Any] = {"model": options.model, self._turns_key: [{"role": "system", "content": system}, *turns]}
        if options.api == "responses":
            # Said although it is OpenAI's default: transformers serve streams where nothing is said.
            body |= {"max_output_tokens": options.max_output_tokens, "store": False, "stream": False}
            body |= {"reasoning": {"effort": options.reasoning_effort}} if options.reasoning_effort else {}
            form = {"type": "json_schema", "name": "working", "strict": True, "schema": SCHEMA}
            body |= {"text": {"format": form}} if options.json_schema else {}
        else:
            body |= {_limit_name(options): options.max_output_tokens}
            body |= {"reasoning_effort": options.reasoning_effort} if options.reasoning_effort else {}
            form = {"type": "json_schema", "json_schema": {"name": "working", "strict": True, "schema": SCHEMA}}
            body |= {"response_format": form} if options.json_schema else {}
        body |= {} if options.temperature is None else {"temperature": options.temperature}
        return {"server": _server(options.base_url), "path": self.path, "body": body | options.extra_body}


def _http_client() -> Any:
    """The SDK's aiohttp transport where it is installed, its own default elsewhere."""
    import openai

    try:
        import httpx2 as httpx  # what openai is built on since 3.0
    except ImportError:
        import httpx  # type: ignore[no-redef]
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    try:
        return openai.DefaultAioHttpClient(limits=limits)
    except (AttributeError, RuntimeError):
        return openai.DefaultAsyncHttpxClient(limits=limits)


def _limit_name(options: OpenAIOptions) -> str:
    """OpenAI's reasoning models refuse `max_tokens`; other servers often know nothing else."""
    return "max_completion_tokens" if options.base_url is None else "max_tokens"


def _server(base_url: str | None) -> str:
    """The server without user, password or query, which may be secrets."""
    from urllib.parse import urlsplit

    if base_url is None:
        return "api.openai.com"
    parts = urlsplit(base_url)
    return f"{parts.hostname}:{parts.port}{parts.path}" if parts.port else f"{parts.hostname}{parts.path}"


def _prompt_mark(options: OpenAIOptions) -> str:
    """`prompt-1` for the kit's own prompt, a hash for another."""
    told = {name: options.model_dump(mode="json")[name] for name in ("instructions", "prompt", "examples")}
    text = json.dumps(told, sort_keys=True)
    if options.instructions == INSTRUCTIONS and options.prompt == QUESTION and options.examples == EXAMPLES:
        return f"prompt-{PROMPT_VERSION}"
    return f"prompt-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _json_part(text: str) -> str:
    """The outermost braces: servers without strict JSON put words or a fence around it."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text


def _read_responses(answer: Mapping[str, Any]) -> Reply:
    parts = [part for item in answer.get("output") or [] if item.get("type") == "message" for part in item.get("content") or []]
    details = answer.get("incomplete_details") or {}
    body = {
        "text": "".join(part.get("text") or "" for part in parts if part.get("type") == "output_text"),
        "refusal": next((part.get("refusal") for part in parts if part.get("type") == "refusal"), None),
        "ended": details.get("reason") or answer.get("status"),
        "model": answer.get("model"),
    }
    usage = answer.get("usage") or {}
    return Reply(body, _usage(usage, "input_tokens", "output_tokens"))


def _read_chat(answer: Mapping[str, Any]) -> Reply:
    choice = (answer.get("choices") or [{}])[0]
    message = choice.get("message") or {}
    body = {
        "text": message.get("content") or "",
        "refusal": message.get("refusal"),
        "ended": choice.get("finish_reason"),
        "model": answer.get("model"),
    }
    return Reply(body, _usage(answer.get("usage") or {}, "prompt_tokens", "completion_tokens"))


def _usage(usage: Mapping[str, Any], given: str, made: str) -> Usage:
    return Usage(
        input=int(usage.get(given) or 0),
        output=int(usage.get(made) or 0),
        cached=int((usage.get(f"{given}_details") or {}).get("cached_tokens") or 0),
        reasoning=int((usage.get(f"{made}_details") or {}).get("reasoning_tokens") or 0),
    )
