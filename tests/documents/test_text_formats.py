"""What a reader sees is what the text holds, format by format, on small files written here."""

from __future__ import annotations

import json

import pytest

from ragstone.documents.raw import Raw
from ragstone.documents.reading import read_raw
from ragstone.documents.tabular import sniff
from ragstone.types import Document


def one(source: str, name: str) -> Document:
    (document,) = read_raw(Raw(name, name, data=source.encode()))
    return document


def kinds(document: Document, *wanted: str) -> list[tuple[str, int, str]]:
    return [
        (e.kind, e.level, e.span.of(document.text)) for e in document.elements if e.kind in wanted
    ]


PAGE = """<!doctype html><html lang="en-GB"><head><title>Rain in Oslo - The Weather Site</title>
<meta name="author" content="A. Berg"><meta property="article:published_time" content="2024-05-01">
</head><body>
<nav><ul><li><a href=/>Home</a></li><li><a href=/a>About us</a></li></ul></nav>
<div class="sidebar"><a href=1>One link</a> <a href=2>Another link</a></div>
<main><h1>Rain in Oslo</h1><p>It rained on <b>four</b> days&nbsp;&mdash; more
than 10<sup>2</sup> mm.</p>
<p style="display:none">A hidden trap</p><script>var x = "not text";</script>
<ul><li>Umbrella</li><li>Boots<ol start=3><li>left</li><li>right</li></ol></li></ul>
<pre><code class="language-python">def f():
    return 1</code></pre>
<table><caption>Days of rain</caption><tr><th>City</th><th>Days</th></tr>
<tr><td rowspan=2>Oslo</td><td>4</td></tr><tr><td>5</td></tr></table>
<blockquote>So it goes.</blockquote><dl><dt>mm</dt><dd>millimetres</dd></dl></main>
<footer>Copyright. All rights reserved.</footer></body></html>"""


def test_a_page_is_its_content_without_its_frame() -> None:
    document = one(PAGE, "rain.html")
    assert document.title == "Rain in Oslo"
    assert document.language == "en"
    assert document.metadata == {"author": "A. Berg", "date": "2024-05-01"}
    assert document.text == (
        "Rain in Oslo\n\nIt rained on four days — more than 10^2 mm.\n\n"
        "- Umbrella\n- Boots\n  3. left\n  4. right\n\n"
        "def f():\n    return 1\n\n"
        "Days of rain\n\nCity: Oslo; Days: 4\nCity: Oslo; Days: 5\n\n"
        "So it goes.\n\nmm\n  millimetres"
    )
    assert [e.label for e in document.elements if e.kind == "code"] == ["python"]


@pytest.mark.parametrize(
    "page",
    [
        "<p>The body of a simple page.</p>",
        "The body of a simple page.",
        "<div class=menu><p>The body of a simple page.</p></div>",
        "<header>The body of a simple page.</header>",
        "<table><tr><td>The body of a simple page.</td></tr></table>",
        "<nav>The body of a simple page.</nav>",
        "<article><p>Short.</p></article><p>The body of a simple page. " + "More of it. " * 9,
        "<body><aside><p>The body of a simple page.",
    ],
)
def test_the_body_of_a_simple_page_is_never_lost(page: str) -> None:
    assert "The body of a simple page." in one(page, "a.html").text


def test_tables_of_filings_lose_their_spacer_columns_and_keep_signs_with_numbers() -> None:
    row = (
        "<tr><td>{}</td><td></td><td>$</td><td>{}</td><td></td><td>$</td><td>{}</td><td>)</td></tr>"
    )
    page = (
        "<table><tr><td></td><td></td><td colspan=2>2023</td><td></td><td colspan=2>2022</td>"
        "<td></td></tr>"
        + row.format("Revenue", "5", "(4")
        + row.format("Costs", "3", "(2")
        + "</table>"
    )
    assert one(page, "10k.html").text == (
        "Revenue; 2023: $5; 2022: $(4)\nCosts; 2023: $3; 2022: $(2)"
    )


