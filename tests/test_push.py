"""Publishing: what is sent, what never is, and what a hub receives over HTTP."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from tinygsm_kit.errors import KitError
from tinygsm_kit.parts import part_paths
from tinygsm_kit.push import repositories
from tinygsm_kit.testing.harness import run_recipe

RECIPE = {
    "name": "tiny",
    "source": {"use": "drills", "kinds": ["mul_table"]},
    "sample": {"size": 40},
    "model": {
        "config": {"model_type": "gpt2", "n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 128},
        "tokenizer": {"train": {"vocab_size": 300}},
    },
    "conditions": {"baseline": {}, "mul_tokens": {"inject": ["mul_tokens"]}},
    "train": {"use": "sft", "max_steps": 2, "per_device_train_batch_size": 4},
    "evaluate": {"tasks": ["mul_table"], "limit": 2, "device": "cpu"},
}
MODEL = {"README.md", "config.json", "generation_config.json", "model.safetensors", "tinygsm_kit.json", "tokenizer.json",
         "tokenizer_config.json", "training_log.jsonl"}  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run whose model folders hold what a trainer may leave there."""
    run = run_recipe(tmp_path_factory.mktemp("push"), RECIPE)
    model = run / "models" / "mul_tokens"
    (model / "checkpoint-5").mkdir()
    for name in ("checkpoint-5/optimizer.pt", "optimizer.pt", "training_args.bin", "trainer_state.json", "notes.txt"):
        (model / name).write_text("not to be published")
    return run


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


def sent(run, **options):
    return {
        (made.kind, made.name): {file.path: file for file in made.files} for made in repositories(run, "me/tiny", **options)
    }


def read(file):
    return file.content if isinstance(file.content, bytes) else file.content.read_bytes()


def test_models_and_rows_go_to_repositories_of_their_own(run):
    made = sent(run)
    assert list(made) == [("model", "me/tiny-baseline"), ("model", "me/tiny-mul_tokens"), ("dataset", "me/tiny")]
    assert set(made["model", "me/tiny-mul_tokens"]) == MODEL
    names = {f"{name}/data/train-00000-of-00001.parquet" for name in RECIPE["conditions"]}
    assert set(made["dataset", "me/tiny"]) == {"README.md", *names}
    for name in RECIPE["conditions"]:
        rows = read(made["dataset", "me/tiny"][f"{name}/data/train-00000-of-00001.parquet"])
        assert rows == part_paths(run / "inject" / name)[0].read_bytes()
    card = yaml.safe_load(read(made["model", "me/tiny-baseline"]["README.md"]).decode().split("---\n")[1])
    assert card["model-index"][0]["name"] == "tiny-baseline"


def test_one_condition_and_models_or_data_alone(run):
    assert list(sent(run, condition="baseline", what="models")) == [("model", "me/tiny-baseline")]
    assert list(sent(run, what="data")) == [("dataset", "me/tiny")]
    with pytest.raises(KitError, match="expected one of the conditions baseline, mul_tokens, found 'none'"):
        repositories(run, "me/tiny", condition="none")


def test_the_pushed_rows_load_as_the_card_says(run, tmp_path):
    import datasets

    for file in sent(run, what="data")["dataset", "me/tiny"].values():
        (tmp_path / "hub" / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "hub" / file.path).write_bytes(read(file))
    rows = datasets.load_dataset(str(tmp_path / "hub"), "mul_tokens", cache_dir=str(tmp_path / "cache"))
    assert rows["train"].column_names == ["problem_id", "question", "text", "tokens"]
    assert len(rows["train"]) == 40


