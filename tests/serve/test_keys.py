"""API keys: hashed at rest, roles, corpora, and filters that nothing gets around."""

from __future__ import annotations

import contextlib
import json
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragstone.build import open_corpus
from ragstone.errors import UsageError
from ragstone.serve.keys import ROLES, Caller, Keys
from ragstone.testing.hashing import HashingEncoder


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_the_file_holds_no_key_and_is_the_owners_alone(tmp_path):
    keys = Keys(tmp_path / "keys.json")
    key = keys.add("Ada", role="write", where="format = 'pdf'")
    text = keys.path.read_text()
    secret = key.rsplit("_", 1)[1] if key.count("_") == 2 else key[13:]
    assert secret not in text
    assert key not in text
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    assert json.loads(text)["keys"][0]["name"] == "Ada"


@given(st.text(max_size=80))
def test_no_other_text_is_a_key(tmp_path_factory, presented):
    keys = Keys(tmp_path_factory.getbasetemp() / "any.json")
    if not len(keys):
        keys.add("Ada", role="admin")
    assert keys.find(presented) is None


def test_a_key_is_found_by_any_reader_and_gone_once_revoked(tmp_path):
    keys, other = Keys(tmp_path / "keys.json"), Keys(tmp_path / "keys.json")
    key = keys.add("Ada", role="write", corpora=("main",), where="format = 'pdf'")
    caller = other.find(key)
    assert caller is not None
    assert (caller.name, caller.role, caller.where) == ("Ada", "write", "format = 'pdf'")
    assert caller.sees("main")
    assert not caller.sees("other")
    assert other.find(key[:-1] + ("A" if key[-1] != "A" else "B")) is None
    keys.revoke(caller.key_id)
    assert other.find(key) is None
    with pytest.raises(UsageError):
        keys.revoke(caller.key_id)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_those_before_it_may(role):
    caller = Caller("x", role)
    assert [caller.may(each) for each in ROLES] == [
        ROLES.index(each) <= ROLES.index(role) for each in ROLES
    ]


def test_a_damaged_file_is_said_and_not_taken_for_empty(tmp_path):
    path = tmp_path / "keys.json"
    for text in ("{", '{"keys": [{"id": 1}]}', "[]"):
        path.write_text(text)
        with pytest.raises(UsageError, match="cannot be read"):
            Keys(path)


def test_a_server_with_keys_answers_nobody_without_one(start, tmp_path):
    keys = Keys(tmp_path / "k.json")
    key = keys.add("Ada", role="read")
    server = start(keys)
    for path in (
        "/api/corpora",
        "/v1/models",
        "/metrics",
        "/openapi.json",
        server.api("documents"),
    ):
        reply = server.client.get(path)
        assert reply.status_code == 401, path
        assert reply.headers["www-authenticate"] == "Bearer"
        assert server.client.get(path, headers=headers(key)).status_code == 200, path
    assert server.client.post("/mcp", json={}).status_code == 401
    assert server.client.get("/").status_code == 200  # the page holds nothing by itself
    assert server.client.get("/health").status_code == 200
    assert server.client.get("/api/corpora", headers={"X-API-Key": key}).status_code == 200
    keys.revoke(key.split("_")[1])
    refused = server.client.get("/api/corpora", headers=headers(key))
    assert refused.status_code in (401, 503)


def test_roles_decide_who_may_change_what(start, tmp_path):
    keys = Keys(tmp_path / "k.json")
    by_role = {role: headers(keys.add(role, role=role)) for role in ROLES}
    server = start(keys)
    rollback = {"version": 999}
    for role, sent in by_role.items():
        put = server.client.put(server.api("files/..%5C"), content=b"x", headers=sent)
        assert (put.status_code == 403) == (role == "read")
        back = server.client.post(server.api("versions/rollback"), json=rollback, headers=sent)
        assert (back.status_code == 403) == (role != "admin")


def test_a_corpus_that_a_key_may_not_see_does_not_exist_for_it(start, tmp_path):
    keys = Keys(tmp_path / "k.json")
    sent = headers(keys.add("half", role="admin", corpora=("one",)))
    server = start(keys, names=("one", "two"))
    names = [
        row["name"] for row in server.client.get("/api/corpora", headers=sent).json()["corpora"]
    ]
    assert names == ["one"]
    hidden = server.client.get("/api/corpora/two/documents", headers=sent)
    absent = server.client.get("/api/corpora/three/documents", headers=sent)
    assert hidden.status_code == absent.status_code == 404
    strip = lambda reply: {**reply.json()["error"], "request_id": ""}  # noqa: E731
    assert strip(hidden) == strip(absent)
    models = server.client.get("/v1/models", headers=sent).json()["data"]
    assert "two" not in [row["id"] for row in models]
    ask = {"model": "two", "messages": [{"role": "user", "content": "lamp?"}]}
    assert server.client.post("/v1/chat/completions", json=ask, headers=sent).status_code == 404


