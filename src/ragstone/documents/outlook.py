"""Outlook's MSG files as a Mail.

Sources: [MS-OXMSG] (streams), [MS-OXPROPS] (property numbers), [MS-OXRTFCP] (compressed RTF).
Knows properties; knows no documents.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

from ragstone.documents.builder import storable
from ragstone.documents.compound import CompoundFile, Entry
from ragstone.documents.encoding import decode, unified
from ragstone.documents.mail_message import Attachment, Mail
from ragstone.documents.mime import iso_date
from ragstone.documents.raw import Raw
from ragstone.documents.rtf_text import rtf_to_text
from ragstone.errors import DocumentError
from ragstone.text.spaces import one_line

_SUBJECT, _BODY, _HTML, _RTF, _HEADERS = "0037", "1000", "1013", "1009", "007D"
_CLASS, _TO, _CC = "001A", "0E04", "0E03"
_SENDER, _SENDER_SMTP, _SENDER_ADDRESS = "0C1A", "5D01", "0C1F"
_SENT, _DELIVERED = 0x00390040, 0x0E060040
_CODE_PAGE, _MESSAGE_CODE_PAGE = 0x3FDE0003, 0x3FFD0003
_LONG_NAME, _SHORT_NAME, _DATA, _EMBEDDED, _CONTENT_ID = "3707", "3704", "3701", "3701000D", "3712"
_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    b"\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    b"\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)


def read_outlook(raw: Raw) -> Mail:
    """The message in these bytes. Raises DocumentError where it is encrypted or damaged."""
    file = CompoundFile(raw.read(), raw.source)
    mail = _Message(file, file.root, raw, top=True).read()
    if not mail.fields and not mail.plain and not mail.html and not mail.attachments:
        raise DocumentError(f"{raw.source} holds no message.", remedy="Save it from Outlook again.")
    return mail


class _Message:
    def __init__(self, file: CompoundFile, storage: Entry, raw: Raw, *, top: bool) -> None:
        self._file = file
        self._storage = storage
        self._raw = raw
        self._fixed = _fixed(self._bytes("__properties_version1.0"), 32 if top else 24)
        page = self._fixed.get(_MESSAGE_CODE_PAGE) or self._fixed.get(_CODE_PAGE) or 0
        number = page & 0xFFFFFFFF
        self._codec = "utf-8" if number == 65001 else f"cp{number}" if number else "cp1252"

    def read(self) -> Mail:
        if "SMIME" in self._text(_CLASS).upper() and not self._text(_CLASS).upper().endswith(
            "MULTIPARTSIGNED"
        ):
            raise DocumentError(
                f"{self._raw.source} is an encrypted message.",
                remedy="Open it in the mail program that has the key and save it decrypted.",
            )
        mail = Mail()
        address = self._text(_SENDER_SMTP) or self._text(_SENDER_ADDRESS)
        sender = self._text(_SENDER)
        if "@" in address and address.casefold() != sender.casefold():
            sender = f"{sender} <{address}>" if sender else address
        mail.date = self._date()
        for name, value in (
            ("From", sender),
            ("To", self._text(_TO) or self._recipients()),
            ("Cc", self._text(_CC)),
            ("Date", mail.date),
            ("Subject", self._text(_SUBJECT)),
        ):
            if value.strip("\x00 "):
                mail.fields.append((name, one_line(value.replace("\x00", ""))))
        mail.plain = unified(self._text(_BODY))
        markup = self._bytes(f"__substg1.0_{_HTML}0102")
        mail.html = (
            decode(markup, source=self._raw.source, declared=self._codec)
            if markup
            else unified(self._text(_HTML))
        )
        if not mail.plain.strip() and not mail.html.strip():
            mail.plain = rtf_to_text(unpack_rtf(self._bytes(f"__substg1.0_{_RTF}0102")))
        for name, entry in sorted(self._storage.children.items()):
            if name.startswith("__attach_version1.0_"):
                attachment = self._attachment(entry)
                if attachment is not None:
                    mail.attachments.append(attachment)
        return mail

    def _bytes(self, name: str) -> bytes:
        entry = self._storage.children.get(name.casefold())
        return self._file.read(entry) if entry is not None and entry.kind == 2 else b""

    def _text(self, property: str, storage: Entry | None = None) -> str:  # noqa: A002
        children = (storage or self._storage).children
        wide = children.get(f"__substg1.0_{property}001f".casefold())
        if wide is not None:
            return storable(self._file.read(wide).decode("utf-16-le", "replace")).rstrip("\x00")
        narrow = children.get(f"__substg1.0_{property}001e".casefold())
        if narrow is None:
            return ""
        data = self._file.read(narrow)
        try:
            return storable(data.decode(self._codec)).rstrip("\x00")
        except (UnicodeDecodeError, LookupError):
            return storable(data.decode("cp1252", "replace")).rstrip("\x00")

    def _recipients(self) -> str:
        names = [
            self._text("3001", entry) or self._text("39FE", entry)
            for name, entry in sorted(self._storage.children.items())
            if name.startswith("__recip_version1.0_")
        ]
        return "; ".join(name for name in names if name)

    def _date(self) -> str:
        for key in (_SENT, _DELIVERED):
            ticks = self._fixed.get(key, 0)
            if ticks:
                try:
                    return (
                        datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
                    ).isoformat()
                except OverflowError:
                    continue
        for line in self._text(_HEADERS).splitlines():
            if line.lower().startswith("date:"):
                return iso_date(line[5:].strip())
        return ""

    def _attachment(self, storage: Entry) -> Attachment | None:
        name = self._text(_LONG_NAME, storage) or self._text(_SHORT_NAME, storage)
        name = one_line(name.replace("/", "_").replace("\\", "_").replace("#", "_"))
        embedded = storage.children.get(f"__substg1.0_{_EMBEDDED}".casefold())
        if embedded is not None and embedded.kind == 1:
            inner = _Message(self._file, embedded, self._raw, top=False).read()
            return Attachment(name or "message.eml", as_mime(inner))
        data = storage.children.get(f"__substg1.0_{_DATA}0102".casefold())
        if data is None:
            return None
        inline = bool(self._text(_CONTENT_ID, storage)) and name.lower().endswith(
            (".png", ".jpg", ".jpeg", ".gif", ".bmp")
        )
        return Attachment(name or "attachment.bin", self._file.read(data), inline)


def _fixed(data: bytes, header_bytes: int) -> dict[int, int]:
    """Fixed-length properties: tag to its eight bytes as a number."""
    return {
        struct.unpack_from("<I", data, at)[0]: struct.unpack_from("<Q", data, at + 8)[0]
        for at in range(header_bytes, len(data) - 15, 16)
    }


def as_mime(mail: Mail) -> bytes:
    """A message found inside another as MIME, so that it is read like any attachment."""
    from email.message import EmailMessage

    message = EmailMessage()
    for name, value in mail.fields:
        message[name if name != "Date" else "Date"] = value.replace("\n", " ")
    if mail.plain.strip() or not mail.html:
        message.set_content(mail.plain)
    if mail.html:
        if message.get_content_type() == "text/plain" and mail.plain.strip():
            message.add_alternative(mail.html, subtype="html")
        else:
            message.set_content(mail.html, subtype="html")
    for attachment in mail.attachments:
        message.add_attachment(
            attachment.data, "application", "octet-stream", filename=attachment.name
        )
    return message.as_bytes()


def unpack_rtf(data: bytes, *, max_bytes: int = 64 << 20) -> bytes:
    """RTF as Outlook packs it ([MS-OXRTFCP] 2.1.3); empty where it is not that."""
    if len(data) < 16:
        return b""
    size, kind = struct.unpack_from("<II", data, 4)
    if kind == 0x414C454D:  # "MELA": not packed
        return data[16:]
    if kind != 0x75465A4C or size > max_bytes:  # "LZFu"
        return b""
    window = bytearray(_DICTIONARY.ljust(4096, b"\x00"))
    write = len(_DICTIONARY)
    out = bytearray()
    at = 16
    while at < len(data) and len(out) < size:
        control = data[at]
        at += 1
        for bit in range(8):
            if at >= len(data) or len(out) >= size:
                break
            if not control >> bit & 1:
                chosen = bytes([data[at]])
                at += 1
            else:
                if at + 1 >= len(data):
                    return bytes(out)
                token = data[at] << 8 | data[at + 1]
                at += 2
                offset, length = token >> 4, (token & 15) + 2
                if offset == write:
                    return bytes(out)
                picked = bytearray()
                for step in range(length):
                    # a run may read what it has just written
                    letter = window[(offset + step) % 4096]
                    picked.append(letter)
                    window[(write + step) % 4096] = letter
                chosen = bytes(picked)
            for step, letter in enumerate(chosen):
                window[(write + step) % 4096] = letter
            write = (write + len(chosen)) % 4096
            out += chosen
    return bytes(out[:size])
