"""The page in a real headless Chromium, driven over its DevTools pipe. Skips where no Chromium is installed."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tinygsm_kit.report.build import build

CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--remote-debugging-pipe"]  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)")
Json = dict[str, Any]


class Browser:
    """One page of a Chromium: messages are JSON objects, each ended by a zero byte, on file descriptors 3 and 4."""

    def __init__(self, profile: Path) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def place_pipes() -> None:
            first, second = os.dup(to_browser), os.dup(from_browser)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen(
            [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=place_pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self._buffer, self._number, self._session = b"", 0, ""
        self.events: list[Json] = []
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def _message(self) -> Json:
        while b"\0" not in self._buffer:
            piece = os.read(self._read, 1 << 20)
            if not piece:
                raise EOFError("Chromium closed its pipe")
            self._buffer += piece
        text, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(text)

    def call(self, method: str, **params: Any) -> Json:
        """Send a command and wait for its answer; events on the way are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params} | (
            {"sessionId": self._session} if self._session else {}
        )
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def open(self, page: Path, width: int = 1440, dark: bool = False) -> None:
        """Load a page from a file and wait until it is there."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._message())

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression; promises are awaited."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def screenshot(self, path: Path, selector: str | None = None) -> None:
        """A picture of the whole page, or of one element."""
        where = f"document.querySelector({json.dumps(selector)})" if selector else "document.documentElement"
        box = self.run(
            f"(() => {{ const b = {where}.getBoundingClientRect(); return [b.x, b.y + scrollY, b.width, b.height]; }})()"
        )
        clip = dict(zip(("x", "y", "width", "height"), box, strict=True)) | {"scale": 1}
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(picture["data"]))

    def complaints(self) -> list[Json]:
        """Console errors, uncaught exceptions, and log entries such as a refused script."""
        bad = ("Runtime.exceptionThrown", "Log.entryAdded")
        return [
            event
            for event in self.events
            if event.get("method") in bad
            or (event.get("method") == "Runtime.consoleAPICalled" and event["params"]["type"] in ("error", "warning"))
        ]

    def requests(self) -> list[str]:
        """Every address that the page asked for."""
        return [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]

    def close(self) -> None:
        """End the browser and wait for it."""
        os.close(self._write)
        self.process.terminate()
        self.process.wait(timeout=20)
        os.close(self._read)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


SETTLED = "new Promise(done => setTimeout(done, 200))"


def choose(browser: Browser, name: str, value: str) -> None:
    """Set a filter as a user would, and wait for the list."""
    browser.run(f"""(() => {{ const e = document.querySelector('[name="{name}"]'); e.value = {json.dumps(value)};
        e.dispatchEvent(new Event('input', {{bubbles: true}})); }})()""")
    browser.run(SETTLED)


def count(browser: Browser, identifier: str = "count") -> int:
    """The number of hits that the page states."""
    return int(browser.run(f"document.getElementById('{identifier}').textContent").split()[0].replace(",", ""))


def option(browser: Browser, name: str, text: str) -> str:
    """The value of the option that reads so."""
    return browser.run(
        f"""[...document.querySelectorAll('[name="{name}"] option')].find(o => o.textContent === {json.dumps(text)}).value"""
    )


def test_the_page_works_without_a_complaint_or_a_request(browser: Browser, build_run: Callable[..., Path]) -> None:
    run = build_run(items=120)
    page = build(run)
    report = json.loads((run / "report" / "report.json").read_text("utf-8"))
    browser.open(page)

    assert count(browser) == 2 * (120 + 281)
    choose(browser, "task", option(browser, "task", "gsm8k_tgsm"))
    assert count(browser) == 240
    choose(browser, "condition", option(browser, "condition", "mul_tokens"))
    assert count(browser) == 120
    choose(browser, "outcome", "right")
    right = report["conditions"]["mul_tokens"]["tasks"]["gsm8k_tgsm"]["exact_match"]["value"]
    assert count(browser) == round(120 * right)
    choose(browser, "outcome", "flipped")
    row = next(r for r in report["comparisons"] if r["task"] == "gsm8k_tgsm" and r["metric"] == "exact_match")
    assert count(browser) == row["discordant"]
    choose(browser, "outcome", "won")
    assert count(browser) == row["wins"]
    choose(browser, "outcome", "")
    choose(browser, "query", "sarah")
    questions = [
        json.loads(line) for line in (run / "eval/mul_tokens/samples_gsm8k_tgsm.jsonl").read_text("utf-8").splitlines()
    ]
    assert count(browser) == sum("sarah" in (s["doc"]["question"] + s["resps"][0][0]).lower() for s in questions)
    assert browser.run("document.querySelectorAll('#list mark').length") > 0
    choose(browser, "query", "no such words anywhere")
    assert count(browser) == 0

    choose(browser, "query", "")
    first = browser.run("document.querySelector('#list .question').textContent")
    browser.run("document.querySelectorAll('#pager button')[1].click()")
    assert browser.run("document.querySelector('#list .question').textContent") != first

    choose(browser, "fliptask", option(browser, "fliptask", "gsm8k_tgsm"))
    assert count(browser, "flipcount") == row["discordant"]
    choose(browser, "flipdirection", "0")
    assert count(browser, "flipcount") == row["losses"]

    cell = "document.querySelectorAll('.heat button')[9 * 6 + 7]"
    browser.run(f"{cell}.click()")
    assert browser.run(f"{cell}.closest('.heat').querySelector('.celltext').textContent").startswith("7 × 8: answered ")
    assert browser.run(f"{cell}.getAttribute('aria-pressed')") == "true"

    before = browser.run("getComputedStyle(document.body).backgroundColor")
    browser.run("document.getElementById('theme').click()")
    assert browser.run("getComputedStyle(document.body).backgroundColor") != before
    browser.run("localStorage.clear()")

    assert browser.complaints() == []
    assert browser.requests() == [page.as_uri(), "data:,"] or browser.requests() == [page.as_uri()]


def test_nothing_is_wider_than_the_window_light_or_dark(browser: Browser, build_run: Callable[..., Path]) -> None:
    page = build(build_run(items=40, differs=["model"], seeds=(43,), targets={"gsm8k_tgsm": {"difference": 0.03}}))
    for width, dark in itertools.product((390, 1440), (False, True)):
        browser.open(page, width, dark)
        assert browser.run("document.documentElement.scrollWidth") <= width
        ink, paper = (browser.run(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor"))
        brightness = [sum(int(part) for part in text[4:-1].split(",")) for text in (ink, paper)]
        assert (brightness[0] > brightness[1]) is dark


def test_what_a_model_wrote_is_text(browser: Browser, build_run: Callable[..., Path]) -> None:
    run = build_run(items=30)
    attack = "</script><script>window.hit=1</script><img src=x onerror='window.hit=1'><!-- \u2028 {{ 7*7 }} #### 1"
    for samples in run.glob("eval/*/samples_gsm8k_tgsm.jsonl"):
        rows = [json.loads(line) for line in samples.read_text("utf-8").splitlines()]
        for row in rows:
            row["resps"] = [[attack]]
            row["doc"]["question"] = attack
        samples.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    browser.open(build(run))
    assert browser.run("window.hit") is None
    assert browser.run("document.querySelector('#list pre').textContent") == attack
    assert browser.run("document.querySelector('#examples pre').textContent") == attack
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert browser.complaints() == []


@pytest.mark.slow
def test_twenty_thousand_responses_stay_quick(browser: Browser, build_run: Callable[..., Path]) -> None:
    page = build(build_run(items=10_000, rates={"baseline": 0.3, "mul_tokens": 0.33}))
    browser.open(page)
    assert count(browser) == 20_562
    assert browser.run("document.querySelectorAll('#list .example').length") == 20
    milliseconds = browser.run("""(async () => {
        const field = document.querySelector('[name=query]'), counter = document.getElementById('count');
        field.value = 'marbles'; const begin = performance.now();
        field.dispatchEvent(new Event('input', {bubbles: true}));
        await new Promise(done => new MutationObserver(done).observe(counter, {childList: true}));
        return performance.now() - begin; })()""")
    print(f"search over 20,562 responses: {milliseconds:.0f} ms, 120 of them waiting for the typist")
    assert 0 < count(browser) < 20_562
