"""The HTTP API over real documents: what is found, cited, listed, uploaded, rolled back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ragstone.serve import examples
from ragstone.serve.app import OPERATIONS

EXAMPLES = Path(__file__).parents[2] / "examples" / "library"


def events(server, body) -> Iterator[tuple[str, dict]]:
    with server.client.stream("POST", server.api("ask/stream"), json=body) as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in reply.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                yield name, json.loads(line[6:])


def text_at(server, document_id, start, end) -> str:
    query = {"id": document_id, "start": start, "end": end}
    return server.client.get(server.api("document"), params=query).json()["text"]


def test_corpora_name_the_caller_and_what_he_may(server):
    found = server.client.get("/api/corpora").json()
    assert found["corpora"] == [
        {"name": "main", "documents": 6, "version": 1, "encoder": "hashing"}
    ]
    assert found["caller"]["role"] == "admin"


def test_search_finds_exact_slices(server):
    found = server.client.post(
        server.api("search"), json={"question": "When was the lamp first lit?", "explain": True}
    ).json()
    assert "first lit on 3 May 1871" in found["hits"][0]["text"]
    for hit in found["hits"]:
        assert text_at(server, hit["document_id"], hit["start"], hit["end"]) == hit["text"]
    assert {stage["name"] for stage in found["stages"]} >= {"lexical", "dense"}


@pytest.mark.parametrize("mode", ["hybrid", "lexical", "dense"])
def test_search_modes_and_filter(server, mode):
    body = {"question": "The boat", "mode": mode, "where": "format = 'text'", "k": 50}
    hits = server.client.post(server.api("search"), json=body).json()["hits"]
    assert hits
    assert all(hit["source"].endswith(".txt") for hit in hits)


def test_every_citation_of_a_stream_is_exact_and_comes_after_its_claim(server):
    seen = list(events(server, {"question": "When was the lamp of Skerry first lit, and by whom?"}))
    names = [name for name, _ in seen]
    assert names[0] == "retrieved"
    assert names[-1] == "done"
    assert "claim" in names
    claims = set()
    for name, data in seen:
        if name == "claim":
            claims.add(data["index"])
        if name == "citation":
            assert data["claim"] in claims
            quoted = text_at(server, data["document_id"], data["start"], data["end"])
            assert quoted == data["quote"]
    answer = seen[-1][1]
    assert answer["answer"] == "".join(data["append"] for name, data in seen if name == "claim")
    assert answer["stages"][0]["name"] == "retrieve"


def test_what_the_documents_do_not_say_is_an_abstention(server):
    seen = dict(events(server, {"question": "Who won the football cup in Brazil?"}))
    assert seen["abstained"]["reason"]
    assert seen["done"]["abstained"] is True
    whole = server.client.post(
        server.api("ask"), json={"question": "Who won the football cup in Brazil?"}
    )
    assert whole.json()["abstained"] is True


def test_ask_equals_the_end_of_the_stream(server):
    body = {"question": "How long is the boat?"}
    whole = server.client.post(server.api("ask"), json=body).json()
    streamed = dict(events(server, body))["done"]
    for name in ("answer", "claims", "citations", "confidence", "version"):
        assert whole[name] == streamed[name]


def test_a_follow_up_is_read_with_the_turns_before(server):
    turns = [{"question": "How long is the boat of the station?", "answer": "It is 9 metres long."}]
    body = {"question": "When was it built?", "turns": turns}
    seen = list(events(server, body))
    given = [(turn["question"], turn["answer"]) for turn in turns]
    assert seen[-1][1]["answer"] == server.corpus.chat(turns=given).ask(body["question"]).text
    understood = next(s for s in seen[-1][1]["stages"] if s["name"] == "understand")
    assert "boat" in understood["notes"]["standalone"]
    assert "Petrel" in seen[-1][1]["hits"][0]["text"]
    whole = server.client.post(server.api("ask"), json=body).json()
    assert whole["answer"] == seen[-1][1]["answer"]


def test_positions_count_code_points_beyond_the_basic_plane(server):
    hit = server.client.post(
        server.api("search"), json={"question": "lens cast in Marseille by Barbier"}
    ).json()["hits"][0]
    whole = text_at(server, hit["document_id"], 0, 10_000)
    at = whole.index("🗼")
    assert text_at(server, hit["document_id"], at, at + 1) == "🗼"
    assert text_at(server, hit["document_id"], at + 2, at + 12) == "by Barbier"


def test_documents_are_paged_filtered_and_sorted(server):
    get = lambda **query: server.client.get(server.api("documents"), params=query).json()  # noqa: E731
    everything = get(limit=500)
    assert everything["total"] == everything["all"] == 6
    titles = [row["title"].casefold() for row in everything["documents"]]
    assert titles == sorted(titles)
    paged = [row for at in range(0, 6, 2) for row in get(offset=at, limit=2)["documents"]]
    assert paged == everything["documents"]
    assert get(format="pdf")["total"] == 1
    assert get(query="skerry LAMP")["documents"][0]["title"] == "The lamp of Skerry"
    assert get(where="format = 'text'")["all"] == 2
    sizes = [row["characters"] for row in get(sort="size")["documents"]]
    assert sizes == sorted(sizes, reverse=True)


def test_a_pdf_page_is_an_image_with_the_words_marked(server):
    pdf = server.client.get(server.api("documents"), params={"format": "pdf"}).json()
    id_ = pdf["documents"][0]["document_id"]
    shown = server.client.get(server.api("document"), params={"id": id_}).json()
    assert shown["has_images"]
    start = shown["text"].index("It cost £412,600")
    query = {"id": id_, "page": 1, "start": start, "end": start + 16}
    marks = server.client.get(server.api("document/marks"), params=query).json()
    assert marks["pages"] == 2
    ((left, top, right, bottom),) = marks["boxes"]
    assert 0 < left < right < 1
    assert 0 < top < bottom < 1
    assert bottom - top < 0.05  # one line
    image = server.client.get(
        server.api("document/page.png"), params={"id": id_, "page": 2, "width": 300}
    )
    assert image.headers["content-type"] == "image/png"
    assert image.content.startswith(b"\x89PNG")
    assert int.from_bytes(image.content[16:20]) == 300
    beyond = server.client.get(server.api("document/page.png"), params={"id": id_, "page": 99})
    assert beyond.status_code == 422


def test_upload_replace_fail_delete(own):
    put = lambda name, data: own.client.put(own.api(f"files/{name}"), content=data)  # noqa: E731
    first = put("tide.md", "# Tides\n\nThe tide rises 6 metres at Skerry.\n")
    assert first.status_code == 201, first.text
    assert first.json()["replaced"] is False
    (document,) = first.json()["documents"]
    again = put("tide.md", "# Tides\n\nThe tide rises 7 metres at Skerry.\n").json()
    assert again["replaced"] is True
    assert "7 metres" in text_at(own, document["document_id"], 0, 1000)
    broken = put("tide.pdf", b"%PDF-1.7 this is no PDF")
    assert broken.status_code == 422
    assert broken.json()["error"]["remedy"]
    assert "tide.pdf is not a PDF" in broken.json()["error"]["message"]
    assert str(own.library.shelves["main"].uploads) not in broken.text
    assert put("empty.md", b"").status_code == 422
    listed = own.client.get(own.api("documents"), params={"query": "tide"}).json()
    assert listed["total"] == 1
    gone = own.client.delete(own.api("document"), params={"id": document["document_id"]})
    assert gone.status_code == 200, gone.text
    assert own.client.get(own.api("documents"), params={"query": "tide"}).json()["total"] == 0
    missing = own.client.get(own.api("document"), params={"id": document["document_id"]})
    assert missing.status_code == 404


def test_a_broken_replacement_leaves_the_document_as_it_was(own):
    good = (EXAMPLES / "restoration-2022.pdf").read_bytes()
    first = own.client.put(own.api("files/report.pdf"), content=good)
    broken = own.client.put(own.api("files/report.pdf"), content=good[:300])
    assert (first.status_code, broken.status_code) == (201, 422)
    text = text_at(own, first.json()["documents"][0]["document_id"], 0, 2000)
    assert "It cost £412,600" in text
    assert (own.library.shelves["main"].uploads / "report.pdf").read_bytes() == good


def test_versions_diff_and_the_way_back(own):
    own.client.put(own.api("files/new.md"), content="# New\n\nThe mast is of larch.\n")
    found = own.client.get(own.api("versions")).json()
    assert found["current"] == 2
    assert [row["version"] for row in found["versions"]] == [2, 1]
    diff = own.client.get(own.api("versions/diff"), params={"from": 1}).json()
    assert diff["counts"] == {"added": 1, "changed": 0, "removed": 0}
    assert diff["added"][0]["source"].endswith("new.md")
    back = own.client.post(own.api("versions/rollback"), json={"version": 1}).json()
    assert back == {"version": 3}
    assert own.client.get(own.api("documents")).json()["all"] == 6
    assert own.client.get(own.api("versions/diff"), params={"from": 77}).status_code == 400
    old = diff["added"][0]["document_id"]
    assert own.client.get(own.api("document"), params={"id": old}).status_code == 404
    then = own.client.get(own.api("document"), params={"id": old, "version": 2})
    assert "larch" in then.json()["text"]


def test_health_ready_and_metrics(server):
    assert server.client.get("/health").json()["status"] == "ok"
    assert server.client.get("/ready").json() == {"ready": True}
    server.client.post(server.api("search"), json={"question": "lamp"})
    text = server.client.get("/metrics").text
    assert 'ragstone_requests_total{method="POST",route="/api/corpora/{corpus}/search"' in text
    assert "ragstone_stage_seconds_bucket" in text
    assert "lamp" not in text


def test_examples_have_the_keys_of_real_replies(server):
    """The published examples promise keys; the real replies have exactly them."""
    question = {"question": "When was the lamp first lit?"}
    id_ = server.client.get(server.api("documents")).json()["documents"][0]["document_id"]
    pdf = server.client.get(server.api("documents"), params={"format": "pdf"}).json()
    pdf_id = pdf["documents"][0]["document_id"]
    get = lambda path, **query: server.client.get(path, params=query).json()  # noqa: E731
    real = {
        "SEARCH": server.client.post(server.api("search"), json=question).json(),
        "ANSWER": server.client.post(server.api("ask"), json=question).json(),
        "DOCUMENTS": get(server.api("documents")),
        "DOCUMENT": get(server.api("document"), id=id_),
        "MARKS": get(server.api("document/marks"), id=pdf_id, page=1),
        "VERSIONS": get(server.api("versions")),
        "DIFF": get(server.api("versions/diff"), **{"from": 1}),
        "CORPORA": get("/api/corpora"),
    }
    for name, reply in real.items():
        assert shape(getattr(examples, name)) <= shape(reply) | SPARSE, name
        assert set(reply) == set(getattr(examples, name)), name


SPARSE = {"scores.dense", "scores.lexical", "timings_ms.retrieve"}  # depend on the stages run


def shape(value, path="") -> set[str]:
    if not isinstance(value, dict):
        return set()
    found = set()
    for name, inner in value.items():
        if path not in ("hits", "metadata", "formats", "timings_ms", "scores"):
            found |= {f"{path}.{name}".strip(".")}
            found |= shape(inner, name)
    return found


def test_the_description_names_every_operation_with_an_example(server):
    published = server.client.get("/openapi.json").json()
    for operation in OPERATIONS:
        path = operation.path.replace(":path}", "}")
        described = published["paths"][path][operation.method.lower()]
        body = described.get("requestBody", {}).get("content", {}).get("application/json")
        assert body is None or body["examples"]
        assert all("example" in parameter for parameter in described["parameters"])
    ids = [each["operationId"] for path in published["paths"].values() for each in path.values()]
    assert len(ids) == len(set(ids)) == len(OPERATIONS)


def test_pages_of_the_list_are_what_a_plain_search_through_all_gives(own):
    """Against the obvious way, over words, formats and orders."""
    for name in ("50%_off.md", "Straße.md", "ÉCOLE.md", "plain.md"):
        assert own.client.put(own.api(f"files/{name}"), content=f"# {name}\n\nText.\n")
    everything = own.corpus.documents()
    for query in ("", "50%", "_", "%", "straße", "école", "lamp SKERRY", "nothing here"):
        words = query.casefold().split()
        wanted = {
            info.id
            for info in everything
            if all(word in f"{info.title}\n{info.source}".casefold() for word in words)
        }
        for sort in ("title", "newest", "size", "source"):
            seen: list[str] = []
            while True:
                asked = {"query": query, "sort": sort, "offset": len(seen), "limit": 3}
                found = own.client.get(own.api("documents"), params=asked).json()
                assert found["total"] == len(wanted), query
                assert found["all"] == len(everything)
                seen += [row["document_id"] for row in found["documents"]]
                if not found["documents"]:
                    break
            assert len(seen) == len(set(seen))
            assert set(seen) == wanted, (query, sort)
