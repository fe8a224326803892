"""What is embedded around a passage: a table's header for the rows that stand below it."""

from pathlib import Path

import pytest

from ragstone.documents import chunk, embedding_text, read, table_header
from ragstone.testing.hashing import HashingEncoder

spans = HashingEncoder().token_spans

ROWS = [(f"Item {n}", f"{n * 7} grams of it") for n in range(1, 60)]


def markdown() -> str:
    lines = ["# Weights", "", "| Name | Weight |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {weight} |" for name, weight in ROWS), "", "After."])


def simple() -> str:
    rule = f"{'=' * 10}  {'=' * 20}"
    rows = [f"{name:<10}  {weight}" for name, weight in ROWS]
    return "\n".join(
        ["Weights", "=======", "", rule, "Name        Weight", rule, *rows, rule, "", "After."]
    )


def grid() -> str:
    rule = f"+{'-' * 12}+{'-' * 22}+"
    rows = [line for n, w in ROWS for line in (f"| {n:<10} | {w:<20} |", rule)]
    head = ["Weights", "=======", "", rule, f"| {'Name':<10} | {'Weight':<20} |"]
    return "\n".join([*head, rule.replace("-", "="), *rows, "", "After."])


@pytest.mark.parametrize(
    ("name", "text"), [("a.md", markdown()), ("a.rst", simple()), ("b.rst", grid())]
)
def test_rows_below_a_header_are_embedded_with_it(tmp_path: Path, name: str, text: str):
    path = tmp_path / name
    path.write_text(text)
    (document,) = read(path)
    passages = chunk(document, token_spans=spans, max_tokens=60, target_tokens=40)
    inside = [p for p in passages if "Item" in p.text and "Name" not in p.text]
    assert len(inside) > 5
    for passage in passages:
        header = table_header(document, passage)
        assert header == ("Name; Weight" if passage in inside else "")
        said = embedding_text(document.title, passage, header=header)
        assert said.endswith(passage.text)
        assert said.count("Name; Weight") == (passage in inside)


def test_a_table_without_a_header_has_none(tmp_path: Path):
    rule = f"{'=' * 10}  {'=' * 20}"
    path = tmp_path / "a.rst"
    path.write_text("\n".join([rule, *(f"{n:<10}  {w}" for n, w in ROWS), rule]))
    (document,) = read(path)
    for passage in chunk(document, token_spans=spans, max_tokens=60, target_tokens=40):
        assert table_header(document, passage) == ""


def test_rows_that_name_their_columns_need_no_header(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["Name,Weight", *(f"{n},{w}" for n, w in ROWS)]))
    (document,) = read(path)
    passages = chunk(document, token_spans=spans, max_tokens=60, target_tokens=40)
    assert len(passages) > 5
    assert all("Name: Item" in passage.text for passage in passages)
    assert {table_header(document, passage) for passage in passages} == {""}
