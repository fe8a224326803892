"""A small corpus of real files behind a real server on loopback, over the real facade."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

from ragstone.build import Corpus, open_corpus
from ragstone.serve import log
from ragstone.serve.app import create_app
from ragstone.serve.connection import timed
from ragstone.serve.keys import Keys
from ragstone.serve.library import Library, Shelf
from ragstone.serve.metrics import Metrics
from ragstone.serve.options import Options
from ragstone.serve.work import Work
from ragstone.testing.hashing import HashingEncoder

EXAMPLES = Path(__file__).parents[2] / "examples" / "library"

FILES = {
    "lamp.md": (
        "# The lamp of Skerry\n\nThe lamp of Skerry was first lit on 3 May 1871 by Anna Reyes. "
        "It burned colza oil until 1902.\n\n## The lens\n\nThe lens weighs 1,450 kilograms and "
        "floats on mercury. It was cast in Marseille 🗼 by Barbier.\n"
    ),
    "boat.txt": (
        "The boat of the station is called Petrel. It is 9 metres long and was built in 1938. "
        "The boat is insured for 20,000 crowns.\n"
    ),
    "markup.md": (
        '# Notes <img src=x onerror="window.pwned=1">\n\nThe gate code of the museum is '
        "<script>window.pwned=1</script> 4471 and <b>never</b> changes.\n"
    ),
    "arabic.txt": "المنارة بنيت في عام 1871. يبلغ ارتفاع المنارة 41 مترا وهي من الجرانيت.\n",
    "secret.html": (
        "<html><head><title>Payroll</title></head><body><h1>Payroll</h1><p>The salary of the "
        "director is 91,500 crowns a year. The zephyrquark project is confidential.</p>"
        "</body></html>"
    ),
}


def write_files(folder: Path) -> Path:
    """The files of the corpus, with one real PDF."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    pdf = folder / "restoration.pdf"
    pdf.write_bytes((EXAMPLES / "restoration-2022.pdf").read_bytes())
    return folder


def opened(folder: Path) -> Corpus:
    return open_corpus(
        folder, settings={"llm": "none", "workers": 1, "threads": 1}, encoder=HashingEncoder()
    )


@dataclass
class Server:
    """A running server and a client for it."""

    url: str
    client: httpx.Client
    library: Library
    server: uvicorn.Server

    @property
    def corpus(self) -> Corpus:
        return self.library.shelves["main"].corpus

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def api(self, rest: str) -> str:
        return f"/api/corpora/main/{rest}"


@contextlib.contextmanager
def running(
    folders: dict[str, Path], keys: Keys, uploads: Path, **options: object
) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = Options(port=port, log="none", threads=4, **options)
    shelves = {
        name: Shelf(name, opened(folder), folder, uploads / name)
        for name, folder in folders.items()
    }
    work = Work(threads=given.workers, waiting=given.waiting, streams=given.streams)
    library = Library(shelves, given, Metrics(), work)
    log.set_up("none")
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(library, keys),
            port=port,
            http=timed(given.header_timeout_s),
            ws="none",
            log_config=None,
            lifespan="on",
            timeout_graceful_shutdown=5,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=64 << 10,
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started, "the server did not start"
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url, timeout=30) as client:
        yield Server(url, client, library, server)
    server.should_exit = True
    thread.join(15)
    library.close()
    assert not thread.is_alive(), "the server did not stop"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synced corpus that no test writes to."""
    base = tmp_path_factory.mktemp("shared")
    with opened(base / "corpus") as corpus:
        report = corpus.sync(write_files(base / "files"))
        assert not report.failed
    return base / "corpus"


@pytest.fixture(scope="session")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for reading; without keys, as on a user's own machine."""
    base = tmp_path_factory.mktemp("server")
    with running({"main": folder}, Keys(base / "keys.json"), base / "uploads") as one:
        yield one


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A server over a corpus of its own, for tests that write."""
    with opened(tmp_path / "corpus") as corpus:
        corpus.sync(write_files(tmp_path / "files"))
    with running({"main": tmp_path / "corpus"}, Keys(tmp_path / "k.json"), tmp_path / "up") as one:
        yield one


@pytest.fixture
def start(folder: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server with these options over the shared corpus."""
    with contextlib.ExitStack() as stack:

        def make(keys: Keys | None = None, names: tuple[str, ...] = ("main",), **options: object):
            known = keys or Keys(tmp_path / "keys.json")
            folders = dict.fromkeys(names, folder)
            return stack.enter_context(running(folders, known, tmp_path / "uploads", **options))

        yield make


@pytest.fixture
def serving(tmp_path: Path) -> Callable[[Path], contextlib.AbstractContextManager[Server]]:
    """Starts a server over a new corpus of these files."""

    @contextlib.contextmanager
    def make(path: Path) -> Iterator[Server]:
        with opened(tmp_path / "new") as corpus:
            assert not corpus.sync(path).failed
        with running({"main": tmp_path / "new"}, Keys(tmp_path / "k.json"), tmp_path / "up") as one:
            yield one

    return make


@pytest.fixture(scope="session")
def running_server() -> Callable[..., contextlib.AbstractContextManager[Server]]:
    """`running`, for modules that start a server of their own."""
    return running