FIELDS = st.sampled_from(
    [
        "format = 'text'", "format = 'markdown'", "format IN ('pdf', 'html')",
        "title LIKE '%lamp%'",
        "source LIKE '%boat%'", "format != 'html'", "language = 'ar'", "title LIKE '%x%'",
    ]
)  # fmt: skip
FILTERS = st.recursive(
    FIELDS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" AND ".join),
        st.tuples(inner, inner).map(" OR ".join),
        inner.map("NOT ({})".format),
    ),
    max_leaves=4,
)
QUESTIONS = st.sampled_from(
    ["lamp first lit", "boat", "salary of the director", "zephyrquark", "المنارة", "lens mercury"]
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(FILTERS, FILTERS, QUESTIONS)
def test_what_a_key_may_not_see_reaches_no_reply(filtered, acl, asked, question):
    """Over random filters of keys and of questions: hits, answers, lists, counts, documents,
    conversations, plans and texts."""
    server, keys, everything = filtered
    sent = headers(keys.add("random", role="admin", where=acl))
    corpus = server.corpus
    allowed = {info.id for info in corpus.documents(where=acl)}
    both = {info.id for info in corpus.documents(where=f"({acl}) AND ({asked})")}

    body = {"question": question, "where": asked, "k": 50}
    hits = server.client.post(server.api("search"), json=body, headers=sent).json()["hits"]
    assert {hit["document_id"] for hit in hits} <= both

    answer = server.client.post(server.api("ask"), json={"question": question}, headers=sent).json()
    named = {row["document_id"] for part in ("citations", "nearest", "hits", "evidence")
             for row in answer[part]}  # fmt: skip
    assert named <= allowed

    listed = server.client.get(server.api("documents"), headers=sent).json()
    assert {row["document_id"] for row in listed["documents"]} == allowed
    assert listed["all"] == sum(listed["formats"].values()) == len(allowed)
    (about,) = server.client.get("/api/corpora", headers=sent).json()["corpora"]
    assert about["documents"] == len(allowed)
    for id_ in everything:
        reply = server.client.get(server.api("document"), params={"id": id_}, headers=sent)
        assert (reply.status_code == 200) == (id_ in allowed)
    _kept_within(server, sent, allowed, question)
    for path in ("versions", "versions/diff?from=1", "evaluations"):
        assert server.client.get(server.api(path), headers=sent).status_code == 403
    for rest in ("files/x.md",):
        assert server.client.put(server.api(rest), content=b"x", headers=sent).status_code == 403


def _kept_within(server, sent, allowed: set[str], question: str) -> None:
    """Conversations, plans and texts name no document that is not allowed."""
    post = lambda path, body: server.client.post(server.api(path), json=body, headers=sent).json()  # noqa: E731
    name = post("sessions", {})["name"]
    for asked in (question, "And what else is said of it?"):
        turn = post(f"sessions/{name}/ask", {"question": asked})
        named = {row["document_id"] for part in ("citations", "nearest", "hits", "evidence")
                 for row in turn[part]}  # fmt: skip
        assert named <= allowed
    assert "Payroll" not in post("manuscripts/outline", {"brief": question})["outline"] or any(
        server.corpus.document(id_).title == "Payroll" for id_ in allowed
    )
    job = post("manuscripts", {"brief": question, "sections": 2, "words": 60})
    one = server.api(f"manuscripts/{job['id']}")
    with server.client.stream("GET", f"{one}/events", headers=sent) as events:
        assert events.read().rstrip().splitlines()[-2] == b"event: done"
    reply = server.client.get(f"{one}/ledger", headers=sent)
    if reply.status_code == 200:  # else nothing was planned
        named = {row["document_id"] for row in reply.json()["sources"]}
        assert named <= allowed


@pytest.fixture
def filtered(start, tmp_path):
    keys = Keys(tmp_path / "k.json")
    keys.add("first", role="read")
    server = start(keys)
    return server, keys, [info.id for info in server.corpus.documents()]


@pytest.mark.parametrize(
    "asked", ["format = 'html') OR (format = 'html'", "1", "format = 'html' --", "'", "(("]
)
def test_a_filter_cannot_break_out_of_the_keys_own(filtered, asked):
    server, keys, _ = filtered
    sent = headers(keys.add("no html", role="read", where="format != 'html'"))
    body = {"question": "salary of the director", "where": asked}
    reply = server.client.post(server.api("search"), json=body, headers=sent)
    assert reply.status_code == 400
    assert "91,500" not in reply.text


def test_an_error_tells_nothing_of_hidden_fields_or_of_the_keys_filter(filtered):
    server, keys, _ = filtered
    sent = headers(keys.add("no html", role="read", where="format != 'html'"))
    body = {"question": "lamp", "where": "salery = 3"}
    reply = server.client.post(server.api("search"), json=body, headers=sent)
    assert reply.status_code == 400
    for told in ("html", "Known fields", "Did you mean", "format"):
        assert told not in reply.text
    open_to_all = headers(keys.add("all", role="read"))
    helped = server.client.post(server.api("search"), json=body, headers=open_to_all)
    assert "Known fields" in helped.text


@pytest.fixture(scope="module")
def both(running_server, tmp_path_factory):
    """A server whose key sees some documents, and one over a corpus that has no others."""
    base = tmp_path_factory.mktemp("both")
    keys = Keys(base / "k.json")
    sent = headers(keys.add("texts", role="read", where="format = 'text'"))
    shown, secret = base / "shown", base / "secret"
    for folder in (shown, secret):
        folder.mkdir()
    for name, text in SHOWN.items():
        (shown / name).write_text(text)
    for name, text in SECRET.items():
        (secret / name).write_text(text)
    with contextlib.ExitStack() as stack:
        servers = []
        for name, paths, known in (
            ("whole", (secret, shown), keys), ("part", (shown,), Keys(base / "none.json"))
        ):  # fmt: skip
            given = {"llm": "none", "workers": 1, "threads": 1}
            with open_corpus(base / name, encoder=HashingEncoder(), settings=given) as corpus:
                corpus.sync(*paths)
            one = running_server({"main": base / name}, known, base / f"{name}-uploads")
            servers.append(stack.enter_context(one))
        servers[0].client.headers.update(sent)
        yield servers


SHOWN = {
    "lamp.txt": "The lamp of Skerry was first lit in 1871. It burned colza oil until 1902.\n",
    "boat.txt": "The boat of the station is called Petrel. The boat was built in 1938.\n",
    "haus.txt": "Das Haus am Meer ist alt, und der Weg dorthin ist nicht weit.\n",
}
SECRET = {
    "a.md": "# Payroll\n\nThe director earns 91,500 crowns. The boat is sold. Petrel!\n",
    "b.md": "---\nsalary: 91500\n---\n# Häuser\n\n" + "Die Häuser der Stadt und das Haus. " * 9,
    "c.html": "<html><title>Lamp</title><body><p>lamp lamp lamp oil oil</p></body></html>",
}
ASKED = st.lists(
    st.sampled_from(
        ["lamp", "oil", "boat", "Petrel", "Häuser", "salary", "director", "1871", "was", "the"]
    ),
    min_size=1, max_size=5,
).map(" ".join)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(ASKED | ASKED.map("When was the {} built?".format),
       st.sampled_from(["hybrid", "lexical", "dense"]),
       st.sampled_from(["", "salary = 91500", "title LIKE '%a%'"]))  # fmt: skip
def test_replies_are_those_of_a_corpus_without_what_is_hidden(both, question, mode, where):
    """Word for word and score for score: searches, answers, lists, plans, refusals."""
    replies = []
    for server in both:
        given_ = {"question": question, "where": where}
        asked = [
            server.client.post(server.api(path), json=body)
            for path, body in (
                ("search", {**given_, "k": 50, "mode": mode}),
                ("ask", given_),
                ("manuscripts/outline", {"brief": f"Summary of {question}", "kind": "summary"}),
                ("manuscripts/outline", {"brief": "Summary of a.md", "kind": "summary"}),
                ("manuscripts/outline", {"brief": "Payroll", "kind": "summary"}),
            )
        ]
        listed = server.client.get(server.api("documents"), params={"query": question})
        replies.append([_settled(reply.json()) for reply in [*asked, listed]])
    assert replies[0] == replies[1]
    assert "91,500" not in json.dumps(replies)


def _settled(told):
    """Without what differs from one run to the next, and what a filtered key is not told."""
    if isinstance(told, dict):
        if "error" in told:
            return told["error"]["code"]
        return {k: _settled(v) for k, v in told.items() if k not in ("timings_ms", "request_id")}
    return [_settled(item) for item in told] if isinstance(told, list) else told
