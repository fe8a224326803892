"""JSON and JSON lines: values with the path that leads to them, so that each line reads alone.

A list of records becomes rows, `name: Alice; age: 30`; what is nested becomes lines
`address.city: Oslo` in a block for each record. JSON lines whose rows have an id and a text are
one document a row, streamed; other rows are collected into parts.

Law: every scalar of the file is in the text. Nothing recurses, however deep the values lie.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing

from ragstone.documents.builder import Builder, storable
from ragstone.documents.encoding import decode
from ragstone.documents.raw import Raw, Reading
from ragstone.errors import DocumentError
from ragstone.text.spaces import one_line
from ragstone.types import Document, Element, Scalar, Span

_TITLE_KEYS = ("title", "name", "headline", "subject")
_ID_KEYS = ("id", "_id", "doc_id", "document_id")
_TEXT_KEYS = ("text", "contents", "content", "body")


def parse_json(raw: Raw, reading: Reading) -> Iterator[Document]:
    """One document; a file of JSON lines under this name is read as such."""
    text = decode(raw.read(), source=raw.source)
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise _too_deep(raw, reading) from error
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and "\n" in text.strip():
            yield from parse_jsonl(raw, reading)
            return
        raise DocumentError(
            f"{raw.source} is no valid JSON: {error}.", remedy="Correct it at that place."
        ) from error
    built = Builder(raw)
    _write(built, value, raw, reading)
    title = _first(value, _TITLE_KEYS) if isinstance(value, dict) else ""
    yield built.document(format="json", title=title)


def parse_jsonl(raw: Raw, reading: Reading) -> Iterator[Document]:
    """A document for each row that has an id and a text; the other rows in parts.

    Raises DocumentError naming the line that is no JSON.
    """
    limits = reading.limits
    built: Builder | None = None
    begin = number = 0
    parts = 0
    for number, value in _values(raw, reading):
        document = _own(raw, value)
        if document is not None:
            yield document
            continue
        if built is not None and (
            number - begin >= limits.part_rows or built.position > limits.part_characters
        ):
            parts += 1
            yield _rows_document(built, raw, begin, number - 1)
            built = None
        if built is None:
            built, begin = Builder(raw), number
        _write_record(built, value, raw, reading)
    if built is not None:
        yield _rows_document(built, raw, begin, number) if parts else built.document(format="jsonl")


def _rows_document(built: Builder, raw: Raw, begin: int, end: int) -> Document:
    return built.document(
        format="jsonl",
        source=f"{raw.source}#rows-{begin}-{end}",
        title=f"{raw.stem} (rows {begin:,} to {end:,})",
    )


def _values(raw: Raw, reading: Reading) -> Iterator[tuple[int, object]]:
    limit = reading.limits.max_characters * 4
    number = 0
    with closing(raw.open()) as stream:
        while line := stream.readline(limit + 1):
            number += 1
            if len(line) > limit:
                raise DocumentError(
                    f"Line {number:,} of {raw.source} is longer than {limit:,} bytes.",
                    remedy="Split the record, or raise the limit `max_characters`.",
                )
            if not line.strip():
                continue
            try:
                yield number, json.loads(decode(line, source=raw.source) if number == 1 else line)
            except RecursionError as error:
                raise _too_deep(raw, reading) from error
            except ValueError as error:
                raise DocumentError(
                    f"Line {number:,} of {raw.source} is no valid JSON: {error}.",
                    remedy="Correct or remove that line.",
                ) from error


def _own(raw: Raw, value: object) -> Document | None:
    """The row as a document of its own, where it has an id and a text; else None."""
    if not isinstance(value, dict):
        return None
    id_key = next((key for key in _ID_KEYS if isinstance(value.get(key), str | int)), "")
    text_key = next((key for key in _TEXT_KEYS if isinstance(value.get(key), str)), "")
    if not id_key or not text_key:
        return None
    id = storable(str(value[id_key]))
    text = storable(str(value[text_key]).replace("\r\n", "\n"))
    title = one_line(storable(str(value.get("title") or "")))
    extra = value.get("metadata")
    fields = {**(extra if isinstance(extra, dict) else {}), **value}
    metadata: dict[str, Scalar] = {
        str(key): storable(field) if isinstance(field, str) else field
        for key, field in fields.items()
        if key not in (id_key, text_key, "title") and isinstance(field, str | int | float | bool)
        and field != ""
    }  # fmt: skip
    language = metadata.pop("language", metadata.pop("lang", ""))
    elements = (Element("paragraph", Span(0, len(text))),) if text and "\n\n" not in text else ()
    return Document(
        id=id, source=f"{raw.source}#{id}", title=title, text=text, format="jsonl",
        elements=elements if text.strip() else (), metadata=metadata,
        language=language[:2].lower() if isinstance(language, str) else "",
    )  # fmt: skip


def _too_deep(raw: Raw, reading: Reading) -> DocumentError:
    return DocumentError(
        f"{raw.source} nests values deeper than {reading.limits.max_nesting} levels.",
        remedy="Flatten it, or raise the limit `max_nesting`.",
    )


def _first(value: Mapping[str, object], keys: tuple[str, ...]) -> str:
    return next((str(value[key]) for key in keys if isinstance(value.get(key), str)), "")


def _write(built: Builder, value: object, raw: Raw, reading: Reading) -> None:
    """A whole file: records of the longest list of records as rows, the rest as lines before."""
    if isinstance(value, list):
        for item in value:
            _write_record(built, item, raw, reading)
        return
    if not isinstance(value, dict):
        built.paragraph(_scalar(value))
        return
    plain = {key: item for key, item in value.items() if not _records(item)}
    if plain:
        _write_record(built, plain, raw, reading, line_each=True)
    for key, item in value.items():
        if _records(item):
            built.heading(str(key), 2)
            for record in item:
                _write_record(built, record, raw, reading)


def _records(value: object) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(v, dict) for v in value)


def _write_record(
    built: Builder, value: object, raw: Raw, reading: Reading, *, line_each: bool = False
) -> None:
    """One record: on a line where it is flat and short, else a block of lines `path: value`."""
    pairs = list(flattened(value, raw=raw, reading=reading))
    lines = [f"{path}: {said}" if path else said for path, said in pairs if said.strip()]
    if not line_each and sum(map(len, lines)) < 1500 and not any("\n" in line for line in lines):
        built.block("row", "; ".join(lines))
    else:
        built.part()
        for line in lines:
            built.block("row" if len(line) < 1500 else "paragraph", line)
        built.part()


def flattened(value: object, *, raw: Raw, reading: Reading) -> Iterator[tuple[str, str]]:
    """(path, text) of every scalar, in order. A list of scalars is one text, parted by commas."""
    waiting: list[tuple[str, object, int]] = [("", value, 0)]
    while waiting:
        path, item, depth = waiting.pop()
        if depth > reading.limits.max_nesting:
            raise _too_deep(raw, reading)
        if isinstance(item, dict):
            deeper = [
                (f"{path}.{key}" if path else str(key), v, depth + 1) for key, v in item.items()
            ]
            waiting.extend(reversed(deeper))
        elif isinstance(item, list):
            if not any(isinstance(v, dict | list) for v in item):
                yield path, ", ".join(map(_scalar, item))
            else:
                listed = [(f"{path}[{i}]", v, depth + 1) for i, v in enumerate(item)]
                waiting.extend(reversed(listed))
        else:
            yield path, _scalar(item)


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
