"""The server as a process: it stops when told, and loses nothing when it is killed."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ragstone.build import open_corpus
from ragstone.serve import start
from ragstone.testing.hashing import HashingEncoder

pytestmark = pytest.mark.real
HERE = Path(__file__).parent


@contextlib.contextmanager
def process(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = [sys.executable, str(HERE / "own_process.py"), str(folder), "http", str(port)]
    running = subprocess.Popen(script, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/ready").status_code == 200:
                    break
            time.sleep(0.1)
        yield running, url
    finally:
        running.kill()
        running.wait(10)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "corpus"))


def test_it_stops_when_told_and_finishes_what_it_began(copied):
    with process(copied) as (running, url), httpx.Client(base_url=url, timeout=30) as client:
        replies: list[int] = []

        def upload() -> None:
            put = client.put("/api/corpora/main/files/late.md", content="# Late\n\nThe bell rings.")
            replies.append(put.status_code)

        sender = threading.Thread(target=upload)
        sender.start()
        time.sleep(0.1)
        running.send_signal(signal.SIGTERM)
        sender.join(20)
        assert running.wait(20) in (0, -signal.SIGTERM)
        assert replies == [201]
    with open_corpus(copied, encoder=HashingEncoder(), settings={"llm": "none"}) as corpus:
        assert [info.title for info in corpus.documents(where="title = 'Late'")] == ["Late"]


def test_an_idle_connection_does_not_hold_it_up(copied):
    with process(copied) as (running, url), httpx.Client(base_url=url) as client:
        client.get("/health")
        port = int(url.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)):
            began = time.monotonic()
            running.send_signal(signal.SIGTERM)
            running.wait(20)
            assert time.monotonic() - began < 10


def test_killed_in_the_midst_of_uploads_it_loses_nothing_it_confirmed(copied):
    confirmed: list[str] = []
    for round_ in range(3):
        with process(copied) as (running, url):

            def uploads(url: str = url, round_: int = round_) -> None:
                with contextlib.suppress(httpx.HTTPError), httpx.Client(base_url=url) as client:
                    for number in range(50):
                        name = f"n{round_}x{number}"
                        text = f"# {name}\n\nBuoy {name} is green.\n"
                        put = client.put(f"/api/corpora/main/files/{name}.md", content=text)
                        if put.status_code == 201:
                            confirmed.append(name)

            sender = threading.Thread(target=uploads)
            sender.start()
            time.sleep(1.5 + 0.37 * round_)
            running.kill()
            sender.join(20)
    assert confirmed
    with open_corpus(copied, encoder=HashingEncoder(), settings={"llm": "none"}) as corpus:
        titles = [info.title for info in corpus.documents()]
        assert len(titles) == len(set(titles))
        assert set(confirmed) <= set(titles)
        for name in (confirmed[0], confirmed[-1]):
            assert f"Buoy {name} is green." in corpus.search(f"Buoy {name}")[0].passage.text


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_text_that_was_cut_off_with_the_server_is_gone_on_with(copied, how):
    """Killed or stopped in the midst of writing, it loses no whole section."""
    heads = [f"The lamp and the boat, part {number}" for number in range(60)]
    asked = "\n".join(f"Where is buoy {number} of the lamp?" for number in range(12))  # takes time
    outline = "# Skerry\n\n" + "\n\n".join(f"## {head}\n\n{asked}" for head in heads)
    main = "/api/corpora/main/manuscripts"
    with process(copied) as (running, url), httpx.Client(base_url=url, timeout=30) as client:
        begun = client.post(main, json={"brief": "Skerry", "outline": outline})
        one = f"{main}/{begun.json()['id']}"
        with client.stream("GET", f"{one}/events") as events:
            for line in events.iter_lines():
                if line == "event: section":
                    running.send_signal(how)
                    break
        running.wait(40)
    with process(copied) as (_, url), httpx.Client(base_url=url, timeout=60) as client:
        state = client.get(one).json()
        assert state["state"] == "interrupted"
        before = client.get(f"{one}/ledger").json()["sections"]
        assert 1 <= len(before) < len(heads)
        assert client.post(f"{one}/resume").status_code == 202
        with client.stream("GET", f"{one}/events") as events:
            assert events.read().count(b"event: section") == len(heads)
        after = client.get(f"{one}/ledger").json()
        assert after["complete"]
        assert after["sections"][: len(before)] == before
        assert [section["heading"] for section in after["sections"]] == heads


def test_replies_are_not_held_back_for_the_client_to_acknowledge():
    (listening, *_) = start._listening("127.0.0.1", 0)
    with listening, socket.create_connection(listening.getsockname()), listening.accept()[0] as one:
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
