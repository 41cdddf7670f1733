"""Which device a process of its own gets to see."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tinygsm_kit.processes import DeviceError, on_device, visible


@pytest.mark.parametrize(
    ("device", "seen", "expected"),
    [("cpu", "0,1", ""), ("1", None, "1"), ("cuda:1", None, "1"), ("0", "5,7", "5"), ("cuda:1", "5, 7", "7"),
     ("0", "GPU-8f3a", "GPU-8f3a"), ("GPU-8f3a", None, "GPU-8f3a"), ("MIG-1c2d", "0", "MIG-1c2d")],
)  # fmt: skip
def test_one_device_is_visible(device, seen, expected):
    environment = {} if seen is None else {"CUDA_VISIBLE_DEVICES": seen}
    assert visible(device, environment)["CUDA_VISIBLE_DEVICES"] == expected


def test_the_cpu_is_asked_for_by_name():
    assert visible("cpu", {})["ACCELERATE_USE_CPU"] == "true"
    assert "ACCELERATE_USE_CPU" not in visible("0", {})


@pytest.mark.parametrize("device", ["", "gpu", "cuda", "-1", "0:1", "2"])
def test_anything_else_is_refused(device):
    with pytest.raises(DeviceError, match="expected cpu, 0, 1, "):
        visible(device, {"CUDA_VISIBLE_DEVICES": "3,4"})


def test_status_and_last_words_of_a_process_are_given_back_and_passed_on(tmp_path, monkeypatch, capfd):
    (tmp_path / "talker.py").write_text(
        "import os, sys\n"
        "for number in range(30): print('line', number, file=sys.stderr)\n"
        "sys.exit(os.environ['CUDA_VISIBLE_DEVICES'] + ' and ' + sys.argv[1])\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    code, said = on_device("talker", tmp_path / "call.json", "cuda:3")
    assert code == 1
    assert said.splitlines() == [*(f"line {number}" for number in range(11, 30)), f"3 and {tmp_path / 'call.json'}"]
    assert capfd.readouterr().err.splitlines()[0] == "line 0"


def test_a_process_ends_with_the_one_that_started_it(tmp_path, monkeypatch):
    (tmp_path / "sleeper.py").write_text(
        "import os, pathlib, sys, time\n"
        "from tinygsm_kit.processes import end_with_parent\n"
        "end_with_parent()\n"
        "pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))\n"
        "time.sleep(300)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = tmp_path / "pid"
    code = f"import tinygsm_kit.processes as p; p.on_device('sleeper', {str(told)!r}, 'cpu')"
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        deadline = time.monotonic() + 60
        while not told.exists() or not told.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        parent.send_signal(signal.SIGKILL)
    child = int(told.read_text())
    while _is_alive(child):
        assert time.monotonic() < deadline, "the process outlives its parent"
        time.sleep(0.02)


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout[:1] not in ("", "Z")
