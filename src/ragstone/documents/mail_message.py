"""A mail message as every mail format gives it: fields, bodies, attachments. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that comes with a message; `inline` where the body shows it (a logo, a smiley)."""

    name: str
    data: bytes
    inline: bool = False


@dataclass(slots=True)
class Mail:
    """One message. `fields` are shown in order; `date` is ISO 8601, "" where unknown."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    plain: str = ""
    html: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    date: str = ""

    def said(self, name: str) -> str:
        """A field's value, "" where the message has none."""
        return next((value for key, value in self.fields if key == name), "")
