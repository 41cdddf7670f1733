"""`executor: ray` gives the bytes of `executor: local`, and a worker killed midway loses nothing."""

import importlib
import json
import os
import sys
from pathlib import Path

import pytest

from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.stage import convert
from tinygsm_kit.parts import PROBLEM_COLUMNS, part_path, part_paths, read_rows, write_part
from tinygsm_kit.progress import Silent
from tinygsm_kit.testing import MockServer, installed, plugin_of

pytestmark = pytest.mark.slow
ray = pytest.importorskip("ray", reason="the extra [ray] is not installed")
REAL = Path(__file__).parents[3] / "shared" / "data" / "tinygsm"

KILLER = '''
import os, signal
from pathlib import Path
from tinygsm_kit.interfaces import Options
from tinygsm_kit.records import Solution

class KillerOptions(Options):
    folder: str

class Killer:
    """Converts, but the first worker that meets row 77 is killed."""
    Options = KillerOptions
    version = "1"
    def __init__(self, options):
        self.folder = Path(options.folder)
    def convert(self, problem):
        if problem.id.endswith("4d"):
            mark = self.folder / "killed"
            if not mark.exists():
                mark.write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGKILL)
        return Solution(problem.id, ("Count.",), problem.answer, "killer", "1")
'''


@pytest.fixture(scope="module")
def cluster():
    """Two nodes of one core each on this machine."""
    from ray.cluster_utils import Cluster

    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    yield nodes
    ray.shutdown()
    nodes.shutdown()


def run(source: Path, folder: Path, converter: str = "trace", options: dict | None = None, **host):
    return convert(source, folder, converter=converter, options=options or {}, host=HostOptions(**host), seed=0, workers=2,
                   progress=Silent())  # fmt: skip


def test_two_nodes_convert_the_real_problems_with_the_bytes_of_local(cluster, sample, contents, tmp_path: Path):
    source = _real_problems(tmp_path / "real") if REAL.exists() else sample(700, 300)
    local = run(source, tmp_path / "local")
    spread = run(source, tmp_path / "ray", executor="ray", ray_address=cluster.address)
    assert spread == local
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")
    if not REAL.exists():
        pytest.skip("made-up problems only: the real ones are not here")
    assert local.rows_in > 5000


def _real_problems(folder: Path) -> Path:
    from tinygsm_kit.maths.programs import ProgramError, restore
    from tinygsm_kit.maths.programs import run as run_program
    from tinygsm_kit.records import problem_id

    rows = []
    for path in sorted(REAL.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            given = json.loads(line)
            try:
                program = restore(given["code"])
                answer = run_program(program)
            except ProgramError:
                continue
            rows.append({"id": problem_id(given["question"], program), "question": given["question"], "program": program,
                         "answer": answer, "difficulty": 1, "source": path.stem})  # fmt: skip
    for index in range(0, len(rows), 2500):
        write_part(part_path(folder, index // 2500), rows[index : index + 2500], PROBLEM_COLUMNS)
    return folder


def test_a_worker_killed_midway_loses_nothing(cluster, sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "ray_killer.py").write_text(KILLER)
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    module = importlib.import_module("ray_killer")
    ray.shutdown()
    ray.init(address=cluster.address, runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}, log_to_driver=False)
    with installed(plugin_of("converter", "killer", module.Killer)):
        counts = run(sample(400), tmp_path / "out", "killer", {"folder": str(tmp_path)}, executor="ray", chunk_rows=20)
    ray.shutdown()
    assert (tmp_path / "killed").exists()
    assert (counts.rows_out, counts.rejected) == (400, {})
    assert [row["problem_id"] for row in read_rows(part_paths(tmp_path / "out"))] == [f"{n:016x}" for n in range(400)]


def test_a_paid_conversion_has_the_same_ledger_under_ray(cluster, sample, contents, tmp_path: Path):
    source = sample(60)
    with MockServer() as server:
        routes = {"routes": [{"use": "trace", "share": 1}, {"use": "openai", "base_url": server.url, "share": 1}]}
        run(source, tmp_path / "local", "router", routes)
        asked = len(server.received)
        run(source, tmp_path / "ray", "router", routes, executor="ray", ray_address=cluster.address)
        assert len(server.received) == asked > 10
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")
