"""What a filter hides changes nothing: the same hits and scores as without those documents.

Law: a search under a filter equals, hit for hit and score for score, a search over a corpus that
holds only the documents that pass it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.corpus import Batch, Prepared, Store, fingerprint, parse_where
from ragstone.errors import UsageError
from ragstone.retrieval.retrievers import find_lexical, retriever
from ragstone.testing.hashing import HashingEncoder
from ragstone.testing.reading import chunk_paragraphs, titled_text
from ragstone.types import Document

ENCODER = HashingEncoder(32)
WORDS = st.sampled_from(
    ["lamp", "lamps", "tide", "fog", "bell", "Haus", "Häuser", "running", "the", "Kiss", "Tell"]
)
SENTENCES = st.lists(WORDS, min_size=1, max_size=9).map(" ".join)
TEXTS = st.lists(SENTENCES, min_size=1, max_size=3).map("\n\n".join)
TITLES = st.sampled_from(["Kiss and Tell", "Haus am Meer", "The fog", "bell lamp"])
LABELS = st.fixed_dictionaries({"team": st.sampled_from("abc")}, optional={"secret": st.just(1)})
DOCUMENTS = st.lists(
    st.tuples(TEXTS, TITLES, st.sampled_from(["en", "de", ""]), LABELS), min_size=1, max_size=14
)
LEAVES = st.sampled_from(
    ["team = 'a'", "team IN ('a', 'b')", "title LIKE '%o%'", "language = 'en'", "id LIKE '%1'",
     "language != 'de'"]
)  # fmt: skip
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]}) AND ({two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}) OR ({two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}) WITHIN ({two[1]})"),
        inner.map("NOT ({})".format),
    ),
    max_leaves=4,
)
QUESTIONS = SENTENCES | SENTENCES.map("Where is the {}?".format)


def document(number: int, text: str, title: str, language: str, labels) -> Document:
    return Document(f"d{number}", f"/docs/{number}", title, text, "text", (), labels, language)


def prepared(item: Document) -> Prepared:
    passages = tuple(chunk_paragraphs(item))
    hashes = tuple(
        hashlib.sha256(titled_text(item, passage).encode()).digest()[:16] for passage in passages
    )
    return Prepared(item, "/docs", passages, hashes, fingerprint(item, "/docs", ""))


def put(store: Store, documents: list[Document], removes: tuple[str, ...] = ()) -> None:
    batch = Batch(puts=list(map(prepared, documents)), removes=list(removes))
    for item in batch.puts:
        texts = [titled_text(item.document, passage) for passage in item.passages]
        batch.vectors.update(zip(item.embedded, ENCODER.encode_passages(texts), strict=True))
    with store.writer() as writer:
        writer.commit(batch)
        writer.publish()


def opened(folder: Path) -> Store:
    return Store.open(folder, encoder_identity=ENCODER.identity, dim=ENCODER.dim, create=True)


def found(store: Store, question: str, expression: str | None, k: int):
    """All that a search says, in every mode, but for the keys and the version."""
    where = parse_where(expression) if expression else None
    with store.snapshot() as snapshot:
        hits = {
            mode: [
                (hit.rank, hit.document.id, hit.passage.span, hit.score, dict(hit.scores))
                for hit in retriever(snapshot, ENCODER, mode).retrieve(question, k=k, where=where)
            ]
            for mode in ("hybrid", "lexical", "dense")
        }
        words = find_lexical(snapshot, question, k, where, None)
        return hits, sorted(words.values()), [info.id for info in snapshot.documents(where)]


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, FILTERS, QUESTIONS, st.sampled_from([1, 3, 50]), st.data())
def test_a_search_under_a_filter_is_one_without_what_it_hides(
    tmp_path_factory, rows, expression, question, k, data
):
    """Over random corpora with a history: several segments, replaced and removed documents."""
    base = tmp_path_factory.mktemp("hidden")
    documents = [document(number, *row) for number, row in enumerate(rows)]
    cut = data.draw(st.integers(0, len(documents)))
    again = data.draw(st.integers(0, len(documents) - 1))
    removed = data.draw(st.none() | st.integers(0, len(documents) - 1))
    with opened(base / "whole") as whole, opened(base / "shown") as shown:
        for part in (documents[:cut], documents[cut:]):
            if part:
                put(whole, part)
        latest = document(again, *data.draw(st.sampled_from(rows)))
        gone = () if removed in (None, again) else (f"d{removed}",)
        put(whole, [latest], gone)
        with whole.snapshot() as snapshot:
            passing = [info.id for info in snapshot.documents(parse_where(expression))]
        kept = [item for item in documents if item.id != latest.id] + [latest]
        put(shown, [item for item in kept if item.id in passing and item.id not in gone])
        assert found(whole, question, expression, k) == found(shown, question, None, k)


def test_neither_languages_nor_frequencies_of_hidden_documents_count(tmp_path):
    """What the law forbids, one by one: a stem of another language, a common word, a length."""
    shown = [
        document(1, "the Haus and the lamp", "a", "en", {"team": "a"}),
        document(2, "fog bell fog bell tide", "b", "en", {"team": "a"}),
    ]
    hidden = [
        document(3, "die Häuser " * 30, "c", "de", {"team": "b"}),
        document(4, "lamp " * 9, "d", "en", {"team": "b"}),
    ]
    with opened(tmp_path / "whole") as whole, opened(tmp_path / "shown") as few:
        put(whole, hidden + shown)
        put(few, shown)
        for question in ("Häuser", "lamp fog", "where is the lamp?"):
            same = found(few, question, None, 9)
            assert found(whole, question, "team = 'a'", 9) == same
            assert found(whole, question, None, 9) != same


def test_names_are_found_among_what_passes(tmp_path):
    with opened(tmp_path / "c") as store:
        put(store, [document(1, "lamp", "a", "en", {"team": "a"}),
                    document(11, "fog", "b", "en", {"team": "b"})])  # fmt: skip
        mine = parse_where("team = 'a'")
        with store.snapshot() as snapshot:
            assert snapshot.find("/docs/1", mine).id == "d1"
            for hidden in ("d11", "/docs/11", "11"):
                assert snapshot.find(hidden).id == "d11"
                with pytest.raises(UsageError, match="holds no document") as error:
                    snapshot.find(hidden, mine)
                assert "11" not in str(error.value).replace(repr(hidden), "")


def test_a_field_of_hidden_documents_is_unknown(tmp_path):
    with opened(tmp_path / "c") as store:
        put(store, [document(1, "lamp", "a", "en", {"team": "a"}),
                    document(2, "fog", "b", "en", {"team": "b", "secret": 1})])  # fmt: skip
        with store.snapshot() as snapshot:
            for scope in ("team = 'b'", "language = 'en'"):
                asked = parse_where(f"(secret = 1) WITHIN ({scope})")
                assert [info.id for info in snapshot.documents(asked)] == ["d2"]
            for asked in ("(secret = 1) WITHIN (team = 'a')",
                          "((secret = 1) WITHIN (language = 'en')) WITHIN (team = 'a')",
                          "((secret = 1) WITHIN (team = 'a')) AND id = 'd2'"):  # fmt: skip
                with pytest.raises(UsageError, match="No document has a field 'secret'") as error:
                    list(snapshot.documents(parse_where(asked)))
                assert "secret" not in error.value.remedy
            none = parse_where("(secret = 1) WITHIN (team = 'nobody')")
            assert list(snapshot.documents(none)) == []
