"""The filter language: against Python's own evaluation, its errors, and attempts at injection."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.corpus.where import Both, Compare, Not, as_number
from ragstone.corpus.where_parser import parse_where
from ragstone.errors import UsageError

DOCUMENTS = [
    {
        "id": "a",
        "source": "/x/a.pdf",
        "format": "pdf",
        "title": "Report 2019",
        "year": 2019,
        "date": "2019-05-17",
    },
    {
        "id": "b",
        "source": "/x/b.md",
        "format": "md",
        "title": "Notes",
        "year": "2021",
        "date": "2021",
    },
    {
        "id": "c",
        "source": "/y/c.md",
        "format": "md",
        "title": "it's 100%",
        "lang": "de",
        "date": "",
    },
    {
        "id": "d",
        "source": "/y/d.txt",
        "format": "text",
        "title": "",
        "done": True,
        "date": "2020-12-31T23:59:00Z",
    },
]


def matching(expression: str) -> list[str]:
    connection = sqlite3.connect(":memory:")
    connection.create_function("as_number", 1, as_number)
    connection.execute(
        "CREATE TABLE documents (id, source, title, format, language, date, metadata)"
    )
    import json

    for document in DOCUMENTS:
        extra = {k: v for k, v in document.items() if k in ("year", "lang", "done")}
        connection.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, '', ?, ?)",
            (document["id"], document["source"], document["title"], document["format"],
             document["date"], json.dumps(extra)),
        )  # fmt: skip
    condition, parameters = parse_where(expression).sql()
    found = connection.execute(
        f"SELECT id FROM documents WHERE {condition} ORDER BY id", parameters
    )
    result = [id for (id,) in found]
    connection.close()
    return result


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("year >= 2019 AND format IN ('pdf','md')", "ab"),
        ("year >= 2020", "b"),
        ("format = 'md' or format='text'", "bcd"),
        ("NOT format = 'md'", "ad"),
        ("format != 'md'", "ad"),
        ("year != 2019", "bcd"),
        ("path LIKE '/x/%'", "ab"),
        ("title like '%REPORT%'", "a"),
        ("title = 'it''s 100%'", "c"),
        ("date >= 2020", "bd"),
        ("date < 2021", "ad"),
        ("date = 2019-05", "a"),
        ("date > '2019-05-16' AND date <= 2020-12-31", "ad"),
        ("date IN (2019, 2021)", "ab"),
        ("done = TRUE", "d"),
        ("lang = 'de'", "c"),
        ("lang NOT IN ('de')", "abd"),
        ("id IN ('a', 'd', 7)", "ad"),
        ("NOT (id = 'a' OR id = 'b') AND NOT id = 'c'", "d"),
        ('"year" = 2021', "b"),
        ("title = ''; DROP TABLE documents; --'", None),
        ("title = '''; DROP TABLE documents; --'", ""),
    ],
)
def test_what_passes(expression, expected):
    if expected is None:
        with pytest.raises(UsageError):
            matching(expression)
    else:
        assert "".join(matching(expression)) == expected


@pytest.mark.parametrize(
    ("expression", "position", "says"),
    [
        ("format = ", 10, "a value"),
        ("= 3", 1, "a field"),
        ("format 'pdf'", 8, "one of ="),
        ("format = 'pdf", 10, "not closed"),
        ("(format = 'pdf'", 16, "')'"),
        ("format = 'pdf' title = 'x'", 16, "AND, OR"),
        ("format IN 'pdf'", 11, "'('"),
        ("title LIKE 3", 12, "pattern"),
        ("a = 1 AND ? = 2", 11, "Not understood"),
        ("", 1, "a field"),
    ],
)
def test_errors_point_at_the_position(expression, position, says):
    with pytest.raises(UsageError, match=f"position {position}:") as caught:
        parse_where(expression)
    assert says in str(caught.value)


def test_limits_are_errors_and_not_crashes():
    for expression in ("(" * 5000 + "a=1" + ")" * 5000, " OR ".join(["a=1"] * 2000), "x" * 30000):
        with pytest.raises(UsageError):
            parse_where(expression)
    assert matching("id IN (" + ", ".join(f"'{n}'" for n in range(2000)) + ", 'a')") == ["a"]


FIELDS = st.sampled_from(["id", "title", "format", "year"])
VALUES = st.one_of(st.text(max_size=8), st.integers(-(10**6), 10**6))


def written(node) -> str:
    if isinstance(node, Not):
        return f"NOT ({written(node.inner)})"
    if isinstance(node, Both):
        return f"({written(node.left)}) {node.operator} ({written(node.right)})"
    value = node.values[0]
    quoted = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
    return f"{node.field} {node.operator} {quoted}"


def holds(node, document) -> bool:
    if isinstance(node, Not):
        return not holds(node.inner, document)
    if isinstance(node, Both):
        sides = (holds(node.left, document), holds(node.right, document))
        return all(sides) if node.operator == "AND" else any(sides)
    have, value = document.get(node.field), node.values[0]
    if have is None:
        return False
    if isinstance(value, str):
        have = str(have)
    else:
        try:
            have = float(have)
        except ValueError:
            return False
    return {"=": have == value, "<": have < value, ">": have > value}[node.operator]


TREES = st.recursive(
    st.builds(Compare, FIELDS, st.sampled_from(["=", "<", ">"]), st.tuples(VALUES), st.just(0)),
    lambda inner: st.one_of(
        st.builds(Not, inner), st.builds(Both, st.sampled_from(["AND", "OR"]), inner, inner)
    ),
    max_leaves=6,
)


@given(TREES)
def test_any_filter_means_what_python_says(tree):
    if any("\0" in str(c.values[0]) or _surrogates(c.values[0]) for c in _leaves(tree)):
        return
    expected = [d["id"] for d in DOCUMENTS if holds(tree, d)]
    assert matching(written(tree)) == expected


def _leaves(node):
    if isinstance(node, Compare):
        return [node]
    if isinstance(node, Not):
        return _leaves(node.inner)
    return _leaves(node.left) + _leaves(node.right)


def _surrogates(value) -> bool:
    return isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value)


@given(st.text(max_size=40))
def test_any_text_parses_or_is_a_usage_error(text):
    try:
        condition, parameters = parse_where(text).sql()
    except UsageError:
        return
    assert condition.count("?") == len(parameters)


def test_a_field_that_is_a_column_and_a_fact_is_named_once():
    compare = Compare("dat", "=", ("x",), 0)
    error = parse_where("dat = 'x'").unknown_field(compare, ["date", "title", "date"])
    assert error.remedy == "Known fields: date, title."
