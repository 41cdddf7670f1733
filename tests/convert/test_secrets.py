"""No key, no header and no prompt in anything that is written or said."""

import logging
import subprocess
import sys
from pathlib import Path

from tinygsm_kit.convert.ledger import ledger_path
from tinygsm_kit.testing import Faults, MockServer

PROMPT_SECRET = "the-word-is-swordfish"
SCRIPT = """
import json, logging, sys
from pathlib import Path
logging.basicConfig(level=logging.DEBUG)
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.stage import convert
from tinygsm_kit.progress import Lines
for name, key in (("a", None), ("b", "wrong")):
    try:
        counts = convert(Path(sys.argv[1]), Path(sys.argv[2]) / name, converter="openai",
                         options=dict(base_url=sys.argv[3] if key is None else sys.argv[4], instructions=sys.argv[5]),
                         host=HostOptions(mode=sys.argv[6], poll_seconds=0.05), seed=0, workers=1, progress=Lines(0.01))
        Path(sys.argv[2], "manifest.json").write_text(json.dumps(counts.extra))
    except Exception as error:
        print(repr(error))
"""


def written(*folders: Path) -> bytes:
    return b"".join(path.read_bytes() for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())


def test_no_secret_is_written_or_said(sample, tmp_path: Path, api_key: str):
    faults = Faults(error=0.1, truncated=0.1, drop=0.1, wrong=0.1, malformed=0.1)
    for mode in ("online", "batch"):
        out = tmp_path / mode
        with MockServer(faults=faults) as server, MockServer(key="another") as stranger:
            command = [sys.executable, "-c", SCRIPT, str(sample(40)), str(out), server.url, stranger.url,
                       f"Convert. {PROMPT_SECRET}", mode]  # fmt: skip
            done = subprocess.run(command, capture_output=True, timeout=120, check=True)
            if mode == "online":
                assert any(PROMPT_SECRET in str(request.body) for request in server.received)
                assert any(api_key in value for request in server.received for value in request.headers.values())
        assert b"ConvertError" in done.stdout
        everything = done.stdout + written(out, ledger_path().parent)
        for spool in out.rglob("jobs/*.jsonl"):  # what is to be sent holds the prompt, of course, until it is collected
            assert api_key.encode() not in spool.read_bytes()
            everything = everything.replace(spool.read_bytes(), b"")
        assert b"3 \xc3\x97 4 = 13" in everything or mode == "batch"
        for secret in (api_key.encode(), b"Bearer", PROMPT_SECRET.encode(), api_key.removeprefix("sk-").encode()):
            assert secret not in everything
        assert api_key.encode() not in done.stderr
        assert b"Bearer" not in done.stderr


def test_errors_tell_what_was_wrong_without_the_key(caplog, sample, run, tmp_path: Path, api_key: str):
    caplog.set_level(logging.DEBUG)
    with MockServer(key="another") as stranger:
        try:
            run(sample(3), tmp_path / "out", {"base_url": stranger.url})
        except Exception as error:
            said = f"{error!r} {error.__cause__!r} {error.__context__!r}"
    assert "Incorrect API key provided" in said
    assert api_key not in said
    assert api_key not in caplog.text
