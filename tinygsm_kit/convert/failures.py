"""What a failed request means: try again, refuse the row, or stop the run; and whether it may have been billed."""

from __future__ import annotations

import email.utils
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["busy", "again", "row", "stop"]
"""busy: too much for the server, try again slower. again: may succeed later. row: never will for this row. stop: for no row."""

BUSY = (429, 503, 529)
AGAIN = (408, 409, 425, 500, 502, 504)
STOP = (401, 402, 403, 404, 405)
POSSIBLY_BILLED = (408, 504)
"""The server gave up waiting, but the model may have done its work."""
LONGEST_WAIT = 60.0

_SECRETS = re.compile(
    r"(?i)\b(?:sk|pk|rk|key|token|gsk|xai|hf)[-_][\w\-*.]{6,}|\bBearer\s+\S+|(?<=api[-_]key=)[^&\s]+|://[^/\s:@]+:[^/\s@]+@"
)


@dataclass(frozen=True)
class Failure:
    """One failed request, told without secrets."""

    kind: Kind
    reason: str
    detail: str
    billed: bool = False
    """Whether the service may charge for it: then it counts at its worst case."""
    retry_after: float | None = None
    """Seconds that the server asks to wait."""


def classify(error: Exception) -> Failure:
    """What an exception of a converter's `send` means. Knows status codes by the attributes that HTTP libraries give them.

    Looks at `status_code` or `status`, and at `headers` of the error or of its `response`. Without a status the connection
    was lost, or the body made no sense: the request may have been billed.
    """
    detail = redact(f"{type(error).__name__}: {error}")[:500]
    if isinstance(error, TimeoutError):
        return Failure("again", "request_timeout", detail or "no answer in time", billed=True)
    status = _status(error)
    if status is None:
        return Failure("again", "request_lost", detail, billed=True)
    if "insufficient_quota" in detail or "credit balance" in detail:
        return Failure("stop", "no_credit", detail)
    wait = _retry_after(error)
    if status in BUSY:
        return Failure("busy", "rate_limited", detail, retry_after=wait)
    if status in AGAIN or status >= 500:
        return Failure("again", "server_error", detail, billed=status in POSSIBLY_BILLED, retry_after=wait)
    return Failure("stop" if status in STOP else "row", "request_refused", detail)


def redact(text: str) -> str:
    """The text without API keys: those of the environment, and whatever looks like one."""
    for name, value in os.environ.items():
        if len(value) >= 8 and name.upper().endswith(("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")):
            text = text.replace(value, "[secret]")
    return _SECRETS.sub("[secret]", text)


def _status(error: Exception) -> int | None:
    for name in ("status_code", "status", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int) and 100 <= value < 600:
            return value
    return None


def _retry_after(error: Exception) -> float | None:
    response = getattr(error, "response", None)
    headers = getattr(error, "headers", None) or getattr(response, "headers", None)
    if headers is None:
        return None
    told = _header(headers, "retry-after-ms")
    if told and _is_number(told):
        return min(LONGEST_WAIT, float(told) / 1000)
    told = _header(headers, "retry-after")
    if not told:
        return None
    if _is_number(told):
        return min(LONGEST_WAIT, max(0.0, float(told)))
    date = email.utils.parsedate_to_datetime(told) if re.match(r"\w{3},? ", told) else None
    return None if date is None else min(LONGEST_WAIT, max(0.0, date.timestamp() - time.time()))


def _header(headers: Mapping[str, Any], name: str) -> str | None:
    for key in (name, name.title()):
        if key in headers:
            return str(headers[key])
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
