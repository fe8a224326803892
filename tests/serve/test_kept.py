"""What callers keep: conversations, manuscripts and evaluations, each as its files say."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile

import pytest

from ragstone.applications.chat_transcript import turns_of
from ragstone.applications.writing.ledger import parse
from ragstone.corpus.sessions import Sessions
from ragstone.serve import examples
from ragstone.serve.keys import Keys

LAMP = "When was the lamp of Skerry first lit?"


def stream(server, method, path, **sent) -> list[tuple[str, dict]]:
    found, name = [], ""
    with server.client.stream(method, path, **sent) as reply:
        assert reply.status_code == 200, reply.read()
        for line in reply.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                found.append((name, json.loads(line[6:])))
    return found


def over(server, path, **sent) -> dict:
    """The job's last state, once it has one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = server.client.get(path, **sent).json()
        if found["state"] not in ("waiting", "running"):
            return found
        time.sleep(0.05)
    raise AssertionError("the job did not end")


# --- conversations


def test_a_conversation_is_kept_as_the_command_line_keeps_it(own):
    made = own.client.post(own.api("sessions"), json={"name": "lamps"})
    assert made.status_code == 201
    assert set(made.json()) == set(examples.SESSION_NEW)
    asked = stream(own, "POST", own.api("sessions/lamps/ask/stream"), json={"question": LAMP})
    assert asked[-1][0] == "done"
    assert "1871" in asked[-1][1]["answer"]
    followed = own.client.post(
        own.api("sessions/lamps/ask"), json={"question": "What did it burn?"}
    ).json()
    assert "lamp" in followed["standalone"]
    assert set(followed) == set(examples.TURN)
    shown = own.client.get(own.api("sessions/lamps")).json()
    assert [turn["question"] for turn in shown["turns"]] == [LAMP, "What did it burn?"]
    assert shown["turns"][0]["answer"] == asked[-1][1]["answer"]
    assert shown["turns"][0]["citations"] == asked[-1][1]["citations"]
    on_disk = Sessions(own.corpus.store.path).load("lamps")
    assert [turn.question for turn in turns_of(on_disk, origin="lamps")] == [
        LAMP, "What did it burn?"
    ]  # fmt: skip
    resumed = own.corpus.chat("lamps")
    assert len(resumed.turns) == 2
    resumed.ask("How heavy is the lens?")
    (listed,) = own.client.get(own.api("sessions")).json()["sessions"]
    assert (listed["name"], listed["turns"], listed["title"]) == ("lamps", 3, LAMP)
    assert set(listed) == set(examples.SESSIONS["sessions"][0])
    text = own.client.get(own.api("sessions/lamps/export"))
    assert text.headers["content-disposition"].endswith("lamps.md")
    assert "first lit on 3 May 1871" in text.text
    rows = own.client.get(own.api("sessions/lamps/export"), params={"form": "json"}).json()
    assert len(rows) == 3
    assert own.client.delete(own.api("sessions/lamps")).json() == {"deleted": "lamps"}
    assert own.client.get(own.api("sessions/lamps")).status_code == 404
    assert own.client.delete(own.api("sessions/lamps")).status_code == 404
    assert own.client.get(own.api("sessions")).json() == {"sessions": []}


