"""MIME messages (RFC 5322, 2045, 2047, 3676) as a Mail, however sloppy the sender's program.

The standard library's parser splits the message; charsets, encoded words and dates are read here
so that a wrong one costs a letter and not the message. Knows MIME; knows no documents.
"""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_string, policy
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime

from ragstone.documents.builder import storable
from ragstone.documents.encoding import decode, unified
from ragstone.documents.mail_message import Attachment, Mail
from ragstone.documents.raw import Raw
from ragstone.errors import DocumentError
from ragstone.text.spaces import one_line

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_ENCRYPTED = frozenset(
    ("application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted")
)
_SIGNATURES = frozenset(
    ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
)
_UNSAFE = re.compile(r"[/\\\x00-\x1f#]+")
_STAND_IN = re.compile(
    r"(?:this|your) (?:message|e-?mail|mail).{0,60}\bhtml\b|(?:does|can)\s?no?t .{0,40}\bhtml\b|"
    r"view (?:this|it|the) .{0,40}(?:browser|online)",
    re.IGNORECASE | re.DOTALL,
)


def read_mime(raw: Raw) -> Mail:
    """The message in these bytes. Raises DocumentError where it is encrypted or none at all."""
    message = _message(raw)
    mail = Mail()
    for name in _SHOWN:
        value = header(message, name)
        if value:
            mail.fields.append((name, value))
    mail.date = iso_date(header(message, "Date"))
    plain: list[str] = []
    markup: list[str] = []
    for part in _parts(message, raw):
        _take(part, raw, mail, plain, markup)
    mail.plain = "\n\n".join(each.strip("\n") for each in plain if each.strip())
    mail.html = "\n".join(markup)
    if mail.html and (len(mail.plain) < 400 and _STAND_IN.search(mail.plain)):
        mail.plain = ""
    if not mail.fields and not mail.attachments and not mail.plain and not mail.html:
        raise DocumentError(
            f"{raw.source} holds no e-mail message.",
            remedy="Export it from the mail program again.",
        )
    return mail


def _message(raw: Raw) -> Message:
    data = raw.read()
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) or b"\x00" in data[:200]:
        text = decode(data, source=raw.source)
    else:
        text = data.decode("ascii", "surrogateescape")
    if text.startswith("From ") and "\n" in text:  # an mbox line in front of the message
        text = text.split("\n", 1)[1]
    return message_from_string(text.lstrip("\r\n"), policy=policy.compat32)


def _parts(message: Message, raw: Raw) -> list[Message]:
    """The leaves of the message in order; of alternatives all, as bodies are chosen later."""
    found: list[Message] = []
    waiting = [message]
    while waiting:
        part = waiting.pop()
        kind = part.get_content_type()
        smime = str(part.get_param("smime-type") or "")
        if kind in _ENCRYPTED and smime != "signed-data":
            raise DocumentError(
                f"{raw.source} is an encrypted message ({kind}).",
                remedy="Open it in the mail program that has the key and save it decrypted.",
            )
        payload = part.get_payload()
        if kind != "message/rfc822" and part.is_multipart() and isinstance(payload, list):
            waiting.extend(each for each in reversed(payload) if isinstance(each, Message))
        else:
            found.append(part)
        if len(found) > raw.limits.max_members:
            raise DocumentError(
                f"{raw.source} has more than {raw.limits.max_members:,} parts.",
                remedy="Save its attachments as files and add those.",
            )
    return found


