"""Rows a second and CPU a row of paid conversion against a mock server: ours, curator, the naive loop, bare aiohttp.

    python tests/benchmarks/llm.py [--rows 20000] [--memory-rows 200000] [--latency 0.2]

Every lane asks the same questions of the same server (a process of its own, 200 ms to an answer, chat completions with a
strict JSON schema) in a process of its own; ours has ledger, budget and verification on. curator is installed into a virtual
environment under the user's cache on first use, or taken from the interpreter that `CURATOR_PYTHON` names. The last line is
one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

KEY = {"OPENAI_API_KEY": "sk-benchmark-00000000"}
PART_ROWS = 5_000


def problem(number: int) -> dict[str, Any]:
    """A problem of usual length. Its numbers come round again, as those of real problems do; no two questions are equal."""
    eggs = number % 3_000
    return {
        "id": f"{number:016x}",
        "question": f"Farmer {number} has {eggs} eggs in his barn and buys 5 boxes with 12 eggs each. How many eggs are there?",
        "program": f"def solution():\n    eggs = {eggs}\n    boxes = 5\n    per_box = 12\n    return eggs + boxes * per_box",
        "answer": str(eggs + 60), "difficulty": 2, "source": "benchmark",
    }  # fmt: skip


def bodies(rows: int, url: str) -> Any:
    """The very requests that the `openai` converter forms."""
    from tinygsm_kit.convert.openai import OpenAI, OpenAIOptions
    from tinygsm_kit.records import Problem

    converter = OpenAI(OpenAIOptions(api="chat", base_url=url))
    return (converter.request(Problem(**problem(number)))["body"] for number in range(rows))


def ours(url: str, rows: int, in_flight: int, folder: Path) -> None:
    """The convert stage as the pipeline calls it."""
    from tinygsm_kit.convert.options import HostOptions
    from tinygsm_kit.convert.stage import convert
    from tinygsm_kit.parts import PROBLEM_COLUMNS, part_path, write_part
    from tinygsm_kit.progress import Silent

    for first in range(0, rows, PART_ROWS):
        part = (problem(number) for number in range(first, min(rows, first + PART_ROWS)))
        write_part(part_path(folder / "sample", first // PART_ROWS), part, PROBLEM_COLUMNS)
    measured = Measured()
    host = HostOptions(max_in_flight=in_flight, budget_usd=1000)
    counts = convert(folder / "sample", folder / "out", converter="openai", options={"api": "chat", "base_url": url}, host=host,
                     seed=0, workers=1, progress=Silent())  # fmt: skip
    measured.say(counts.rows_out)


def naive(url: str, rows: int, in_flight: int, folder: Path) -> None:
    """What one writes first: the SDK, a semaphore, a task for every row, gather."""
    measured = Measured()
    import openai

    async def go() -> int:
        client, gate = openai.AsyncOpenAI(base_url=url), asyncio.Semaphore(in_flight)

        async def one(body: dict[str, Any]) -> bool:
            async with gate:
                answer = await client.chat.completions.create(**body)
            return bool(json.loads(answer.choices[0].message.content or "")["steps"])

        return sum(await asyncio.gather(*(one(body) for body in bodies(rows, url))))

    measured.say(asyncio.run(go()))


def bare(url: str, rows: int, in_flight: int, folder: Path) -> None:
    """The limit: aiohttp and nothing else."""
    measured = Measured()
    import aiohttp

    async def go() -> int:
        waiting, done = bodies(rows, url), 0
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def work() -> None:
                nonlocal done
                for body in waiting:
                    async with session.post(f"{url}/chat/completions", json=body) as answer:
                        said = await answer.json()
                    done += bool(json.loads(said["choices"][0]["message"]["content"])["steps"])

            await asyncio.gather(*(work() for _ in range(in_flight)))
        return done

    measured.say(asyncio.run(go()))


class Measured:
    """Time and CPU from here on; the peak of memory is the process's."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def say(self, done: int) -> None:
        """One JSON line."""
        seconds, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        print(json.dumps({"done": done, "seconds": seconds, "cpu": cpu,
                          "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))  # fmt: skip


CURATOR = """
import json, os, resource, sys, time
url, rows, in_flight, bodies = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
os.environ["TELEMETRY_ENABLED"] = "false"
os.environ["CURATOR_DISABLE_CACHE"] = "true"
wall, cpu = time.perf_counter(), time.process_time()
from pydantic import BaseModel
from bespokelabs import curator
from bespokelabs.curator.request_processor.online.openai_online_request_processor import OpenAIOnlineRequestProcessor as P

class Bytes:  # tiktoken would load its table from the net: counting bytes is cheaper still
    def encode(self, text, **_):
        return text.encode()

P.get_token_encoding = lambda self: Bytes()
P.check_structured_output_support = lambda self: True  # it would ask for a person's name, which the server does not know

class Working(BaseModel):
    steps: list[str]
    final_answer: str

class Converter(curator.LLM):
    def prompt(self, row):
        return row["messages"]

    def parse(self, row, working):
        return {"steps": working.steps, "answer": working.final_answer}

limits = {"base_url": url, "max_concurrent_requests": in_flight, "max_requests_per_minute": 10**8,
          "max_tokens_per_minute": 10**11}
model = Converter(model_name="gpt-4o-mini", response_format=Working, backend="openai", backend_params=limits)
with open(bodies) as file:
    given = [{"messages": json.loads(line)["messages"]} for line in file]
done = model(given)
done = len(done.dataset) if hasattr(done, "dataset") else len(done)
print(json.dumps({"done": done, "seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu,
                  "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""
LANES = {"ours": ours, "naive": naive, "bare": bare}


def curator_python() -> str:
    """An interpreter that has bespokelabs-curator; made on first use."""
    if "CURATOR_PYTHON" in os.environ:
        return os.environ["CURATOR_PYTHON"]
    import platformdirs

    folder = platformdirs.user_cache_path("tinygsm-kit") / "benchmarks" / "curator"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "bespokelabs-curator"], check=True)
    return str(python)


def lane(name: str, rows: int, in_flight: int, latency: float) -> dict[str, float]:
    """One lane in a process of its own against a fresh server."""
    from tinygsm_kit.testing import in_own_process

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        environment = {**os.environ, **KEY, "TINYGSM_KIT_CACHE": str(folder / "cache"), "HF_HOME": str(folder / "hf"),
                       "CURATOR_CACHE_DIR": str(folder / "curator"), "HOME": str(folder)}  # fmt: skip
        with in_own_process(folder / "log", latency=latency) as url:
            if name == "curator":
                with (folder / "bodies").open("w") as file:
                    file.writelines(json.dumps(body) + "\n" for body in bodies(rows, url))
                command = [curator_python(), "-c", CURATOR, url, str(rows), str(in_flight), str(folder / "bodies")]
            else:
                command = [sys.executable, __file__, "--lane", name, url, str(rows), str(in_flight), str(folder)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            try:
                told: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
            except (IndexError, ValueError):
                sys.exit(f"lane {name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
    told |= {"rate": rows / told["seconds"], "cpu_ms": told["cpu"] / rows * 1000}
    print(f"{name:8} {in_flight:4} in flight  {rows:7,} rows  {told['done']:9,.0f} done  {told['rate']:8.1f} rows/s"
          f"  {told['cpu_ms']:6.2f} ms CPU a row  {told['mb']:6.0f} MB", flush=True)  # fmt: skip
    return told


def main() -> None:
    """All lanes in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--memory-rows", type=int, default=200_000)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--without-curator", action="store_true")
    parser.add_argument("--lane", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.lane:
        name, url, rows, in_flight, folder = given.lane
        LANES[name](url, int(rows), int(in_flight), Path(folder))
        return
    rows, latency = given.rows, given.latency
    limit = lane("bare", rows, 512, latency)
    narrow = lane("ours", rows, 64, latency)
    wide = lane("ours", rows, 512, latency)
    first = lane("naive", rows, 512, latency)
    other = None if given.without_curator else lane("curator", rows, 512, latency)
    large = lane("ours", given.memory_rows, 512, latency) if given.memory_rows else None
    print(json.dumps({
        "share_of_ideal_64": round(narrow["rate"] / (64 / latency), 3),
        "vs_curator": other and round(wide["rate"] / other["rate"], 2),
        "cpu_vs_naive": round(wide["cpu_ms"] / first["cpu_ms"], 2),
        "rss_growth": large and round(large["mb"] / wide["mb"], 3),
        "share_of_aiohttp": round(wide["rate"] / limit["rate"], 2),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
