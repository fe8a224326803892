"""Documents over HTTP: list, show with its words, page images, upload, delete."""

from __future__ import annotations

import contextlib
import re
import secrets
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ragstone.applications.wire import Json, JsonObject, document_info_json
from ragstone.corpus.listing import Order
from ragstone.corpus.where_parser import parse_where
from ragstone.errors import DocumentError, RagstoneError
from ragstone.serve import examples
from ragstone.serve.asking import CORPUS
from ragstone.serve.library import Shelf
from ragstone.serve.operation import Call, Operation, Parameter, Reply, reply
from ragstone.serve.problem import Problem
from ragstone.types import Document, DocumentInfo, Element, Failure, Span

_MOST_SHOWN = 100_000  # code points in one reply
_STRUCTURE = ("page", "sheet", "slide", "heading", "table", "row", "list_item", "code", "quote")


async def list_documents(call: Call) -> Response:
    """One page of the documents that fit."""
    shelf = call.shelf
    where = shelf.visible(call.caller, call.text("where"))
    offset = call.number("offset", 0)
    found = await call.library.work.run(
        lambda: shelf.listing(
            where, words=call.text("query").split(), format=call.text("format"),
            order=cast("Order", call.text("sort", "title")), offset=offset,
            limit=call.number("limit", 50),
        )
    )  # fmt: skip
    return reply(
        {
            "total": found.total,
            "all": found.every,
            "offset": offset,
            "formats": dict(found.formats),
            "documents": [document_info_json(info) for info in found.documents],
        }
    )


async def show_document(call: Call) -> Response:
    """A window of a document's text, with its structure."""
    shelf = call.shelf
    info, document = await call.library.work.run(lambda: _read(call, shelf))
    size = len(document.text)
    start = min(call.number("start", 0), size)
    end = min(call.number("end", start + 20_000), size, start + _MOST_SHOWN)
    window = Span(start, max(start, end))
    shown: JsonObject = {
        **document_info_json(info),
        "start": window.start,
        "end": window.end,
        "text": window.of(document.text),
        "pages": sum(element.kind in ("page", "slide", "sheet") for element in document.elements),
        "has_images": _drawable(info),
        "elements": [
            {
                "kind": element.kind, "start": element.span.start, "end": element.span.end,
                "level": element.level, "label": element.label,
            }
            for element in document.elements
            if element.kind in _STRUCTURE and element.span.overlaps(window)
        ],
    }  # fmt: skip
    return reply(shown)


def _read(call: Call, shelf: Shelf) -> tuple[DocumentInfo, Document]:
    info, document = shelf.find(call.text("id"), call.caller, at=call.maybe("version"), text=True)
    if document is None:
        raise AssertionError("unreachable: the text was asked for")
    return info, document


async def delete_document(call: Call) -> Response:
    """Takes a document out of the corpus; earlier versions keep it."""
    shelf = call.shelf

    def act() -> DocumentInfo:
        info, _ = shelf.find(call.text("id"), call.caller)
        with shelf.writing:
            shelf.corpus.remove(info.id)
            path = Path(info.source)
            if _inside(path, shelf.uploads):
                path.unlink(missing_ok=True)
        return info

    info = await call.library.work.run(act)
    return reply({"deleted": info.id, "version": shelf.version})


async def page_marks(call: Call) -> Response:
    """A page's size and the rectangles of a span on it."""
    shelf = call.shelf

    def act() -> JsonObject:
        info, document = _read(call, shelf)
        path = _file(info)
        page = _page(document, call.number("page", 1))
        start = max(call.number("start", page.span.start), page.span.start)
        end = min(call.number("end", page.span.end), page.span.end)
        found = call.library.pages.boxes(path, document, page.level, Span(start, max(start, end)))
        wide, high = found.width, found.height
        return {
            "page": page.level, "width": wide, "height": high,
            "pages": sum(element.kind == "page" for element in document.elements),
            "boxes": [
                [x0 / wide, y0 / high, x1 / wide, y1 / high] for x0, y0, x1, y1 in found.boxes
            ],
        }  # fmt: skip

    return reply(await call.library.work.run(act))


