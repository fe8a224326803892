"""What must not leave the server, and what others must not be able to hold: requests to addresses
in documents, more uploads than allowed, replies that nobody reads."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator


@contextlib.contextmanager
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """An address, and what was said to it."""
    heard: list[bytes] = []
    with socket.socket() as waiting:
        waiting.bind(("127.0.0.1", 0))
        waiting.listen()
        waiting.settimeout(0.2)
        stopped = threading.Event()

        def listen() -> None:
            while not stopped.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, _ = waiting.accept()
                    with connection:
                        connection.settimeout(1)
                        heard.append(connection.recv(200) or b"connected")

        thread = threading.Thread(target=listen)
        thread.start()
        yield f"http://127.0.0.1:{waiting.getsockname()[1]}", heard
        stopped.set()
        thread.join(5)


def test_no_address_in_a_document_or_a_request_is_ever_asked(own):
    """Server-side request forgery: images, links, entities, schemas, filters, questions, briefs."""
    with listener() as (url, heard):
        files = {
            "page.html": f'<html><base href="{url}/b"><head><link rel=stylesheet href="{url}/c">'
            f'<meta http-equiv=refresh content="0;url={url}/r"></head><body><img src="{url}/i">'
            f'<iframe src="{url}/f"></iframe><p>See <a href="{url}/a">the tides</a>.</p></body>',
            "notes.md": f"# Notes\n\n![tide]({url}/m)\n\n[table]: {url}/t\n\nThe tide turns.\n",
            "entity.xml": f'<?xml version="1.0"?><!DOCTYPE r SYSTEM "{url}/dtd" [<!ENTITY e SYSTEM '
            f'"{url}/e">]><r xmlns:xi="http://www.w3.org/2001/XInclude">'
            f'<xi:include href="{url}/x"/>'
            "<p>The tide &e; turns at noon.</p></r>",
            "plan.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}/s"/></svg>',
            "rows.jsonl": f'{{"id": "1", "title": "Tide", "text": "The tide: {url}/j"}}\n',
        }
        for name, text in files.items():
            own.client.put(own.api(f"files/{name}"), content=text.encode())
        own.client.put(own.api("files/x"), content=url.encode())
        question = {"question": f"What does {url}/q say of the tide?"}
        for path in ("search", "ask", "ask/stream"):
            assert own.client.post(own.api(path), json=question).status_code == 200
        own.client.post(own.api("search"), json={**question, "where": f"source = '{url}/w'"})
        parts = [
            {"type": "text", "text": "tide?"},
            {"type": "image_url", "image_url": {"url": url}},
        ]
        asked = [{"role": "user", "content": parts}]
        own.client.post("/v1/chat/completions", json={"model": "main", "messages": asked})
        brief = {"brief": f"The tide, see {url}/brief", "outline": f"## {url}/o\n\nThe tide?\n"}
        job = own.client.post(own.api("manuscripts"), json=brief).json()
        own.client.get(own.api(f"manuscripts/{job['id']}/events"))
        for form in ("html", "docx", "md"):
            own.client.get(own.api(f"manuscripts/{job['id']}/file"), params={"form": form})
        for path in ("document", "document/page.png", "document/marks"):
            own.client.get(own.api(path), params={"id": f"{url}/d", "page": 1})
        own.client.get("/health", headers={"X-Forwarded-Host": url[7:], "Referer": url})
        time.sleep(0.3)
        assert heard == []
        probe = socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])))
        probe.close()  # the listener does hear
        time.sleep(0.5)
        assert heard == [b"connected"]


def test_no_more_files_are_received_at_once_than_allowed(start):
    server = start(max_uploads=1)
    head = b"PUT /api/corpora/main/files/one.md HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as first:
        first.sendall(head + b"Content-Length: 500\r\n\r\nhalf")
        deadline = time.monotonic() + 5
        while not server.library.uploading and time.monotonic() < deadline:
            time.sleep(0.02)
        second = server.client.put(server.api("files/two.md"), content=b"# Two\n\nText.\n")
        assert second.status_code == 429
        assert int(second.headers["retry-after"]) >= 1
    deadline = time.monotonic() + 5
    while server.library.uploading and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.library.uploading == 0


def test_clients_that_do_not_read_hold_nobody_up(start):
    """Slow reading: answers that nobody takes stay in their sockets; others are served."""
    server = start(streams=4)
    body = b'{"question": "When was the lamp of Skerry first lit?", "k": 200}'
    head = b"POST /api/corpora/main/ask/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            lazy = stack.enter_context(socket.socket())
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            lazy.connect(("127.0.0.1", server.port))
            lazy.sendall(head + body)
        began = time.monotonic()
        reply = server.client.post(server.api("search"), json={"question": "boat"})
        assert reply.status_code == 200
        assert time.monotonic() - began < 5
    deadline = time.monotonic() + 10
    while server.library.work.streaming and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.library.work.streaming == 0