def test_a_huge_colspan_costs_nothing() -> None:
    page = "<table><tr><th colspan=99999999>A<tr><td rowspan=99999999>b<td>c</table>"
    assert "b" in one(page, "a.html").text


MARKDOWN = """---
title: "The Guide"
tags: [rain, wind]
date: 2024-05-01
---
# Guide to *rain*

Some words
on two lines.

Second
------

- one
- two
  - deeper

| City | Days |
|------|------|
| Oslo | 4 |

```python
x = 1
```

> quoted

<!-- a comment -->

[link]: http://example.org
"""


def test_markdown_stays_verbatim_and_its_structure_is_located() -> None:
    document = one(MARKDOWN, "guide.md")
    assert document.text == MARKDOWN
    assert document.title == "The Guide"
    assert document.metadata == {"tags": "rain, wind", "date": "2024-05-01"}
    assert kinds(document, "heading") == [
        ("heading", 1, "Guide to *rain*"),
        ("heading", 2, "Second"),
    ]
    assert [level for _, level, _ in kinds(document, "list_item")] == [1, 1, 2]
    assert kinds(document, "row")[1][2] == "| Oslo | 4 |"
    assert kinds(document, "code")[0][2] == "```python\nx = 1\n```"
    furniture = " ".join(text for *_, text in kinds(document, "furniture"))
    assert "a comment" in furniture
    assert "example.org" in furniture
    assert "title:" in furniture


RST = """=======
Handbook
=======

:Author: A. Berg

Intro paragraph::

    literal = True

Install
=======

1. first
2. second
   goes on

.. code-block:: bash

   run me

.. note:: Take care.

.. a comment

+------+------+
| City | Days |
+------+------+

Deeper
------

Text with `a link <http://x.org>`_.
"""


def test_restructured_text_stays_verbatim_and_its_structure_is_located() -> None:
    document = one(RST, "handbook.rst")
    assert document.text == RST
    assert document.title == "Handbook"
    assert document.metadata == {"author": "A. Berg"}
    assert kinds(document, "heading") == [
        ("heading", 1, "Handbook"), ("heading", 2, "Install"), ("heading", 3, "Deeper"),
    ]  # fmt: skip
    code = [text for *_, text in kinds(document, "code")]
    assert "literal = True" in code[0]
    assert "run me" in code[1]
    assert [text for *_, text in kinds(document, "list_item")] == [
        "1. first", "2. second\n   goes on",
    ]  # fmt: skip
    assert kinds(document, "furniture")[0][2] == ".. a comment"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_rows_of_a_table_read_alone(delimiter: str) -> None:
    rows = [["Name", "Age", "City"], ["Ann", "30", "Oslo"], ["Bo", "", "Bergen"]]
    source = "\n".join(delimiter.join(row) for row in rows)
    assert sniff(source.split("\n")) == delimiter
    document = one(source, "people.csv")
    assert document.text == "Name: Ann; Age: 30; City: Oslo\nName: Bo; City: Bergen"
    assert [level for _, level, _ in kinds(document, "row")] == [1, 2]


def test_tables_without_names_or_with_a_title() -> None:
    assert one("1,2\n3,4\n", "a.csv").text == "1; 2\n3; 4"
    titled = one("Cups,,\nTeam,City,Won\nReds,Oslo,1\n", "a.csv")
    assert titled.title == "Cups"
    assert titled.text == "Cups\n\nTeam: Reds; City: Oslo; Won: 1"
    quoted = one('Name,Says\nAnn,"one, two\nthree"\n', "a.csv")
    assert quoted.text == "Name: Ann; Says: one, two three"


def test_json_is_lines_with_their_paths() -> None:
    value = {"name": "Ann", "home": {"city": "Oslo"}, "tags": ["a", "b"], "pets": [{"kind": "cat"}]}
    text = one(json.dumps(value), "a.json").text
    assert "home.city: Oslo" in text
    assert "tags: a, b" in text
    assert "kind: cat" in text
    flat = one(json.dumps([{"a": 1, "b": None}, {"a": 2, "b": True}]), "a.json")
    assert flat.text == "a: 1; b: null\na: 2; b: true"