async def page_image(call: Call) -> Response:
    """A page as a PNG image."""
    shelf = call.shelf

    def act() -> bytes:
        info, _ = shelf.find(call.text("id"), call.caller)
        width = call.number("width", 1000)
        return call.library.pages.image(_file(info), call.number("page", 1), width=width)

    return Response(await call.library.work.run(act), media_type="image/png")


def _drawable(info: DocumentInfo) -> bool:
    return info.format == "pdf" and "#" not in info.source and Path(info.source).is_file()


def _file(info: DocumentInfo) -> Path:
    if not _drawable(info):
        raise Problem(
            404, "no_image", "This document has no page images.", remedy="Read its text instead."
        )
    return Path(info.source)


def _page(document: Document, number: int) -> Element:
    for element in document.elements:
        if element.kind == "page" and element.level == number:
            return element
    raise Problem(404, "no_page", f"There is no page {number}.", remedy="Pages count from 1.")


async def upload(call: Call) -> Response:
    """Receives one file and takes it in; the same name again replaces it."""
    shelf = call.shelf
    if call.caller.where:
        raise Problem(
            403, "filtered_key", "A key that sees only some documents cannot add any.",
            remedy="Use a key without a filter.",
        )  # fmt: skip
    name = safe_name(call.text("name"))
    library = call.library
    if library.uploading >= library.options.max_uploads:
        raise Problem(
            429, "busy", f"{library.uploading} files are being received.",
            remedy="Send the next when one has ended.", retry_after_s=1,
        )  # fmt: skip
    library.uploading += 1
    shelf.uploads.mkdir(parents=True, exist_ok=True)
    fresh = shelf.uploads / f".{secrets.token_hex(8)}.part"
    try:
        await _receive(call, fresh)
        return reply(await library.work.run(lambda: _take_in(shelf, fresh, name)), status=201)
    finally:
        library.uploading -= 1
        fresh.unlink(missing_ok=True)


async def _receive(call: Call, path: Path) -> None:
    size = 0
    with path.open("xb") as file:
        async for piece in call.request.stream():
            size += len(piece)
            await run_in_threadpool(file.write, piece)
    if not size:
        raise Problem(422, "empty", "The file is empty.", remedy="Send its bytes as the body.")


def _take_in(shelf: Shelf, fresh: Path, name: str) -> JsonObject:
    """Put the file in its place and add it; where it cannot be read, what was there stays."""
    target = shelf.uploads / name
    before = shelf.uploads / f".{secrets.token_hex(8)}.old"
    with shelf.writing:
        replaced = target.exists()
        if replaced:
            target.replace(before)
        fresh.replace(target)
        try:
            report = shelf.corpus.add(target)
            if report.failed or report.skipped:
                raise _unread(report.failed or report.skipped, target)
        except (RagstoneError, Problem):
            target.unlink(missing_ok=True)
            if replaced:
                before.replace(target)
            raise
        finally:
            with contextlib.suppress(OSError):
                before.unlink(missing_ok=True)
    documents: list[Json] = [document_info_json(info) for info in _of_file(shelf, str(target))]
    return {"documents": documents, "replaced": replaced, "version": shelf.version}


def _of_file(shelf: Shelf, source: str) -> list[DocumentInfo]:
    """The documents that a file became: itself, or its parts."""
    quoted = source.replace("'", "''")
    where = parse_where(f"source = '{quoted}' OR source LIKE '{quoted}#%'")
    with shelf.corpus.snapshot() as snapshot:
        infos = list(snapshot.documents(where))  # `LIKE` knows wildcards that a name may hold
    return [i for i in infos if i.source == source or i.source.startswith(f"{source}#")]


def _unread(failures: Sequence[Failure], path: Path) -> DocumentError:
    """Why a file was not taken in, without the place where the server put it."""
    reason = failures[0].reason.replace(str(path), path.name)
    return DocumentError(reason, remedy=failures[0].remedy.replace(str(path), path.name))


