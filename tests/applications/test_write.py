"""`write` over the library: whatever is drafted, what stands is proved, noted and told once."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

import ragstone
from ragstone.applications.manuscripts.answers import answer_html
from ragstone.applications.manuscripts.docx import docx
from ragstone.applications.manuscripts.html import html
from ragstone.applications.manuscripts.markdown import markdown
from ragstone.applications.manuscripts.reading import read_statements
from ragstone.applications.writing.brief import brief
from ragstone.applications.writing.checking import Stated
from ragstone.applications.writing.choosing import Said
from ragstone.applications.writing.composing import SectionWritten, Written
from ragstone.applications.writing.ledger import Ledger, load, save
from ragstone.applications.writing.manuscript import Manuscript
from ragstone.errors import UsageError
from ragstone.testing.scripted import ScriptedModel

BRIEF = "The lamp of Northmoor and its restoration"
OUTLINE = "# The light\n## When the lamp was first lit\n## Cost of restoring the gallery\n"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Iterator[ragstone.Corpus]:
    path = tmp_path_factory.mktemp("write") / "corpus"
    with ragstone.open(path, llm="none", workers=1) as made:
        made.sync(library)
        yield made


@pytest.fixture(scope="module")
def digest(corpus: ragstone.Corpus) -> Manuscript:
    return corpus.write(BRIEF, llm="none")


def hold(corpus: ragstone.Corpus, manuscript: Manuscript) -> None:
    """The laws of every manuscript."""
    numbers = manuscript.numbers()
    assert sorted(numbers.values()) == list(range(1, len(numbers) + 1))
    for statement in manuscript.statements:
        if statement.stands:
            assert statement.citations
        for citation in statement.citations:
            text = corpus.document(citation.document_id).text
            assert text[citation.span.start : citation.span.end] == citation.quote
    assert [note.number for note in manuscript.notes()] == list(range(1, len(numbers) + 1))
    cited = {c.document_id for s in manuscript.statements for c in s.citations}
    assert cited == {source.document_id for source in manuscript.sources}


def test_a_digest_is_all_quotes_and_tells_nothing_twice(
    corpus: ragstone.Corpus, digest: Manuscript
) -> None:
    hold(corpus, digest)
    assert len(digest.statements) >= 5
    assert all(statement.quoted and statement.stands for statement in digest.statements)
    said = Said()
    for statement in digest.statements:
        assert not said.repeats(statement.text), statement.text
        said.add(statement.text)
    assert "1874" in digest.text


@pytest.mark.parametrize("kind", ["summary", "briefing", "faq", "table"])
def test_every_kind_holds_the_laws(corpus: ragstone.Corpus, kind: str) -> None:
    manuscript = corpus.write(BRIEF, kind=kind, llm="none")
    hold(corpus, manuscript)
    assert not manuscript.abstained
    if kind == "faq":
        assert all(section.heading.endswith("?") for section in manuscript.sections)
    if kind == "table":
        columns = [item.heading for item in manuscript.outline.items]
        for section in manuscript.sections:
            assert [block.label for block in section.blocks] == columns


def test_a_persons_outline_is_followed_and_gaps_are_admitted(corpus: ragstone.Corpus) -> None:
    outline = f"{OUTLINE}## Penguins of the southern ocean\n"
    manuscript = corpus.write(BRIEF, outline=outline, llm="none", words=200)
    hold(corpus, manuscript)
    assert manuscript.title == "The light"
    lit, cost, penguins = manuscript.sections
    assert any("3 September 1874" in statement.text for statement in lit.statements)
    assert any("412,600" in statement.text for statement in cost.statements)
    assert penguins.blocks == ()
    assert "hold nothing about this" in markdown(manuscript)


def test_a_summary_of_one_document_quotes_no_other(corpus: ragstone.Corpus) -> None:
    manuscript = corpus.write("history.html", kind="summary", llm="none")
    hold(corpus, manuscript)
    assert [Path(source.source).name for source in manuscript.sources] == ["history.html"]


def test_where_keeps_to_what_fits(corpus: ragstone.Corpus) -> None:
    manuscript = corpus.write(BRIEF, where="format = 'pdf'", llm="none")
    assert {source.format for source in manuscript.sources} == {"pdf"}
    assert all(note.citation.page for note in manuscript.notes())


def test_a_report_on_one_company_quotes_no_other(tmp_path: Path) -> None:
    for name, spent, staff in (("Astra", "4.1", "930"), ("Bolide", "7.9", "210")):
        (tmp_path / f"{name}.md").write_text(
            f"# {name} annual report\n\n{name} makes valves and sells them abroad.\n\n"
            f"## Spending\n\nCapital expenditure was {spent} million in the year. New presses were"
            " the largest part of capital expenditure.\n\n"
            f"## Staff\n\nThe company employed {staff} people at the end of the year.\n",
            encoding="utf-8",
        )
    with ragstone.open(tmp_path / "corpus", llm="none", workers=1) as two:
        two.sync(tmp_path)
        report = two.write("Capital expenditure of Astra", llm="none")
        table = two.write("Compare Astra and Bolide by capital expenditure, staff", kind="table")
    assert [Path(source.source).name for source in report.sources] == ["Astra.md"]
    assert "4.1 million" in report.text
    spending = table.sections[0].blocks  # no sentence names its company: the document does
    assert "4.1" in spending[0].statements[0].text
    assert "7.9" in spending[1].statements[0].text


def test_a_model_may_lie_but_only_what_is_proved_stands(corpus: ragstone.Corpus) -> None:
    true = "The lamp was first lit on 3 September 1874."
    false = "The lamp was first lit on 3 September 1894."
    model = ScriptedModel(
        f"{true} [1] {false} [1] The moon is made of green cheese. [2] {true} [1]"
    )
    with ragstone.open(corpus.path, llm=model, read_only=True) as reading:
        manuscript = reading.write(BRIEF, outline=OUTLINE)
        hold(reading, manuscript)
    stated = [statement.text for statement in manuscript.statements]
    assert stated.count(true) == 1
    assert false not in stated
    assert not any("cheese" in text for text in stated)
    removed = {statement.text: statement for statement in manuscript.removed}
    assert removed[false].verdict == "contradicted" or removed[false].reason
    # what the model wrote for the second section was all removed: there the quotes stand
    assert all(statement.quoted for statement in manuscript.sections[1].statements)
    assert manuscript.sections[1].blocks


def test_a_small_model_is_not_let_write(corpus: ragstone.Corpus) -> None:
    model = ScriptedModel("The trust was founded on Mars in 1066 by kings.", capable=False)
    with ragstone.open(corpus.path, llm=model, read_only=True) as reading:
        manuscript = reading.write(BRIEF)
        hold(reading, manuscript)
    assert all(statement.quoted for statement in manuscript.statements)


def test_failed_sentences_are_marked_where_that_is_wished(corpus: ragstone.Corpus) -> None:
    model = ScriptedModel("The lamp was first lit on 3 September 1874. [1] Whales sang in Latin.")
    asked = brief(BRIEF, failed_claims="mark")
    with ragstone.open(corpus.path, llm=model, read_only=True) as reading:
        *_, end = reading.write_stream(asked, outline=OUTLINE)
    assert isinstance(end, Written)
    whales = [s for s in end.manuscript.statements if "Whales" in s.text]
    assert whales
    assert not whales[0].stands
    assert "[unproved]" in markdown(end.manuscript)
    assert "[unproved]" in html(end.manuscript)


def test_interrupted_work_goes_on_where_it_stood(corpus: ragstone.Corpus, tmp_path: Path) -> None:
    asked = brief(BRIEF)
    whole = next(e for e in corpus.write_stream(asked, llm="none") if isinstance(e, Written))
    place = tmp_path / "ledger.json"
    for event in corpus.write_stream(asked, llm="none"):
        if isinstance(event, SectionWritten) and len(event.manuscript.sections) == 2:
            save(Ledger(event.manuscript, "x", complete=False), place)
            break
    half = load(place)
    assert len(half.manuscript.sections) == 2
    events = list(corpus.write_stream(asked, llm="none", resume=half.manuscript))
    resumed = events[-1].manuscript
    assert resumed.outline == whole.manuscript.outline
    assert resumed.sections[:2] == whole.manuscript.sections[:2]
    assert len(resumed.sections) == len(whole.manuscript.sections)
    hold(corpus, resumed)


def test_what_is_nowhere_is_not_written_about(corpus: ragstone.Corpus) -> None:
    manuscript = corpus.write("Zymurgy xylophones quasars", llm="none")
    assert manuscript.abstained
    assert manuscript.statements == ()


@pytest.mark.parametrize(("suffix", "made"), [(".md", markdown), (".html", html), (".docx", docx)])
def test_what_was_written_is_read_back_sentence_by_sentence(
    corpus: ragstone.Corpus, digest: Manuscript, tmp_path: Path, suffix: str, made: object
) -> None:
    data = made(digest)
    path = tmp_path / f"manuscript{suffix}"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    stated = read_statements(path, [statement.text for statement in digest.statements])
    report = corpus.check(Ledger(digest, "x", complete=True), stated)
    assert report.unchanged == len(digest.statements)
    assert (report.changed, report.gone, report.stale) == ((), (), ())


def test_only_what_was_edited_is_judged(corpus: ragstone.Corpus, digest: Manuscript) -> None:
    class Counting:
        name = "counting"

        def __init__(self) -> None:
            self.judged: list[str] = []

        def judge(self, claim, evidence):
            self.judged.append(claim.text)
            return inner.judge(claim, evidence)

    from ragstone.applications.writing.checking import check

    stated = [Stated(s.text, (), "One") for s in digest.statements[1:]]
    true = Stated("Work began in May 1871.", (), "One")
    false = Stated("Work began in May 1971.", (), "One")
    with corpus.snapshot() as snapshot:
        parts = corpus._parts.components(snapshot, None)
        inner = parts.judge
        counting = Counting()
        report = check(
            Ledger(digest, "x", complete=True), [*stated, true, false],
            replace(parts, judge=counting),
        )  # fmt: skip
    assert set(counting.judged) == {true.text, false.text}
    assert report.gone == digest.statements[:1]
    assert [statement.stands for statement in report.changed] == [True, False]
    again = corpus.check(report.ledger, [*stated, true])
    assert again.changed == ()


def test_the_page_asks_nothing_of_others_and_every_note_opens(digest: Manuscript) -> None:
    page = html(digest)
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    for note in digest.notes():
        assert f'popovertarget="q{note.number}"' in page
        assert f'id="q{note.number}"' in page
        assert f'id="n{note.number}"' in page


def test_the_docx_has_real_footnotes_in_order(digest: Manuscript, tmp_path: Path) -> None:
    path = tmp_path / "manuscript.docx"
    path.write_bytes(docx(digest))
    w = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for data in parts.values():
        etree.fromstring(data)
    body = etree.fromstring(parts["word/document.xml"])
    marks = [int(node.get(f"{w}id")) for node in body.iter(f"{w}footnoteReference")]
    assert marks == list(range(1, len(digest.notes()) + 1))
    notes = etree.fromstring(parts["word/footnotes.xml"])
    texts = {
        int(node.get(f"{w}id")): "".join(t.text or "" for t in node.iter(f"{w}t"))
        for node in notes.iter(f"{w}footnote")
    }
    for note in digest.notes():
        assert " ".join(note.citation.quote.split()) in texts[note.number]
    assert b"PAGE" in parts["word/footer1.xml"]  # pages are numbered
    from ragstone.documents import read

    (document,) = read(path)
    assert document.title == digest.title
    assert digest.statements[0].text.replace("`", "") in " ".join(document.text.split())
    assert docx(digest) == docx(digest)


def test_a_table_of_a_docx_repeats_its_head_and_cuts_no_row(corpus: ragstone.Corpus) -> None:
    table = corpus.write(BRIEF, kind="table", llm="none")
    with zipfile.ZipFile(io.BytesIO(docx(table))) as archive:
        body = etree.fromstring(archive.read("word/document.xml"))
    w = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    rows = list(body.iter(f"{w}tr"))
    assert [row.find(f"{w}trPr/{w}tblHeader") is not None for row in rows] == [
        place == 0 for place in range(len(rows))
    ]
    assert all(row.find(f"{w}trPr/{w}cantSplit") is not None for row in rows)
    assert 'data-item="' in html(table)  # on a narrow page each cell says of what it is


def test_no_note_is_parted_from_the_word_it_follows(digest: Manuscript) -> None:
    page = html(digest)
    last = digest.statements[0].text.rsplit(" ", 1)[1]
    assert f'<span class="last">{last}<sup>' in page


def test_answers_and_manuscripts_show_themselves(
    corpus: ragstone.Corpus, digest: Manuscript
) -> None:
    answer = corpus.ask("When was the lamp first lit?", llm="none")
    shown = answer._repr_html_()
    assert shown == answer_html(answer)
    assert "3 September 1874" in shown
    assert "<mark>" in shown
    assert digest._repr_html_().startswith("<iframe")


def test_a_ledger_that_is_none_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"schema": 99}))
    with pytest.raises(UsageError, match="no claim ledger"):
        load(path)
    with pytest.raises(UsageError, match="There is no claim ledger"):
        load(tmp_path / "missing.json")