def test_folders_of_this_machine_stay_here(run):
    base = run / "some" / "base"
    recipe = yaml.safe_load((run / "recipe.yaml").read_text())
    recipe["model"] = str(base)
    recipe["train"][0]["deepspeed"] = str(run / "ds.json")
    (run / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    config = run / "models/baseline/config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "_name_or_path": str(base)}))
    files = sent(run)["model", "me/tiny-baseline"]
    assert "_name_or_path" not in json.loads(read(files["config.json"]))
    assert "fine-tuned from `base`" in read(files["README.md"]).decode()
    assert "`ds.json`" in read(files["README.md"]).decode()
    assert "base_model" not in yaml.safe_load(read(files["README.md"]).decode().split("---\n")[1])
    assert not any(str(run).encode() in read(file) for file in files.values())
    (run / "models/baseline/training_log.jsonl").write_text(json.dumps({"step": 1, "file": f"{run}/x"}))
    with pytest.raises(KitError, match=r"training_log\.jsonl names a folder of this machine"):
        sent(run)


def test_an_unfinished_run_is_refused(run):
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["stages"]["train/mul_tokens"]["done"] = False
    del manifest["stages"]["evaluate/mul_tokens"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    said = "expected a finished run, found that train/mul_tokens, evaluate/mul_tokens are not done"
    with pytest.raises(KitError, match=said):
        sent(run)
    assert list(sent(run, condition="baseline", what="models")) == [("model", "me/tiny-baseline")]
    assert list(sent(run, what="data")) == [("dataset", "me/tiny")]


def test_a_model_without_weights_is_refused(run):
    (run / "models/baseline/model.safetensors").unlink()
    with pytest.raises(KitError, match=r"expected weights as \*\.safetensors"):
        sent(run)


@pytest.mark.parametrize("to", ["tiny", "me/", "me/a/b", "me/a b", "/tiny"])
def test_a_name_that_the_hub_would_not_take_is_refused(run, to):
    with pytest.raises(KitError, match="expected OWNER/NAME"):
        repositories(run, to)


# ------------------------------------------------------------------------------------------------- a hub in this process


class Hub(BaseHTTPRequestHandler):
    """The hub's endpoints that a push needs: create, list, check metadata, sort files, take large ones, commit."""

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, data, status=200):
        content = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        found = re.fullmatch(r"/api/(model|dataset)s/([^/]+/[^/]+)/(tree|revision)/main", self.path.partition("?")[0])
        files = self.server.repositories.get(found.groups()[:2], {}) if found else {}
        if found and found[3] == "tree":
            self.answer([{"type": "file", "path": path, "size": len(c), "oid": "0" * 40} for path, c in files.items()])
        else:
            self.answer({"id": found[2] if found else "", "sha": "0" * 40, "siblings": [{"rfilename": path} for path in files]})

    def do_PUT(self):
        self.server.large[self.path.rpartition("/")[2]] = self.body()
        self.answer({})

    def do_POST(self):
        hub, body = self.server, self.body()
        if self.headers.get("Authorization") != "Bearer hf_right":
            self.answer({"error": "Invalid user token."}, 401)
        elif self.path == "/api/repos/create":
            asked = json.loads(body)
            hub.created.append(asked)
            name = f"{asked['organization']}/{asked['name']}"
            if name == hub.full:
                self.answer({"error": "no room"}, 507)
                return
            hub.repositories.setdefault((asked.get("type", "model"), name), {})
            self.answer({"url": f"{hub.address}/{name}"})
        elif self.path == "/api/validate-yaml":
            self.answer({"warnings": [], "errors": []})
        elif self.path.endswith("/preupload/main"):
            files = json.loads(body)["files"]
            large = (".safetensors", ".parquet")
            modes = [(file["path"], "lfs" if file["path"].endswith(large) else "regular") for file in files]
            self.answer({"files": [{"path": path, "uploadMode": mode, "shouldIgnore": False} for path, mode in modes]})
        elif self.path.endswith("/info/lfs/objects/batch"):
            self.answer({"transfer": "basic", "objects": [
                {**each, "actions": {"upload": {"href": f"{hub.address}/upload/{each['oid']}", "header": {}}}}
                for each in json.loads(body)["objects"]
            ]})  # fmt: skip
        elif found := re.fullmatch(r"/api/(model|dataset)s/([^/]+/[^/]+)/commit/main", self.path):
            self.commit(hub.repositories[found.groups()], body)
            self.answer({"commitUrl": f"{hub.address}/{found[2]}/commit/{'0' * 40}", "commitOid": "0" * 40})
        else:
            self.answer({"error": f"unexpected {self.path}"}, 404)

    def commit(self, files, body):
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                content = self.server.large[value["oid"]]
                assert hashlib.sha256(content).hexdigest() == value["oid"]
                files[value["path"]] = content
            elif entry["key"] == "deletedFile":
                del files[value["path"]]


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.address = f"http://127.0.0.1:{server.server_port}"
    server.created, server.repositories, server.large, server.full = [], {}, {}, None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def command(run, tmp_path, *arguments, **environment):
    """The command in a process of its own, as nobody who is logged in."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING_FACE"))}
    set_ = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", **environment}
    line = [sys.executable, "-m", "tinygsm_kit.cli", "push", str(run), "--to", "me/tiny", *arguments]
    return subprocess.run(line, env={**kept, **set_}, capture_output=True, text=True, timeout=120)


def test_a_hub_gets_exactly_the_files_that_the_dry_run_names(run, tmp_path, hub):
    reach = {"HF_ENDPOINT": hub.address, "HF_TOKEN": "hf_right"}
    hub.repositories["dataset", "me/tiny"] = {
        ".gitattributes": b"", "baseline/data/train-00001-of-00002.parquet": b"of an earlier push",
    }  # fmt: skip
    done = command(run, tmp_path, "--private", **reach)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("/commit/") == 3
    expected = {key: {path: read(file) for path, file in files.items()} for key, files in sent(run).items()}
    expected["dataset", "me/tiny"][".gitattributes"] = b""
    assert hub.repositories == expected
    assert all(made["visibility"] == "private" for made in hub.created)

    listed = command(run, tmp_path, "--dry-run", HF_HUB_OFFLINE="1")
    assert listed.returncode == 0
    names = [line.split()[2] for line in listed.stdout.splitlines() if line.startswith("  ")]
    assert sorted([*names, ".gitattributes"]) == sorted(path for files in hub.repositories.values() for path in files)
    assert "dataset me/tiny: 3 files, " in listed.stdout


def test_what_the_hub_has_taken_is_said_when_it_fails_and_the_same_command_goes_on(run, tmp_path, hub):
    reach = {"HF_ENDPOINT": hub.address, "HF_TOKEN": "hf_right"}
    hub.full = "me/tiny-mul_tokens"
    failed = command(run, tmp_path, **reach)
    assert failed.returncode == 1
    assert "push to me/tiny-mul_tokens failed: " in failed.stderr
    assert "Pushed before: me/tiny-baseline. The run is untouched." in failed.stderr
    assert "Traceback" not in failed.stderr
    hub.full = None
    assert command(run, tmp_path, **reach).returncode == 0
    assert set(hub.repositories) == set(sent(run))


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"HF_TOKEN": "hf_wrong"}, "log in with a token that may write to me/tiny-baseline: `hf auth login`, or HF_TOKEN"),
        ({"HF_HUB_OFFLINE": "1", "HF_TOKEN": "hf_right"}, "offline mode is set: unset HF_HUB_OFFLINE"),
        ({"HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": "hf_right"}, "the same command goes on"),
    ],
    ids=["wrong token", "offline", "no connection"],
)
def test_a_push_that_cannot_be_says_why_and_loses_nothing(run, tmp_path, hub, environment, said):
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    done = command(run, tmp_path, **{"HF_ENDPOINT": hub.address, **environment})
    assert done.returncode == 1
    assert said in done.stderr
    assert "Nothing was pushed before. The run is untouched." in done.stderr
    assert "Traceback" not in done.stderr
    assert hub.repositories == {}
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()} == before