def _take(part: Message, raw: Raw, mail: Mail, plain: list[str], markup: list[str]) -> None:
    kind = part.get_content_type()
    name = _name(part)
    disposition = (part.get_content_disposition() or "").lower()
    if kind in _SIGNATURES:
        return
    if kind == "message/rfc822" or (kind.startswith("message/") and part.is_multipart()):
        payload = part.get_payload()
        inner = payload[0] if isinstance(payload, list) and payload else None
        if isinstance(inner, Message):
            title = name or f"{header(inner, 'Subject')[:80] or 'message'}.eml"
            mail.attachments.append(Attachment(_safe(title, "eml"), _bytes_of(inner)))
        return
    is_body = disposition != "attachment" and not (name and disposition == "inline")
    if kind == "text/plain" and is_body:
        plain.append(_text(part, raw))
        return
    if kind == "text/html" and is_body:
        markup.append(_text(part, raw))
        return
    data = _data(part)
    if not data:
        return
    if not name:
        name = f"attachment.{_extension(kind)}"
    inline = kind.startswith("image/") and (disposition == "inline" or bool(part["Content-ID"]))
    mail.attachments.append(Attachment(_safe(name, _extension(kind)), data, inline))


def _extension(kind: str) -> str:
    known = {"text/plain": "txt", "text/html": "html", "message/rfc822": "eml", "image/jpeg": "jpg"}
    return known.get(kind, kind.rpartition("/")[2].split(".")[-1].split("+")[0][:8] or "bin")


def _safe(name: str, extension: str) -> str:
    name = _UNSAFE.sub("_", one_line(name)).strip("._ ")[:120]
    return name if "." in name else f"{name or 'attachment'}.{extension}"


def _name(part: Message) -> str:
    try:
        return decoded(str(part.get_filename() or ""))
    except (MessageError, ValueError, LookupError, TypeError, AttributeError):
        return ""


def _data(part: Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        return b""
    return payload if isinstance(payload, bytes) else b""


def _bytes_of(message: Message) -> bytes:
    try:
        return message.as_bytes(policy=policy.compat32)
    except (UnicodeError, LookupError, KeyError, ValueError):
        return message.as_string().encode("utf-8", "replace")


def _text(part: Message, raw: Raw) -> str:
    data = _data(part)
    try:
        charset = str(part.get_content_charset() or "")
    except (LookupError, ValueError, TypeError):
        charset = ""
    text = decode(data, source=raw.source, declared=charset) if data else ""
    if str(part.get_param("format") or "").lower() == "flowed":
        text = unflowed(text, delsp=str(part.get_param("delsp") or "").lower() == "yes")
    return text


def unflowed(text: str, *, delsp: bool = False) -> str:
    """Lines that RFC 3676 broke for the screen, joined again; quoted lines stay as they are."""
    lines: list[str] = []
    open_line = False
    for line in text.split("\n"):
        quoted = line.startswith(">")
        if line.startswith(" ") and not quoted:
            line = line[1:]
        soft = line.endswith(" ") and line != "-- " and not quoted
        if open_line and not quoted:
            lines[-1] += line
        else:
            lines.append(line)
        if soft and delsp:
            lines[-1] = lines[-1][:-1]
        open_line = soft
    return "\n".join(line.rstrip() for line in lines)


def header(message: Message, name: str) -> str:
    """A header field's text with encoded words decoded, on one line; "" where there is none."""
    try:
        value = message[name]
    except (HeaderParseError, ValueError, IndexError):
        return ""
    return one_line(decoded(str(value))) if value is not None else ""


def decoded(value: str) -> str:
    """RFC 2047 encoded words as text; raw 8-bit bytes as UTF-8, else as Windows-1252."""
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError, LookupError):
        pieces = [(value, None)]
    parts: list[str] = []
    for piece, charset in pieces:
        data = piece if isinstance(piece, bytes) else piece.encode("utf-8", "surrogateescape")
        try:
            # "unknown-8bit" is how the library marks bytes that no charset was named for
            parts.append(data.decode(charset if charset and "unknown" not in charset else "utf-8"))
        except (LookupError, UnicodeDecodeError):
            parts.append(data.decode("cp1252", "replace"))
    return storable(unified("".join(parts)))


def iso_date(value: str) -> str:
    """RFC 5322's or ISO's form of a date as ISO 8601; "" where it is neither."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return read(value).isoformat()
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return ""
