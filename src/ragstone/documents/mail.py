"""E-mail: EML (MIME, RFC 5322), MHTML and Outlook's MSG.

A message's document is its header fields, then its body as a person reads it (plain text where
the sender wrote some, else the HTML), then what is attached, by name. Attachments and messages
inside it are documents of their own, `source#name`; one that cannot be read is named with the
reason in the message's own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragstone.documents import html
from ragstone.documents.builder import Builder
from ragstone.documents.mail_message import Mail
from ragstone.documents.mime import read_mime
from ragstone.documents.outlook import read_outlook
from ragstone.documents.raw import Raw, Reading
from ragstone.errors import DocumentError
from ragstone.text.spaces import one_line
from ragstone.types import Document

_QUOTED = re.compile(r"[ \t]*>")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


def parse_eml(raw: Raw, reading: Reading) -> Iterator[Document]:
    """A MIME message and its attachments. Raises DocumentError: encrypted, no message."""
    yield from _documents(raw, reading, read_mime(raw), "eml")


def parse_msg(raw: Raw, reading: Reading) -> Iterator[Document]:
    """An Outlook message and its attachments. Raises DocumentError: encrypted, damaged."""
    yield from _documents(raw, reading, read_outlook(raw), "msg")


def _documents(raw: Raw, reading: Reading, mail: Mail, format: str) -> Iterator[Document]:
    built = Builder(raw)
    lines = [f"{name}: {one_line(value)}" for name, value in mail.fields if value.strip()]
    built.block("header", "\n".join(lines))
    _write_body(built, mail)
    inside: list[Document] = []
    used: set[str] = set()
    if len(mail.attachments) > reading.limits.max_members:
        raise DocumentError(
            f"{raw.source} has {len(mail.attachments):,} attachments, the most is "
            f"{reading.limits.max_members:,}.",
            remedy="Save them as files and add those.",
        )
    for number, attachment in enumerate(mail.attachments, start=1):
        name = _unique(one_line(attachment.name) or f"attachment-{number}", used)
        try:
            inside.extend(reading.inside(raw.inside(name, attachment.data)))
        except DocumentError as error:
            if not attachment.inline:
                why = error.what.replace(f"{raw.source}#{name}", "it")
                built.note(f"Attachment: {name} (not read: {why})", label="attachment")
        else:
            built.note(f"Attachment: {name}", label="attachment")
    facts = {"author": mail.said("From"), "to": mail.said("To"), "date": mail.date}
    yield built.document(format=format, title=mail.said("Subject"), metadata=facts)
    yield from inside


def _write_body(built: Builder, mail: Mail) -> None:
    """The plain text, or the HTML where there is none or the plain is only a stand-in."""
    if mail.plain.strip():
        for block in _BLANK_LINES.split(mail.plain.strip("\n")):
            if all(_QUOTED.match(line) for line in block.split("\n")):
                built.quote(block)
            else:
                built.paragraph(block)
    elif mail.html.strip():
        html.write(built, mail.html, whole=True)


def _unique(name: str, used: set[str]) -> str:
    """The name, with a number where an attachment before it has the same."""
    candidate, number = name, 1
    while candidate in used:
        number += 1
        stem, dot, extension = name.rpartition(".")
        candidate = f"{stem}-{number}.{extension}" if dot else f"{name}-{number}"
    used.add(candidate)
    return candidate
