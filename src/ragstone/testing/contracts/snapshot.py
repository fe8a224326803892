"""What every `protocols.Snapshot` must do, as plain functions that raise AssertionError.

The seam behind which a corpus may live elsewhere: a suite for a second implementation. The caller
fills a corpus with `DOCUMENTS`, each paragraph a passage, by an encoder of its choice.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ragstone.errors import RagstoneError, UsageError
from ragstone.protocols import Encoder, Filter, Snapshot
from ragstone.types import Document

DOCUMENTS = (
    Document("cats", "/d/cats.txt", "Cats", "A cat sleeps.\n\nCats hunt mice at night.", "text",
             metadata={"year": 2019}),
    Document("dogs", "/d/dogs.txt", "Dogs", "A dog barks.\n\nThe dog and the cat play.", "text",
             metadata={"year": 2021}),
    Document("money", "/d/sub/money.md", "Money", "Interest rates rose in 2021.", "markdown"),
)  # fmt: skip


def check_snapshot(
    snapshot: Snapshot, encoder: Encoder, parse_where: Callable[[str], Filter]
) -> None:
    """All laws in turn, on a snapshot of a corpus that holds `DOCUMENTS`; it stays open."""
    holds_what_was_put_in(snapshot)
    finds_documents_by_name(snapshot)
    quotes_are_slices(snapshot)
    ranks_best_first(snapshot, encoder)
    filters_before_ranking(snapshot, encoder, parse_where)
    gives_vectors_in_order(snapshot, encoder)


def holds_what_was_put_in(snapshot: Snapshot) -> None:
    """Every document comes back equal, and its description fits it."""
    infos = {info.id: info for info in snapshot.documents()}
    assert set(infos) == {document.id for document in DOCUMENTS}
    for document in DOCUMENTS:
        assert snapshot.document(document.id) == document
        info = infos[document.id]
        assert (info.source, info.title, info.format) == (
            document.source, document.title, document.format,
        )  # fmt: skip
        assert info.characters == len(document.text)
        assert info.passages == document.text.count("\n\n") + 1
        assert info.version <= snapshot.version


def finds_documents_by_name(snapshot: Snapshot) -> None:
    """By id, by source, by the ending of a source; else a UsageError that says what is near."""
    for name in ("money", "/d/sub/money.md", "sub/money.md", "money.md"):
        assert snapshot.find(name).id == "money"
    for name, says in (("mony.md", "money.md"), ("nothing at all", "")):
        said = ""
        try:
            snapshot.find(name)
        except UsageError as error:
            said = str(error)
        assert said, f"{name!r} was found"
        assert says in said


def quotes_are_slices(snapshot: Snapshot) -> None:
    """`document.text[span] == passage.text` for every passage that is found."""
    for scored in snapshot.lexical("cat dog rates", 50):
        ((passage, info),) = snapshot.fetch([scored.key])
        assert passage.span.of(snapshot.document(info.id).text) == passage.text
        assert passage.document_id == info.id
        assert passage.key == scored.key


def ranks_best_first(snapshot: Snapshot, encoder: Encoder) -> None:
    """At most k, best first, each once; k = 0 and unknown words give nothing."""
    vector = encoder.encode_queries(["cat"])[0]
    for found in (snapshot.lexical("cat", 3), snapshot.dense(vector, 3)):
        assert 0 < len(found) <= 3
        scores = [scored.score for scored in found]
        assert scores == sorted(scores, reverse=True)
        assert len({scored.key for scored in found}) == len(found)
    fetched = snapshot.fetch([scored.key for scored in snapshot.lexical("cat", 9)])
    assert {passage.document_id for passage, _ in fetched} == {"cats", "dogs"}
    assert len(snapshot.dense(vector, 100)) == sum(d.text.count("\n\n") + 1 for d in DOCUMENTS)
    assert list(snapshot.lexical("cat", 0)) == list(snapshot.lexical("zyzzyva", 5)) == []


def filters_before_ranking(
    snapshot: Snapshot, encoder: Encoder, parse_where: Callable[[str], Filter]
) -> None:
    """With k = 1, the best that passes is found however many better ones do not pass."""
    where = parse_where("year >= 2020")
    vector = encoder.encode_queries(["Cats hunt mice at night."])[0]
    for found in (snapshot.lexical("cat hunt mice", 1, where), snapshot.dense(vector, 1, where)):
        ((_, info),) = snapshot.fetch([scored.key for scored in found])
        assert info.id == "dogs"
    assert [info.id for info in snapshot.documents(where)] == ["dogs"]


def gives_vectors_in_order(snapshot: Snapshot, encoder: Encoder) -> None:
    """Stored vectors, in the order asked; their products are the scores of `dense`."""
    vector = encoder.encode_queries(["dog"])[0]
    found = snapshot.dense(vector, 4)
    keys = [scored.key for scored in found][::-1]
    stored = snapshot.vectors(keys)
    assert stored.shape == (len(keys), encoder.dim)
    expected = np.array([scored.score for scored in found][::-1])
    assert np.allclose(stored @ vector, expected, atol=1e-3)
    try:
        snapshot.fetch([2**40])
    except RagstoneError:
        return
    raise AssertionError("a passage that does not exist was fetched")
