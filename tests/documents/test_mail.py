"""E-mail: header fields, the body a person reads, attachments as documents of their own."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.documents import Limits, read
from ragstone.documents.mime import decoded, iso_date, unflowed
from ragstone.documents.outlook import unpack_rtf
from ragstone.errors import DocumentError


def message(**fields: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Åse Nansen <ase@example.org>"
    mail["To"] = "ole@example.org"
    mail["Date"] = "Mon, 17 Mar 2014 11:15:04 +0100"
    mail["Subject"] = fields.get("subject", "Harbour works — June")
    mail.set_content(fields.get("plain", "It rained.\n\nWe wait."))
    return mail


def save(path: Path, mail: EmailMessage) -> Path:
    path.write_bytes(mail.as_bytes())
    return path


def test_fields_and_body(tmp_path):
    (document,) = read(save(tmp_path / "a.eml", message()))
    assert document.title == "Harbour works — June"
    assert document.metadata["date"] == "2014-03-17T11:15:04+01:00"
    assert document.metadata["author"] == "Åse Nansen <ase@example.org>"
    kinds = [(each.kind, each.span.of(document.text)) for each in document.elements]
    assert kinds[0][0] == "header"
    assert "Subject: Harbour works — June" in kinds[0][1]
    assert kinds[1:] == [("paragraph", "It rained."), ("paragraph", "We wait.")]


def test_html_is_read_where_there_is_no_plain_text(tmp_path):
    mail = message()
    mail.set_content("<p>It <b>rained</b>.</p>", subtype="html")
    (document,) = read(save(tmp_path / "a.eml", mail))
    assert "It rained." in document.text


def test_a_stand_in_for_html_gives_way(tmp_path):
    mail = message(plain="Your mail program does not support HTML.")
    mail.add_alternative("<p>It rained in <b>Oslo</b>.</p>", subtype="html")
    (document,) = read(save(tmp_path / "a.eml", mail))
    assert "It rained in Oslo." in document.text
    assert "does not support" not in document.text


def test_attachments_are_documents_of_their_own(tmp_path):
    inner = message(subject="Inner", plain="Inside.")
    mail = message()
    mail.add_attachment("Town,Ships\nOslo,14\n", subtype="csv", filename="ships.csv")
    mail.add_attachment(b"\x00\x01\x02" * 50, "application", "octet-stream", filename="x.bin")
    mail.add_attachment(inner)
    path = save(tmp_path / "a.eml", mail)
    first, *others = read(path)
    assert [each.source.rsplit("#", 1)[1] for each in others] == ["ships.csv", "Inner.eml"]
    assert "Town: Oslo; Ships: 14" in others[0].text
    assert others[1].title == "Inner"
    assert "Attachment: ships.csv" in first.text
    assert "Attachment: x.bin (not read:" in first.text


def test_messages_inside_messages_are_bounded(tmp_path):
    mail = message(plain="core")
    for number in range(8):
        outer = message(subject=f"level {number}")
        outer.add_attachment(mail)
        mail = outer
    documents = list(read(save(tmp_path / "a.eml", mail), limits=Limits(max_attachments_deep=3)))
    assert len(documents) == 4
    assert "not read" in documents[-1].text


def test_encrypted_mail_is_refused(tmp_path):
    path = tmp_path / "a.eml"
    path.write_text("From: a@b.c\nContent-Type: application/pkcs7-mime; name=smime.p7m\n\nAAAA\n")
    with pytest.raises(DocumentError, match="encrypted"):
        list(read(path))


def test_utf16_mail_is_read(tmp_path):
    path = tmp_path / "a.eml"
    path.write_bytes("From: a@b.c\nSubject: Høst\n\nIt rained.\n".encode("utf-16"))
    (document,) = read(path)
    assert document.title == "Høst"


@pytest.mark.parametrize(
    ("stated", "meant"),
    [("Wed, 16 Jul 2008 09:24:06 +0300", "2008-07-16T09:24:06+03:00"),
     ("2022-01-02T03:04:05", "2022-01-02T03:04:05"), ("yesterday", "")],
)  # fmt: skip
def test_dates(stated, meant):
    assert iso_date(stated) == meant


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=40))
def test_encoded_words_come_back(text):
    from email.header import Header

    text = text.strip()
    assert decoded(Header(text, "utf-8", maxlinelen=10_000).encode()).split() == text.split()


def test_flowed_lines_are_joined():
    assert unflowed("It \nrained \nhard.\n> quoted \n> still\nEnd.") == (
        "It rained hard.\n> quoted\n> still\nEnd."
    )


@given(st.binary(max_size=200))
def test_packed_rtf_never_fails(data):
    assert isinstance(unpack_rtf(data), bytes)
    assert isinstance(unpack_rtf(b"\0\0\0\0\x40\0\0\0LZFu\0\0\0\0" + data), bytes)


def test_packed_rtf_of_the_specification():
    # [MS-OXRTFCP] 4.1.1: the worked example
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c"
        "090020627705b06c647d0a800fa0"
    )
    assert unpack_rtf(packed) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