def test_xml_of_data_and_of_prose() -> None:
    data = "<f><c><name>Chad</name><size>9</size></c><c><name>Peru</name><size>8</size></c></f>"
    assert one(data, "a.xml").text == "name: Chad; size: 9\nname: Peru; size: 8"
    prose = (
        "<article><title>On rain</title><sec><title>Why</title><p>It <i>falls</i> down.</p></sec>"
        "</article>"
    )
    document = one(prose, "a.xml")
    assert document.title == "On rain"
    assert document.text == "On rain\n\nWhy\n\nIt falls down."


def test_entities_of_xml_are_not_expanded() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "boom"><!ENTITY y SYSTEM "file:///etc/passwd">]><a><b>s&x;&y;t</b></a>'
    text = one(bomb, "a.xml").text
    assert "root:" not in text
    assert "boom" not in text


def test_a_notebook_is_its_cells_in_order() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Study\n", "\n", "Words."]},
        {"cell_type": "code", "source": "print(6 * 7)",
         "outputs": [{"output_type": "stream", "text": ["42\n"]}, {"data": {"image/png": "xx"}}]},
    ]  # fmt: skip
    document = one(json.dumps({"cells": cells, "metadata": {}}), "study.ipynb")
    assert document.text == "# Study\n\nWords.\n\nprint(6 * 7)\n\n42"
    assert document.title == "Study"
    assert [e.kind for e in document.elements] == ["heading", "paragraph", "code", "note"]


def test_code_is_verbatim_with_its_definitions_as_headings() -> None:
    source = "import os\n\nclass Rain(Base):\n    def fall(self, mm: int) -> None:\n        pass\n"
    document = one(source, "rain.py")
    assert document.text == source
    assert document.title == "rain.py"
    assert kinds(document, "heading") == [
        ("heading", 1, "class Rain"), ("heading", 2, "def fall"),
    ]  # fmt: skip


def test_outlines_mark_their_headings() -> None:
    org = "#+TITLE: Notes\n* Top\ntext\n** Under\n#+BEGIN_SRC sh\n* no heading\n#+END_SRC\n"
    document = one(org, "notes.org")
    assert document.title == "Notes"
    assert kinds(document, "heading") == [("heading", 1, "Top"), ("heading", 2, "Under")]


def test_titles_of_two_lines_are_headings_and_open_no_code() -> None:
    text = (
        "git-lamp(1)\n===========\n\nNAME\n----\ngit-lamp - Light it\n\nUSES\n----\n"
        "Tide\n~~~~~\nA table of hours.\n\n[source,sh]\n----\nUSES\n----\n\n"
        "Not one\n---\n\n----\ngit lamp\n----\n"
    )
    document = one(text, "git-lamp.adoc")
    said = [(e.kind, e.level, e.span.of(text)) for e in document.elements]
    assert said == [
        ("heading", 1, "git-lamp(1)"),
        ("heading", 2, "NAME"),
        ("heading", 2, "USES"),
        ("heading", 3, "Tide"),
        ("code", 0, "[source,sh]\n----\nUSES\n----"),
        ("code", 0, "----\ngit lamp\n----"),
    ]
    assert document.title == "git-lamp(1)"


def test_a_header_like_a_message_s_says_what_a_text_is() -> None:
    text = (
        "PEP: 8\nTitle: Style Guide\nAuthor: Guido <g@x.org>,\n        Barry <b@x.org>\n"
        "Post-History:\nCreated: 05-Jul-2001\n\nIntroduction\n============\n\nLines are short.\n"
    )
    document = one(text, "pep-0008.rst")
    assert document.title == "Style Guide"
    assert document.metadata == {"author": "Guido <g@x.org>,", "date": "2001-07-05"}
    assert [e.kind for e in document.elements] == ["header", "heading", "paragraph"]
    for other in ("Note: this\nis prose.\n", "Note: alone.\n", "- a\n- b\n"):
        assert one(other, "a.rst").elements[0].kind != "header"
