"""What a hostile client may try: one test each, against a real server on a real socket."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import socket
import time
import zipfile

import httpx
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ragstone.cli.serve import serve as serve_command
from ragstone.errors import UsageError
from ragstone.serve import log
from ragstone.serve import start as starting
from ragstone.serve.documents import safe_name
from ragstone.serve.guard import refuse_unsafe
from ragstone.serve.keys import Keys
from ragstone.serve.options import Options
from ragstone.serve.problem import Problem

JSON = {"Content-Type": "application/json"}


def raw(server, data: bytes, *, timeout: float = 5.0, pause: float = 0.0) -> bytes:
    """Send bytes as they are and return what comes back until the server closes or is silent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as connection:
        connection.sendall(data)
        time.sleep(pause)
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except TimeoutError:
            pass
        return received


# --- where it listens


def test_it_listens_on_loopback_unless_told_otherwise():
    assert Options().loopback
    assert Options(host="::1").loopback
    assert not Options(host="0.0.0.0").loopback
    assert not Options(host="example.org").loopback


def test_listening_elsewhere_without_a_key_is_refused(tmp_path, folder):
    keys = Keys(tmp_path / "keys.json")
    assert "no key" in refuse_unsafe(Options(host="0.0.0.0"), keys, ["main"])
    assert refuse_unsafe(Options(), keys, ["main"]) == ""
    arguments = ["--host", "0.0.0.0", "--keys", str(tmp_path / "keys.json")]
    result = CliRunner().invoke(serve_command, [*arguments, "--corpus", f"main={folder}"])
    assert isinstance(result.exception, UsageError)
    assert "keys add" in result.exception.remedy
    keys.add("somebody", role="read")
    assert refuse_unsafe(Options(host="0.0.0.0"), keys, ["main"]) == ""


def test_names_of_corpora():
    assert set(starting.named(["/a/b/notes", "other=/c"])) == {"notes", "other"}
    for bad in (["a/b=/c"], ["x=/a", "x=/b"], ["=/a"]):
        with pytest.raises(UsageError):
            starting.named(bad)


# --- who sends


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_dns_rebinding_is_refused(server, host):
    reply = server.client.get("/api/corpora", headers={"Host": host})
    assert reply.status_code in (400, 421)
    assert "corpora" not in reply.json()


def test_two_host_headers_are_refused(server):
    reply = raw(server, b"GET /api/corpora HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil\r\n\r\n")
    assert reply.split(b" ")[1] in (b"400", b"421")


def test_an_allowed_name_is_answered(start):
    server = start(allowed_hosts=("docs.example.org",))
    assert (
        server.client.get("/api/corpora", headers={"Host": "Docs.Example.org"}).status_code == 200
    )


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_pages_of_other_sites_cannot_send_requests(server, headers):
    body = json.dumps({"question": "lamp"})
    reply = server.client.post(server.api("search"), content=body, headers={**JSON, **headers})
    assert reply.status_code == 403
    assert server.client.get("/api/corpora", headers=headers).status_code == 403


def test_no_header_opens_the_api_to_other_origins(server):
    reply = server.client.options(
        server.api("search"),
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )
    assert reply.status_code in (403, 405)
    own = server.client.get("/api/corpora", headers={"Origin": server.url})
    assert own.status_code == 200
    for each in (reply, own):
        assert not [name for name in each.headers if name.startswith("access-control-")]


def test_simple_content_types_are_no_way_around_the_origin_check(server):
    body = json.dumps({"question": "lamp"})
    reply = server.client.post(
        server.api("search"), content=body, headers={"Content-Type": "text/plain"}
    )
    assert reply.status_code == 415


# --- what a browser may do


def test_every_reply_has_the_strict_headers(server):
    for path in ("/", "/js/app.js", "/api/corpora", "/nothing", "/health"):
        headers = server.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers


def test_the_page_asks_for_nothing_from_outside(server):
    for path in ("/", "/style.css", "/views.css", "/js/app.js", "/js/api.js", "/icon.svg"):
        text = server.client.get(path).text
        outside = [word for word in ("http://", "https://", "//cdn") if word in text]
        if path in ("/icon.svg", "/js/dom.js"):
            continue  # the SVG namespace is a name, not an address
        assert not outside, (path, outside)


# --- paths and files


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/js/../../app.py",
        "/js/..%2f..%2fapp.py",
        "/style.css%00.js", "//etc/passwd", "/page/index.html", "/app.py", "/js/",
    ],
)  # fmt: skip
def test_the_page_serves_its_own_files_and_no_others(server, path):
    reply = raw(
        server, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    )
    assert reply.split(b" ")[1] in (b"404", b"400", b"405"), reply[:200]
    assert b"root:" not in reply