def test_turns_asked_at_once_are_all_kept(own):
    own.client.post(own.api("sessions"), json={"name": "busy"})
    questions = [LAMP, "How long is the boat?", "What does the lens weigh?", "Who cast the lens?"]
    replies = []

    def ask(question: str) -> None:
        reply = own.client.post(own.api("sessions/busy/ask"), json={"question": question})
        replies.append(reply.status_code)

    threads = [threading.Thread(target=ask, args=(question,)) for question in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert replies == [200] * 4
    turns = own.client.get(own.api("sessions/busy")).json()["turns"]
    assert sorted(turn["question"] for turn in turns) == sorted(questions)


def test_wrong_names_and_double_names_are_refused(own):
    for name in ("../up", ".hidden", "a/b", "1st", "x" * 65, "con", "a\n"):
        made = own.client.post(own.api("sessions"), json={"name": name})
        assert made.status_code in (400, 422), name
    assert own.client.post(own.api("sessions"), json={"name": "one"}).status_code == 201
    again = own.client.post(own.api("sessions"), json={"name": "one"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "exists")
    assert own.client.get(own.api("sessions/%2e%2e%2fup")).status_code in (404, 422)
    assert own.client.post(own.api("sessions"), json={}).json()["name"].startswith("chat-")
    (own.corpus.store.path / "sessions" / "one.json").write_text("{")
    shown = own.client.get(own.api("sessions/one"))
    assert shown.status_code == 409
    assert str(own.corpus.store.path) not in shown.text
    assert own.client.delete(own.api("sessions/one")).status_code == 200


def test_a_conversation_deleted_while_it_answers_stays_deleted(own, monkeypatch):
    own.client.post(own.api("sessions"), json={"name": "gone"})
    real = own.corpus.chat

    def deleting(**given):
        own.client.delete(own.api("sessions/gone"))
        return real(**given)

    monkeypatch.setattr(own.corpus, "chat", deleting)
    assert own.client.post(own.api("sessions/gone/ask"), json={"question": LAMP}).status_code == 200
    assert own.client.get(own.api("sessions/gone")).status_code == 404


# --- manuscripts


def test_a_manuscript_is_written_watched_and_given_as_files(own):
    body = {"brief": "The lamp and the lens of Skerry", "sections": 2, "words": 120}
    planned = own.client.post(own.api("manuscripts/outline"), json=body).json()["outline"]
    assert planned
    started = own.client.post(own.api("manuscripts"), json=body)
    assert started.status_code == 202
    assert set(started.json()) == set(examples.JOB)
    one = own.api(f"manuscripts/{started.json()['id']}")
    seen = stream(own, "GET", f"{one}/events")
    assert seen[-1][0] == "done"
    assert seen[-1][1]["state"] == "done"
    sections = [data for name, data in seen if name == "section"]
    assert [section["index"] for section in sections] == list(range(len(sections)))
    again = stream(own, "GET", f"{one}/events")
    assert [data for name, data in again if name == "section"] == sections
    ledger = own.client.get(f"{one}/ledger").json()
    assert set(ledger) == set(examples.LEDGER)
    told = [{"index": n, "asked": False, **s} for n, s in enumerate(ledger["sections"])]
    assert told == sections
    written = parse(ledger)
    assert written.complete
    for statement in written.manuscript.statements:
        for citation in statement.citations:
            text = own.corpus.document(citation.document_id).text
            assert citation.span.of(text) == citation.quote
    state = own.client.get(one).json()
    assert state["statements"] == len(written.manuscript.statements) > 0
    assert set(state) == set(examples.MANUSCRIPT)
    words = written.manuscript.statements[0].text.split()[0]
    markdown = own.client.get(f"{one}/file", params={"form": "md"})
    assert markdown.text.startswith("# ")
    assert words in markdown.text
    page = own.client.get(f"{one}/file", params={"form": "html"})
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-disposition"].startswith("attachment")
    docx = own.client.get(f"{one}/file", params={"form": "docx"})
    assert "word/document.xml" in zipfile.ZipFile(io.BytesIO(docx.content)).namelist()
    assert own.client.post(f"{one}/cancel").status_code == 409
    assert own.client.post(f"{one}/resume").status_code == 409
    assert own.client.get(own.api("manuscripts")).json()["manuscripts"] == [state]
    assert own.client.delete(one).status_code == 200
    assert own.client.get(one).status_code == 404


def slowed(monkeypatch, gate: threading.Event):
    """Each section waits for the gate; gives the sections that were begun."""
    from ragstone.applications.writing import composing

    begun: list[str] = []
    real = composing._section

    def section(planned, *rest, **named):
        begun.append(planned.heading)
        gate.wait(20)
        return real(planned, *rest, **named)

    monkeypatch.setattr(composing, "_section", section)
    return begun


OUTLINE = "# Skerry\n\n## The lamp\n\n## The boat\n\n## The lens\n"


def test_writing_is_stopped_and_gone_on_with_from_its_last_section(own, monkeypatch):
    gate = threading.Event()
    begun = slowed(monkeypatch, gate)
    body = {"brief": "Skerry", "outline": OUTLINE, "words": 90}
    job = own.client.post(own.api("manuscripts"), json=body).json()
    one = own.api(f"manuscripts/{job['id']}")
    while not begun:
        time.sleep(0.01)
    assert own.client.get(f"{one}/ledger").status_code == 409
    assert own.client.delete(one).status_code == 409
    assert own.client.post(f"{one}/resume").status_code == 409
    stopping = own.client.post(f"{one}/cancel")
    assert (stopping.status_code, stopping.json()["stopping"]) == (202, True)
    gate.set()
    assert over(own, one)["state"] == "cancelled"
    assert begun == ["The lamp"]
    assert len(own.client.get(f"{one}/ledger").json()["sections"]) == 1
    own.client.put(own.api("files/later.md"), content="# Later\n\nThe lamp was sold.\n")
    assert own.client.post(f"{one}/resume").status_code == 202
    done = over(own, one)
    assert (done["state"], done["done"]) == ("done", 3)
    assert begun == ["The lamp", "The boat", "The lens"]
    ledger = own.client.get(f"{one}/ledger").json()
    assert [s["heading"] for s in ledger["sections"]] == ["The lamp", "The boat", "The lens"]
    assert (
        ledger["version"] == job["version"] < own.client.get(own.api("versions")).json()["current"]
    )


def test_what_a_stopped_server_left_is_called_so_and_can_be_gone_on_with(own, monkeypatch):
    job = own.client.post(own.api("manuscripts"), json={"brief": "Skerry", "outline": OUTLINE})
    one = own.api(f"manuscripts/{job.json()['id']}")
    over(own, one)
    place = own.corpus.store.path / "manuscripts" / job.json()["id"]
    kept = json.loads((place / "job.json").read_text())
    (place / "job.json").write_text(json.dumps({**kept, "state": "running", "done": 1}))
    ledger = json.loads((place / "ledger.json").read_text())
    cut = {**ledger, "complete": False, "sections": ledger["sections"][:1]}
    (place / "ledger.json").write_text(json.dumps(cut))
    assert own.client.get(one).json()["state"] == "interrupted"
    seen = stream(own, "GET", f"{one}/events")
    assert [name for name, _ in seen] == ["section", "done"]
    assert own.client.post(f"{one}/resume").status_code == 202
    assert over(own, one)["state"] == "done"
    whole = own.client.get(f"{one}/ledger").json()
    assert whole["sections"] == ledger["sections"]


def test_a_job_that_fails_says_why(own):
    job = own.client.post(own.api("manuscripts"), json={"brief": "Skerry", "where": "nothing = 3"})
    failed = over(own, own.api(f"manuscripts/{job.json()['id']}"))
    assert failed["state"] == "failed"
    assert "nothing" in failed["problem"]
    broken = own.client.post(own.api("manuscripts"), json={"brief": "x", "where": "format ="})
    assert broken.status_code == 400
    assert own.client.post(own.api("manuscripts"), json={"brief": " "}).status_code == 422


def test_jobs_beyond_the_line_are_refused_and_leave_nothing(own, monkeypatch):
    gate = threading.Event()
    slowed(monkeypatch, gate)
    body = {"brief": "Skerry", "outline": OUTLINE}
    jobs = [own.client.post(own.api("manuscripts"), json=body) for _ in range(5)]
    assert [job.status_code for job in jobs] == [202] * 4 + [429]
    assert int(jobs[-1].headers["retry-after"]) >= 1
    assert len(own.client.get(own.api("manuscripts")).json()["manuscripts"]) == 4
    for job in jobs[:4]:
        own.client.post(own.api(f"manuscripts/{job.json()['id']}/cancel"))
    gate.set()
    for job in jobs[:4]:
        assert over(own, own.api(f"manuscripts/{job.json()['id']}"))["state"] == "cancelled"
    assert len(own.library.jobs) == 0


# --- evaluations


def judged(server) -> dict:
    ids = {i["title"]: i["document_id"]
           for i in server.client.get(server.api("documents")).json()["documents"]}  # fmt: skip
    lamp, boat = ids["The lamp of Skerry"], ids["boat"]
    return {
        "questions": [
            {"id": "a", "question": LAMP, "relevant": [lamp], "answers": ["3 May 1871"]},
            {"id": "b", "question": "How long is the boat?", "relevant": [boat],
             "answers": ["9 metres"]},
            {"question": "Who won the cup in Brazil?", "answerable": False},
        ]
    }  # fmt: skip


def test_a_set_is_kept_measured_listed_and_compared(own):
    made = own.client.put(own.api("evaluations/sets/skerry"), json=judged(own))
    assert made.status_code == 201
    assert made.json() == {"name": "skerry", "questions": 3, "judged": 2}
    runs = []
    for body in (
        {"set": "skerry", "mode": "lexical"},
        {"set": "skerry"},
        {"set": "skerry", "kind": "answers"},
    ):
        job = own.client.post(own.api("evaluations"), json=body)
        assert job.status_code == 202
        name = job.json()["id"]
        seen = stream(own, "GET", own.api(f"evaluations/{name}/events"))
        assert seen[-1][0] == "done"
        assert seen[-1][1]["state"] == "done", seen[-1][1]["problem"]
        runs.append(name)
    shown = own.client.get(own.api(f"evaluations/{runs[1]}")).json()
    assert set(shown) == set(examples.EVALUATION)
    assert shown["measures"]["nDCG@10"] == 1.0
    assert shown["n"] == len(shown["queries"]) == 2
    answers = own.client.get(own.api(f"evaluations/{runs[2]}")).json()
    assert answers["measures"]["containment"] >= 0.5
    assert answers["n"] == 3
    listed = own.client.get(own.api("evaluations")).json()
    assert {row["name"] for row in listed["runs"]} == set(runs)
    assert set(listed) == set(examples.EVALUATIONS)
    assert set(listed["runs"][0]) == set(examples.EVALUATIONS["runs"][0])
    assert listed["sets"] == [{"name": "skerry", "questions": 3, "judged": 2}]
    query = {"with": runs[1], "measure": "nDCG@10"}
    compared = own.client.get(own.api(f"evaluations/{runs[0]}/compare"), params=query).json()
    assert set(compared) == set(examples.COMPARED)
    assert compared["n"] == 2
    assert compared["settings"]["mode"] == ["lexical", "hybrid"]
    changed = own.client.put(own.api("evaluations/sets/skerry"), json=judged(own))
    assert changed.status_code == 201
    assert own.client.delete(own.api("evaluations/sets/skerry")).status_code == 200
    assert own.client.post(own.api("evaluations"), json={"set": "skerry"}).status_code == 404
    assert own.client.delete(own.api(f"evaluations/{runs[0]}")).status_code == 200
    assert own.client.get(own.api(f"evaluations/{runs[0]}")).status_code == 404


def test_a_run_that_the_command_line_saved_is_listed_and_other_files_are_not(own):
    own.client.put(own.api("evaluations/sets/s"), json=judged(own))
    name = own.client.post(own.api("evaluations"), json={"set": "s"}).json()["id"]
    stream(own, "GET", own.api(f"evaluations/{name}/events"))
    folder = own.corpus.store.path / "evaluations"
    (folder / "by-hand.json").write_bytes((folder / f"{name}.json").read_bytes())
    (folder / "other.json").write_text('{"format": 1}')
    listed = own.client.get(own.api("evaluations")).json()["runs"]
    assert {row["name"] for row in listed} == {name, "by-hand"}
    assert own.client.get(own.api("evaluations/other")).status_code == 404


def test_a_set_without_judgements_fails_as_a_run_and_says_why(own):
    body = {"questions": [{"question": "Anything?"}]}
    own.client.put(own.api("evaluations/sets/bare"), json=body)
    name = own.client.post(own.api("evaluations"), json={"set": "bare"}).json()["id"]
    seen = []
    reply = own.client.get(own.api(f"evaluations/{name}/events"))
    if reply.status_code == 200:  # else it is over already, and left nothing
        seen = [line for line in reply.text.splitlines() if line.startswith("data: ")]
        assert "relevant document" in seen[-1]
    assert own.client.get(own.api("evaluations")).json()["runs"] == []
    double = {"questions": [{"id": "a", "question": "x"}, {"id": "a", "question": "y"}]}
    assert own.client.put(own.api("evaluations/sets/two"), json=double).status_code == 422


# --- who may


def test_nobody_sees_what_another_key_keeps(start, tmp_path):
    keys = Keys(tmp_path / "k.json")
    one, two = (
        {"Authorization": f"Bearer {keys.add(name, role='read')}"} for name in ("one", "two")
    )
    server = start(keys)
    server.client.post(server.api("sessions"), json={"name": "mine"}, headers=one)
    asked = server.client.post(
        server.api("sessions/mine/ask"), json={"question": LAMP}, headers=one
    )
    assert asked.status_code == 200
    written = server.client.post(server.api("manuscripts"), json={"brief": "boat"}, headers=one)
    id_ = written.json()["id"]
    assert server.client.get(server.api("sessions"), headers=two).json() == {"sessions": []}
    assert server.client.get(server.api("manuscripts"), headers=two).json() == {"manuscripts": []}
    for path in ("sessions/mine", "sessions/mine/export", f"manuscripts/{id_}",
                 f"manuscripts/{id_}/ledger", f"manuscripts/{id_}/events",
                 f"manuscripts/{id_}/file"):  # fmt: skip
        assert server.client.get(server.api(path), headers=two).status_code == 404, path
    for path in ("sessions/mine", f"manuscripts/{id_}"):
        assert server.client.delete(server.api(path), headers=two).status_code == 404
    over(server, server.api(f"manuscripts/{id_}"), headers=one)
    assert not (server.library.shelves["main"].folder / "sessions" / "mine.json").exists()
    body = {"questions": [{"question": "x"}]}
    put = server.client.put(server.api("evaluations/sets/s"), json=body, headers=one)
    assert put.status_code == 403


HALF = "title != 'Moved'"


def test_what_became_hidden_is_withheld_and_not_remembered(own, tmp_path):
    """A document that a key's filter no longer shows is in no kept turn, text or follow-up."""
    keys = Keys(tmp_path / "k.json")  # the file that `own` looks at
    sent = {"Authorization": f"Bearer {keys.add('half', role='read', where=HALF)}"}
    sent_own = {"Authorization": f"Bearer {keys.add('admin', role='admin')}"}
    note = "# Open\n\nThe signal mast is painted orange since 1990.\n"
    question = "Which colour is the signal mast painted?"
    put = own.client.put(own.api("files/mast.md"), content=note, headers=sent_own)
    assert put.status_code == 201
    id_ = put.json()["documents"][0]["document_id"]
    own.client.post(own.api("sessions"), json={"name": "talk"}, headers=sent)
    first = own.client.post(
        own.api("sessions/talk/ask"), json={"question": question}, headers=sent
    ).json()
    assert "orange" in first["answer"]
    body = {"brief": "The signal mast", "outline": f"# Mast\n\n## The signal mast\n\n{question}\n"}
    job = own.client.post(own.api("manuscripts"), json=body, headers=sent)
    one = own.api(f"manuscripts/{job.json()['id']}")
    assert over(own, one, headers=sent)["state"] == "done"
    assert "orange" in own.client.get(f"{one}/ledger", headers=sent).text
    moved = note.replace("Open", "Moved")
    own.client.put(own.api("files/mast.md"), content=moved, headers=sent_own)
    for path in (
        own.api("sessions/talk"),
        own.api("sessions/talk/export"),
        f"{one}/ledger",
        f"{one}/file",
        f"{one}/events",
    ):
        reply = own.client.get(path, headers=sent)
        assert "orange" not in reply.text, path
    turns = own.client.get(own.api("sessions/talk"), headers=sent).json()["turns"]
    assert turns[0]["withheld"] is True
    assert turns[0]["question"] == question
    follow = own.client.post(
        own.api("sessions/talk/ask"), json={"question": "Since when?"}, headers=sent
    )
    assert "orange" not in follow.text
    assert "1990" not in follow.text
    old = {"id": id_, "version": 2}
    assert own.client.get(own.api("document"), params=old, headers=sent).status_code == 404
    assert own.client.get(own.api("document"), params=old, headers=sent_own).status_code == 200


def test_a_read_only_server_keeps_nothing(start):
    server = start(read_only=True)
    for method, path, body in (
        ("POST", "sessions", {}),
        ("POST", "manuscripts", {"brief": "x"}),
        ("PUT", "evaluations/sets/s", {"questions": [{"question": "x"}]}),
    ):
        reply = server.client.request(method, server.api(path), json=body)
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "read_only"), path
    assert server.client.get(server.api("sessions")).status_code == 200


@pytest.mark.parametrize("path", ["sessions", "manuscripts", "evaluations"])
def test_a_filtered_key_is_told_no_more_than_it_may_know(start, tmp_path, path):
    keys = Keys(tmp_path / "k.json")
    sent = {"Authorization": f"Bearer {keys.add('half', role='admin', where='format != 1')}"}
    server = start(keys)
    status = server.client.get(server.api(path), headers=sent).status_code
    assert status == (403 if path == "evaluations" else 200)