_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def safe_name(name: str) -> str:
    """A file name that stays in its folder on every system. Raises Problem (422)."""
    name = unicodedata.normalize("NFC", name).strip()
    bad = (
        not name
        or name.startswith(".")
        or name.endswith((".", " "))
        or len(name.encode("utf-8", "surrogatepass")) > 200
        or any(c in '/\\:*?"<>|' or ord(c) < 32 or ord(c) == 127 for c in name)
        or any(unicodedata.category(c) in ("Cc", "Cs", "Cf") for c in name)
        or _RESERVED.fullmatch(name)
    )
    if bad:
        raise Problem(
            422, "file_name", "This cannot be a file's name.", param="name",
            remedy="Use letters, digits, spaces, dots and dashes, without a path.",
        )  # fmt: skip
    return name


def _inside(path: Path, folder: Path) -> bool:
    return path.is_absolute() and path.resolve().parent == folder.resolve()


_ID = Parameter(
    "id", {"type": "string", "minLength": 1, "maxLength": 2000}, "The document's id.",
    "9f2c61d0", required=True,
)  # fmt: skip
_START = Parameter("start", {"type": "integer", "minimum": 0, "maximum": 2**31}, "From here.", 0)
_END = Parameter("end", {"type": "integer", "minimum": 0, "maximum": 2**31}, "To here.", 2000)
_VERSION = Parameter(
    "version", {"type": "integer", "minimum": 1, "maximum": 2**31},
    "As it was in this version, such as the one that a citation names.", 3,
)  # fmt: skip
_PAGE = Parameter("page", {"type": "integer", "minimum": 1, "maximum": 10**6}, "From 1.", 1)
_LIST = (
    CORPUS,
    Parameter("query", {"type": "string", "maxLength": 500}, "Words of title or source.", "report"),
    Parameter("format", {"type": "string", "maxLength": 40}, "One format.", "pdf"),
    Parameter("where", {"type": "string", "maxLength": 4000}, "A filter.", "date >= '2020-01-01'"),
    Parameter("sort", {"type": "string", "enum": list(get_args(Order))}, "The order.", "title"),
    Parameter(
        "offset", {"type": "integer", "minimum": 0, "maximum": 10**9}, "How many to skip.", 0
    ),
    Parameter("limit", {"type": "integer", "minimum": 1, "maximum": 500}, "How many to show.", 50),
)
_NAME = Parameter("name", {"type": "string"}, "The file's name, with its ending.", "a.md", "path")
_DOCUMENT = "/api/corpora/{corpus}/document"
OPERATIONS = (
    Operation(
        "GET", "/api/corpora/{corpus}/documents", "List documents", "documents", "read",
        list_documents, Reply("A page of the list.", examples.DOCUMENTS), _LIST,
        errors=(400, 404),
    ),
    Operation(
        "GET", _DOCUMENT, "Show a document", "documents", "read", show_document,
        Reply("A window of its text.", examples.DOCUMENT), (CORPUS, _ID, _START, _END, _VERSION),
        errors=(400, 404),
    ),
    Operation(
        "DELETE", _DOCUMENT, "Delete a document", "documents", "write", delete_document,
        Reply("What was deleted.", {"deleted": "9f2c61d0", "version": 4}), (CORPUS, _ID),
        errors=(400, 404),
    ),
    Operation(
        "GET", f"{_DOCUMENT}/marks", "Where a span stands on a page", "documents", "read",
        page_marks, Reply("The page's size and the rectangles.", examples.MARKS),
        (CORPUS, _ID, _PAGE, _START, _END, _VERSION), errors=(400, 404),
    ),
    Operation(
        "GET", f"{_DOCUMENT}/page.png", "A page as an image", "documents", "read", page_image,
        Reply("The image.", media="image/png"),
        (CORPUS, _ID, _PAGE,
         Parameter("width", {"type": "integer", "minimum": 50, "maximum": 3000}, "Pixels.", 1000)),
        errors=(400, 404),
    ),
    Operation(
        "PUT", "/api/corpora/{corpus}/files/{name}", "Upload a file", "documents", "write", upload,
        Reply("The documents it became.", examples.UPLOADED, status=201), (CORPUS, _NAME),
        raw_body=True, errors=(404, 408, 413),
    ),
)  # fmt: skip