@pytest.mark.parametrize(
    "name",
    [
        "..", "../evil.md", "..%2Fevil.md", "a%2Fb.md", "%2Fetc%2Fcron.d%2Fx", ".hidden", "a%00.md",
        "a%0Ab.md", "C:%5Cx.md", "con", "NUL.txt", "a.", "x" * 300 + ".md", "a%E2%80%AEdm.exe",
    ],
)  # fmt: skip
def test_uploads_stay_in_their_folder(own, name, tmp_path):
    before = sorted(str(path) for path in tmp_path.rglob("*.md"))
    request = f"PUT /api/corpora/main/files/{name} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    reply = raw(own, f"{request}Content-Length: 5\r\nConnection: close\r\n\r\nhello".encode())
    assert reply.split(b" ")[1] in (b"404", b"422", b"405", b"400"), reply[:300]
    assert sorted(str(path) for path in tmp_path.rglob("*.md")) == before


@given(st.text())
def test_a_safe_name_is_one_plain_name(name):
    try:
        safe = safe_name(name)
    except Problem:
        return
    assert safe not in ("", ".", "..")
    assert not set(safe) & set('/\\:*?"<>|\x00\n\r')
    assert not safe.startswith(".")
    assert len(safe.encode()) <= 200


def test_a_document_cannot_name_a_file_to_draw(server):
    """Ids are looked up in the corpus; a path that is no document's is not read."""
    for id_ in ("/etc/passwd", "../../etc/passwd", "' OR 1=1 --", "x' OR id != ''"):
        for rest in ("document", "document/page.png", "document/marks"):
            reply = server.client.get(server.api(rest), params={"id": id_, "page": 1})
            assert reply.status_code == 404, (id_, rest)


def test_a_zip_bomb_is_refused_and_nothing_is_kept(own):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"<w>" + b" " * (300 << 20) + b"</w>")
    assert len(packed.getvalue()) < 1 << 20
    began = time.monotonic()
    reply = own.client.put(own.api("files/bomb.docx"), content=packed.getvalue())
    assert reply.status_code == 422, reply.text
    assert time.monotonic() - began < 20
    assert own.client.get(own.api("documents"), params={"format": "docx"}).json()["total"] == 0


def test_an_upload_over_the_limit_is_refused_before_and_while_it_comes(own, start, tmp_path):
    server = start(max_upload_mb=1)
    told = server.client.put(server.api("files/big.txt"), content=b"x" * (2 << 20))
    assert told.status_code == 413

    try:  # without a length, in chunks: refused once the limit is passed
        untold = server.client.put(server.api("files/big.txt"), content=iter([b"x" * 65536] * 40))
        assert untold.status_code == 413
    except (httpx.WriteError, httpx.RemoteProtocolError):
        pass  # the connection was closed in the client's face, which is as good
    assert not list(tmp_path.rglob("*.part"))


def test_an_upload_that_is_cut_off_leaves_nothing(own, tmp_path):
    head = b"PUT /api/corpora/main/files/half.md HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    head += b"Content-Length: 500\r\n\r\n"
    with socket.create_connection(("127.0.0.1", own.port)) as connection:
        connection.sendall(head + b"half of it")
        time.sleep(0.2)
    deadline = time.monotonic() + 5
    while list(tmp_path.rglob("*.part")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list(tmp_path.rglob("*.part"))
    assert own.client.get(own.api("documents"), params={"query": "half.md"}).json()["total"] == 0


# --- bodies and heads


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"\xff\xfe", 400), (b"[" * 100_000, 400),
        (b'{"question": NaN}', 400),
        (b"[]", 422), (b"null", 422), (b"{}", 422), (b'{"question": 5}', 422),
        (b'{"question": " "}', 422), (b'{"question": "a", "k": 0}', 422),
        (b'{"question": "a", "k": 1e9}', 422), (b'{"question": "a", "k": true}', 422),
        (b'{"question": "a", "x": 1}', 422), (b'{"question": "a", "mode": "magic"}', 422),
        (b'{"question": "\\ud800"}', 422), (b'{"question": "a", "where": "x ="}', 400),
        (b'{"question": "a", "where": "nofield = 1"}', 400),
    ],
)  # fmt: skip
def test_malformed_bodies_are_told_what_is_wrong(server, body, status):
    reply = server.client.post(server.api("search"), content=body, headers=JSON)
    assert reply.status_code == status, reply.text
    error = reply.json()["error"]
    assert error["message"]
    assert error["request_id"] == reply.headers["x-request-id"]


