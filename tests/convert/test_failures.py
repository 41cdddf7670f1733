"""What an exception of `send` means, whatever library it comes from, and that none of it tells a secret."""

import email.utils
import time
from types import SimpleNamespace

import pytest

from tinygsm_kit.convert.failures import classify, redact


class HTTPError(Exception):
    def __init__(self, status: int, message: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status_code = status
        self.response = SimpleNamespace(headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("error", "kind", "reason", "billed"),
    [
        (HTTPError(429), "busy", "rate_limited", False),
        (HTTPError(503), "busy", "rate_limited", False),
        (HTTPError(529), "busy", "rate_limited", False),
        (HTTPError(500), "again", "server_error", False),
        (HTTPError(504), "again", "server_error", True),
        (HTTPError(400), "row", "request_refused", False),
        (HTTPError(401), "stop", "request_refused", False),
        (HTTPError(404), "stop", "request_refused", False),
        (HTTPError(429, "insufficient_quota: you exceeded it"), "stop", "no_credit", False),
        (TimeoutError(), "again", "request_timeout", True),
        (ConnectionResetError("reset by peer"), "again", "request_lost", True),
        (ValueError("Expecting value: line 1"), "again", "request_lost", True),
    ],
)
def test_kinds(error: Exception, kind: str, reason: str, billed: bool):
    failure = classify(error)
    assert (failure.kind, failure.reason, failure.billed) == (kind, reason, billed)


def test_retry_after_in_seconds_milliseconds_and_as_a_date():
    assert classify(HTTPError(429, retry_after="2.5")).retry_after == 2.5
    assert classify(HTTPError(429, retry_after="7", retry_after_ms="120")).retry_after == 0.12
    assert classify(HTTPError(429, retry_after="9999")).retry_after == 60
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    assert 25 < classify(HTTPError(503, retry_after=date)).retry_after <= 30
    assert classify(HTTPError(429, retry_after="soon")).retry_after is None
    assert classify(HTTPError(429)).retry_after is None


def test_secrets_are_taken_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOME_SERVICE_TOKEN", "plain-words-as-token")
    told = redact("Incorrect API key provided: sk-proj-abcDEF123456. Authorization: Bearer abc.def plain-words-as-token "
                  "https://user:hunter2@host/v1?api_key=zzz123")  # fmt: skip
    for secret in ("sk-proj", "abc.def", "plain-words", "hunter2", "zzz123"):
        assert secret not in told
    assert "Incorrect API key provided" in told
