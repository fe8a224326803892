"""`doctor --server`: each fault of a set-up and of a running server is named with its remedy."""

from __future__ import annotations

import json
import socket

import pytest
from click.testing import CliRunner

from ragstone.cli.inspection import doctor
from ragstone.errors import UsageError
from ragstone.serve import checkup
from ragstone.serve.keys import Keys
from ragstone.serve.options import Options
from ragstone.settings import Settings
from ragstone.testing.scripted import ScriptedModel


def said(findings, severity: str) -> str:
    return "\n".join(f"{f.what} {f.remedy}" for f in findings if f.severity == severity)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def looked(folder, tmp_path, settings=None, **options):
    given = Options(keys=str(tmp_path / "keys.json"), **options)
    return checkup.examine_set_up(given, settings or Settings(llm="none"), {"main": folder})


def test_a_sound_set_up_has_no_error_and_no_warning(folder, tmp_path, free_port):
    found = looked(folder, tmp_path, port=free_port)
    assert said(found, "error") == said(found, "warning") == ""
    assert "No keys" in said(found, "note")


def test_each_fault_of_a_set_up_is_named(folder, tmp_path, free_port):
    found = looked(folder, tmp_path, port=free_port, host="0.0.0.0", telemetry=True)
    assert "no key" in said(found, "error")
    assert "allowed_hosts" in said(found, "warning")
    keys = Keys(tmp_path / "keys.json")
    made = keys.add("Ada", role="read", corpora=("gone",))
    rows = json.loads(keys.path.read_text())
    rows["keys"][0]["where"] = "format ="
    keys.path.write_text(json.dumps(rows))
    keys.path.chmod(0o644)
    found = looked(folder, tmp_path, port=free_port)
    assert "gone" in said(found, "warning")
    assert "chmod 600" in said(found, "warning")
    assert "filter of the key Ada" in said(found, "error")
    assert made.rsplit("_", 1)[1] not in str(found)
    keys.path.write_text("{")
    assert "cannot be read" in said(looked(folder, tmp_path, port=free_port), "error")
    keys.path.write_text('{"keys": []}')
    assert "holds no key" in said(looked(folder, tmp_path, port=free_port), "error")
    missing = Settings(llm="file:/nowhere.gguf")
    assert "nowhere.gguf" in said(looked(folder, tmp_path, missing, port=free_port), "error")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert "cannot be listened on" in said(looked(folder, tmp_path, port=port), "warning")
    assert "unknown" in said(looked(folder, tmp_path, host="no.such.host.invalid"), "error")


def test_a_running_server_is_looked_at_with_and_without_its_key(server, start, tmp_path):
    found = checkup.examine_running(server.url)
    assert said(found, "error") == said(found, "warning") == ""
    assert "main: 6 documents" in said(found, "note")
    keys = Keys(tmp_path / "keys.json")
    key = keys.add("Ada", role="read", corpora=())
    guarded = start(keys)
    assert "needs a key" in said(checkup.examine_running(guarded.url), "note")
    assert "no corpus" in said(checkup.examine_running(guarded.url, key), "warning")
    assert "not one that it knows" in said(checkup.examine_running(guarded.url, "rsk_x"), "error")
    guarded.library.ready = False
    assert "not ready" in said(checkup.examine_running(guarded.url), "error")
    named = guarded.url.replace("127.0.0.1", "127.0.0.2")
    assert checkup.examine_running(named)[0].severity == "error"


def test_nothing_there_and_no_address(free_port):
    (finding,) = checkup.examine_running(f"http://127.0.0.1:{free_port}")
    assert finding.severity == "error"
    for wrong in ("ftp://x", "127.0.0.1:8000", "http://"):
        with pytest.raises(UsageError, match="no address"):
            checkup.examine_running(wrong)


def test_the_command_prints_json_and_exits_by_what_it_found(server, free_port):
    good = CliRunner().invoke(doctor, ["--server", server.url, "--json"], standalone_mode=False)
    assert good.return_value == 0
    assert json.loads(good.stdout)["findings"]
    bad = CliRunner().invoke(
        doctor, ["--server", f"http://127.0.0.1:{free_port}"], standalone_mode=False
    )
    assert bad.return_value == 1


def test_tokens_of_language_models_are_counted(own, monkeypatch):
    model = ScriptedModel("The lamp of Skerry was first lit on 3 May 1871 [1].")
    monkeypatch.setattr(own.corpus._parts, "model", lambda *_, **__: model)
    body = {"question": "When was the lamp of Skerry first lit?"}
    assert own.client.post(own.api("ask"), json=body).status_code == 200
    lines = dict(
        line.rsplit(" ", 1)
        for line in own.client.get("/metrics").text.splitlines()
        if line.startswith("ragstone_tokens_total")
    )
    assert float(lines['ragstone_tokens_total{act="ask",kind="prompt"}']) > 10
    assert float(lines['ragstone_tokens_total{act="ask",kind="completion"}']) >= 5