def test_an_oversized_body_is_refused(server):
    body = json.dumps({"question": "x" * (2 << 20)})
    reply = server.client.post(server.api("search"), content=body, headers=JSON)
    assert reply.status_code == 413


def test_a_slow_head_is_cut_off(start):
    server = start(header_timeout_s=0.5)
    began = time.monotonic()
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection,
        contextlib.suppress(OSError),  # the server's reset, which ends the loop
    ):
        for letter in b"GET /health HTTP/1.1\r\nX-Slow: " + b"a" * 200:
            connection.sendall(bytes([letter]))
            time.sleep(0.05)
    assert time.monotonic() - began < 5
    assert server.client.get("/health").status_code == 200


def test_a_connection_that_says_nothing_is_cut_off(start):
    server = start(header_timeout_s=0.3)
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection,
        contextlib.suppress(ConnectionResetError),
    ):
        assert connection.recv(1) == b""


def test_a_slow_body_is_cut_off(start):
    server = start(body_timeout_s=0.5)
    head = b"POST /api/corpora/main/search HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    reply = raw(server, head + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    assert reply.split(b" ")[1] == b"408"


def test_a_huge_head_is_refused(server):
    reply = raw(
        server,
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX: "
        + b"a" * 100_000
        + b"\r\n\r\n",
    )
    assert reply.split(b" ")[1] in (b"400", b"431")


def test_nothing_a_client_sends_becomes_a_header(server):
    sent = "a\r\nX-Evil: 1"
    reply = server.client.get("/api/corpora/main/document", params={"id": sent})
    assert "x-evil" not in reply.headers
    forged = raw(
        server,
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        b"X-Request-ID: a b<script>\r\n\r\n",
    )
    assert b"<script>" not in forged
    kept = server.client.get("/health", headers={"X-Request-ID": "trace-1.2_3"})
    assert kept.headers["x-request-id"] == "trace-1.2_3"


# --- logs


@pytest.mark.parametrize("form", ["json", "text"])
def test_log_lines_carry_no_content_no_key_and_cannot_be_forged(form, server, capsys, tmp_path):
    log.set_up(form)
    try:
        server.client.post(
            server.api("search"),
            json={"question": "TOPSECRETWORD"},
            headers={"Authorization": "Bearer rsk_00000000_" + "k" * 43},
        )
        server.client.get(server.api("document"), params={"id": "TOPSECRETWORD\nforged line"})
        server.client.get("/TOPSECRETWORD%0Aforged")
        time.sleep(0.3)  # a request's line is written after its reply has been sent
        log.write("event", value='quote " and\nnewline \u202e')
        lines = capsys.readouterr().err.splitlines()
    finally:
        log.set_up("none")
    text = "\n".join(lines)
    assert len(lines) == 4
    assert "TOPSECRETWORD" not in text
    assert "kkkk" not in text
    assert "forged" not in text
    if form == "json":
        assert json.loads(lines[0])["route"] == "/api/corpora/{corpus}/search"
        assert json.loads(lines[2])["route"] == "other"


def test_an_unexpected_error_says_nothing_but_its_id(server, monkeypatch, caplog):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("content of TOPSECRETWORD")

    monkeypatch.setattr(type(server.corpus), "search", broken)
    with caplog.at_level(logging.ERROR):
        reply = server.client.post(server.api("search"), json={"question": "lamp"})
    assert reply.status_code == 500
    assert "TOPSECRETWORD" not in reply.text
    assert "RuntimeError" not in reply.text
    assert "TOPSECRETWORD" not in caplog.text
    assert reply.json()["error"]["request_id"]


# --- limits


def test_too_many_requests_are_told_when_to_come_back(start):
    server = start(requests_per_minute=20)
    replies = [server.client.get("/api/corpora") for _ in range(10)]
    assert [reply.status_code for reply in replies[:5]] == [200] * 5
    refused = replies[-1]
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 3
    assert server.client.get("/health").status_code == 200  # those who watch are not refused


def test_guessing_keys_is_slowed(start, tmp_path):
    keys = Keys(tmp_path / "some.json")
    keys.add("one", role="read")
    server = start(keys)
    statuses = {
        server.client.get("/api/corpora", headers={"Authorization": f"Bearer {i}"}).status_code
        for i in range(30)
    }
    assert statuses == {401, 429}


def test_a_read_only_server_refuses_every_change(start):
    server = start(read_only=True)
    assert server.client.put(server.api("files/a.md"), content=b"x").status_code == 403
    assert server.client.delete(server.api("document"), params={"id": "x"}).status_code == 403
    rollback = server.client.post(server.api("versions/rollback"), json={"version": 1})
    assert rollback.status_code == 403
