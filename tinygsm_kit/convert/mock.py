"""The `mock` converter: a remote converter that never leaves the process, to try a recipe, a budget or a router for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from tinygsm_kit.convert.ledger import key_of
from tinygsm_kit.interfaces import Options
from tinygsm_kit.records import Problem, Rejection, Reply, Solution, Usage
from tinygsm_kit.testing.wires import Conversion, Faults, answer_from_prompt


class MockOptions(Options):
    """What the `mock` converter can be told."""

    latency: float = Field(0.0, ge=0, description="seconds before each answer")
    wrong: float = Field(0.0, ge=0, le=1, description="share of answers with a false equation")
    refusal: float = Field(0.0, ge=0, le=1, description="share of answers that refuse")
    seed: int = Field(0, description="which answers go wrong")
    input_tokens: int = Field(600, ge=0, description="tokens that each request is said to read")
    output_tokens: int = Field(200, ge=0, description="tokens that each request is said to write")
    steps: tuple[str, ...] | None = Field(
        None, description="what is said in place of the built-in steps; {answer} is filled in"
    )


class Mock:
    """Answers rightly, wrongly or not at all, as scripted, and costs as much as it is told to."""

    Options: ClassVar = MockOptions
    version: ClassVar[str] = "1"
    model = "mock"
    prices: ClassVar[Mapping[str, Any]] = {"mock": {"input": 0.05, "output": 0.40}}

    def __init__(self, options: MockOptions) -> None:
        self.options, self.max_output_tokens = options, options.output_tokens
        self.faults = Faults(wrong=options.wrong, refusal=options.refusal)

    def request(self, problem: Problem) -> dict[str, Any]:
        """All that the scripted model needs."""
        return {"options": self.options.model_dump(mode="json"), "prompt": f"{problem.question}\nAnswer: {problem.answer}"}

    def input_tokens(self, request: Mapping[str, Any]) -> int:  # noqa: ARG002
        """What each request reads."""
        return self.options.input_tokens

    def repair(self, problem: Problem, request: Mapping[str, Any], reply: Reply, fault: str) -> dict[str, Any]:  # noqa: ARG002
        """The same with the fault named."""
        return {**request, "fault": fault}

    async def send(self, request: Mapping[str, Any]) -> Reply:
        """The scripted answer."""
        await asyncio.sleep(self.options.latency)
        outcome = self.faults.draw(self.options.seed, key_of("mock", request).hex(), 1)
        usage = Usage(self.options.input_tokens, self.options.output_tokens)
        if outcome == "refusal":
            return Reply({"refusal": True}, usage)
        said = answer_from_prompt(request["prompt"])
        if self.options.steps is not None:
            said = Conversion(tuple(step.replace("{answer}", said.answer) for step in self.options.steps), said.answer)
        said = said.wrong() if outcome == "wrong" else said
        return Reply({"steps": list(said.steps), "answer": said.answer}, usage)

    def read(self, problem: Problem, reply: Reply) -> Solution | Rejection:
        """What the scripted answer says."""
        body: Mapping[str, Any] = reply.body
        if body.get("refusal"):
            return Rejection(problem.id, "convert", "refusal", "the scripted model refused")
        return Solution(problem.id, tuple(body["steps"]), body["answer"], "mock", self.version)
