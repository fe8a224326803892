"""What the server writes about each request: one line, structured, without content.

Law: a line holds the route's pattern, never a query string, a body, a question, a document's
name or a key; whatever a client can choose (the request id) has passed a strict pattern, and
every value is escaped, so that no client can forge or break a line.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Literal

_LOGGER = "ragstone.serve"
Value = str | int | float | bool | None


def set_up(form: Literal["json", "text", "none"]) -> None:
    """Write this room's lines to standard error in the given form; uvicorn's stay quiet."""
    logger = logging.getLogger(_LOGGER)
    logger.handlers.clear()
    logger.propagate = False
    if form == "none":
        logger.addHandler(logging.NullHandler())
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error"):
        outside = logging.getLogger(name)
        outside.handlers.clear()
        outside.propagate = False
        outside.addHandler(handler)
        outside.setLevel(logging.WARNING)


def write(event: str, *, level: int = logging.INFO, **values: Value) -> None:
    """One line about `event`."""
    logging.getLogger(_LOGGER).log(level, "%s", event, extra={"values": values})


def failed(event: str, error: BaseException, **values: Value) -> None:
    """One line about something that should not happen: the error's type and where it arose.

    The message of an error that this package did not raise itself may quote content, so it is
    left out; the place is enough to find the fault.
    """
    place = ""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}:{code.co_name}"
        trace = trace.tb_next
    what = f"{event}: {type(error).__name__} at {place}"
    write(what, level=logging.ERROR, **values)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _time(record.created), "level": record.levelname.lower()}
        line["event"] = record.getMessage()
        return json.dumps({**line, **getattr(record, "values", {})}, ensure_ascii=True)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        values = getattr(record, "values", {})
        pairs = " ".join(f"{name}={_quoted(value)}" for name, value in values.items())
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        return f"{_time(record.created)} {record.levelname.lower():7} {message} {pairs}".rstrip()


def _quoted(value: Value) -> str:
    if isinstance(value, str):
        plain = value.isascii() and value.isprintable() and value and not set(value) & set(' "=')
        return value if plain else json.dumps(value, ensure_ascii=True)
    return json.dumps(value)


def _time(seconds: float) -> str:
    fraction = int(seconds * 1000) % 1000
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{fraction:03d}Z"
