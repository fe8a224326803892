"""A filter that could never pass a document is an error that says what to write."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ragstone.corpus import Batch, Prepared, Store, fingerprint, parse_where
from ragstone.errors import UsageError
from ragstone.testing.hashing import HashingEncoder
from ragstone.testing.reading import chunk_paragraphs
from ragstone.types import Document

ENCODER = HashingEncoder(32)
LABELS = (
    {"author": "Ada", "year": 2019, "published": "2024-05-01", "team": "a", "sealed": True},
    {"author": "Bea", "year": "2021", "published": "2023", "team": "b", "pages": 7},
    {"author": "Cid", "year": 2022, "team": "b", "pages": 9},
)


def filled(folder: Path, labels=LABELS) -> Store:
    store = Store.open(folder, encoder_identity=ENCODER.identity, dim=ENCODER.dim, create=True)
    batch = Batch()
    for number, label in enumerate(labels):
        item = Document(
            f"d{number}", f"/docs/{number}", "1984", "A lamp.", "text", (), dict(label), "en"
        )
        passages = tuple(chunk_paragraphs(item))
        digest = hashlib.sha256(b"A lamp.").digest()[:16]
        batch.vectors[digest] = ENCODER.encode_passages(["A lamp."])[0]
        batch.puts.append(
            Prepared(item, item.source, passages, (digest,), fingerprint(item, item.source, ""))
        )
    with store.writer() as writer:
        writer.commit(batch)
        writer.publish()
    return store


@pytest.fixture
def snapshot(tmp_path):
    with filled(tmp_path / "c") as store, store.snapshot() as snapshot:
        yield snapshot


@pytest.mark.parametrize(
    ("expression", "says", "remedy"),
    [
        ("date > 5", "A date cannot be compared with 5", "date >= 2024-05"),
        ("date = 'yesterday'", "compared with 'yesterday'", "date >= 2024-05"),
        ("date IN (2019, 20190517)", "compared with 20190517", "date >= 2024-05"),
        ("NOT Date <= 2024-13", "compared with '2024-13'", "date >= 2024-05"),
        ("author > 5", "a text such as 'Ada', never like 5", "author > '5'"),
        ("author != 5", "a text such as 'Ada'", "author = '5'"),
        ("(published > 2024) WITHIN (team = 'a')", "such as '2024-05-01'", "published > '2024'"),
        ("format IN (1, 2)", "a text such as 'text'", "format = '1'"),
        ("pages > 'many'", "a number such as", "pages > "),
        ("pages >= 2019-05", "a number such as", "pages >= "),
        ("(year > 'x') WITHIN (team = 'a')", "a number such as 2019", "year > 2019"),
    ],
)
def test_a_value_of_a_kind_that_the_field_never_has(snapshot, expression, says, remedy):
    with pytest.raises(UsageError) as caught:
        list(snapshot.documents(parse_where(expression)))
    assert says in str(caught.value)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("year > 2020", ["d1", "d2"]),
        ("year > 'x'", []),  # one year is written as a text
        ("title = 1984", ["d0", "d1", "d2"]),
        ("pages > '8'", ["d2"]),
        ("pages = 'many'", []),  # to be equal to a text is no question of kind
        ("pages LIKE '_'", ["d1", "d2"]),
        ("published >= 2023", ["d1"]),
        ("sealed = TRUE", ["d0"]),
        ("date >= 2024 OR date = '2024-05-01 10:00' OR date < 2024-05-01T10:00", ["d0", "d1"]),
    ],
)
def test_a_value_that_some_document_could_have(snapshot, expression, expected):
    assert [info.id for info in snapshot.documents(parse_where(expression))] == expected


def test_without_documents_every_value_is_as_good(tmp_path):
    with filled(tmp_path / "c", labels=()) as store, store.snapshot() as snapshot:
        assert list(snapshot.documents(parse_where("author > 5 AND pages > 'many'"))) == []
