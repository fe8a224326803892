"""Office files as what they are: zip archives of XML, read safely.

Law: nothing is unpacked beyond the limits (declared sizes are not believed, real bytes are
counted), no entity is expanded, nothing is fetched, nesting is bounded; whatever is wrong comes
out as DocumentError. Knows zip and XML; knows no format.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import unquote

from lxml import etree

from ragstone.documents.raw import Raw
from ragstone.errors import DocumentError
from ragstone.types import Scalar

_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_CORE = {
    "{http://purl.org/dc/elements/1.1/}title": "title",
    "{http://purl.org/dc/elements/1.1/}creator": "author",
    "{http://purl.org/dc/elements/1.1/}subject": "subject",
    "{http://purl.org/dc/elements/1.1/}language": "language",
    "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}keywords": "keywords",
    "{http://purl.org/dc/terms/}created": "created",
    "{http://purl.org/dc/terms/}modified": "date",
}
_NO_TITLE = re.compile(
    r"untitled.*|.*\.(?:docx?|pdf|indd|xlsx?|pptx?|tex|dvi|qxd|html?|fm|rtf|odt|odp)|"
    r"(?:microsoft|powerpoint|word)\b.*|\W*|[\w-]*\d{4,}[\w-]*|(?:document|slide|title|book)\s*\d*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Relation:
    """A part's reference to another: what kind, where to (a member's name, or a URL)."""

    kind: str  # the last word of the relationship's type: "footnotes", "image", ...
    target: str
    external: bool


class Package:
    """A zip archive's members, read within limits. Close it, or use `with`."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._unpacked_bytes = 0
        self._stream = raw.open()
        try:
            self._archive = zipfile.ZipFile(self._stream)
        except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError) as error:
            self._stream.close()
            raise self._broken(str(error)) from error
        members = self._archive.infolist()
        if len(members) > raw.limits.max_members:
            self.close()
            raise DocumentError(
                f"{raw.source} holds {len(members):,} files inside, the most is "
                f"{raw.limits.max_members:,}.",
                remedy="Split it, or raise the limit `max_members`.",
            )
        self._members = {member.filename.replace("\\", "/"): member for member in members}
        self._folded = {name.casefold(): name for name in self._members}

    def __enter__(self) -> Package:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the archive and its stream."""
        archive = getattr(self, "_archive", None)
        if archive is not None:
            archive.close()
        self._stream.close()

    @property
    def names(self) -> list[str]:
        """The members' names, in the archive's order."""
        return list(self._members)

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._folded

    def read(self, name: str) -> bytes:
        """A member's bytes. Raises DocumentError: missing, damaged, encrypted, a bomb."""
        found = self._folded.get(name.casefold())
        if found is None:
            raise self._broken(f"it lacks {name}")
        member = self._members[found]
        if member.flag_bits & 1:
            raise DocumentError(
                f"{self._raw.source} is locked with a password.",
                remedy="Open it, remove the password and save it again.",
            )
        limits = self._raw.limits
        bound = min(
            limits.max_whole_bytes,
            max(limits.free_bytes, limits.max_ratio * max(1, member.compress_size)),
        )
        try:
            with self._archive.open(member) as stream:
                data = stream.read(bound + 1)
        except (
            zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, zlib.error,
        ) as error:  # fmt: skip
            raise self._broken(f"its part {name} is damaged: {error}") from error
        self._unpacked_bytes += len(data)
        if len(data) > bound or self._unpacked_bytes > 4 * limits.max_whole_bytes:
            raise DocumentError(
                f"{self._raw.source} unpacks to more than it may: {name} has over {bound:,} bytes, "
                f"packed in {member.compress_size:,}.",
                remedy="It looks like a decompression bomb; if you trust it, raise the limit "
                "`max_ratio` or `max_whole_bytes`.",
            )
        return data

    def xml(self, name: str) -> etree._Element:
        """A member's XML. Raises DocumentError where it is not well-formed or too deep."""
        return parse_xml(self.read(name), f"{self._raw.source}#{name}")

    def optional_xml(self, name: str) -> etree._Element | None:
        """A member's XML, None where the archive lacks it."""
        return self.xml(name) if name in self else None

    def relations(self, part: str) -> dict[str, Relation]:
        """What a part refers to, by relationship id; targets are members' names."""
        folder, file = posixpath.split(part)
        root = self.optional_xml(posixpath.join(folder, "_rels", file + ".rels"))
        found: dict[str, Relation] = {}
        for each in root.iter(_RELATIONS) if root is not None else ():
            target = each.get("Target", "")
            external = each.get("TargetMode") == "External"
            if not external:
                target = posixpath.normpath(posixpath.join("/", folder, unquote(target)))[1:]
            found[each.get("Id", "")] = Relation(
                each.get("Type", "").rsplit("/", 1)[-1], target, external
            )
        return found

    def main_part(self, default: str) -> str:
        """The name of the document's main part, as the package's relationships say."""
        for relation in self.relations("").values():
            if relation.kind == "officeDocument" and relation.target in self:
                return relation.target
        return default

    def facts(self) -> dict[str, Scalar]:
        """Title, author, subject, keywords, language and date of `docProps/core.xml`."""
        root = None
        for relation in self.relations("").values():
            if relation.kind == "core-properties" and relation.target in self:
                root = self.xml(relation.target)
        found: dict[str, Scalar] = {}
        for each in root if root is not None else ():
            name = _CORE.get(str(each.tag))
            if name and each.text and each.text.strip():
                found[name] = " ".join(each.text.split())[:500]
        created = found.pop("created", "")
        if created and "date" not in found:
            found["date"] = created
        found["title"] = sensible_title(str(found.get("title", "")))
        return found

    def _broken(self, why: str) -> DocumentError:
        return DocumentError(
            f"{self._raw.source} is damaged: {why}.",
            remedy="Open it in its own program and save it again.",
        )


def parse_xml(data: bytes, source: str) -> etree._Element:
    """XML without entities, network or unbounded depth (libxml2's 256 levels, 10 MB a text)."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentError(
            f"{source} is not well-formed XML: {error}.",
            remedy="Open the file in its own program and save it again.",
        ) from error
    if root is None:
        raise DocumentError(
            f"{source} is empty.", remedy="Open the file in its own program and save it again."
        )
    return root


def sensible_title(title: str) -> str:
    """The title, "" where it is what a program puts there by itself or a file's name."""
    title = " ".join(title.split())
    return "" if _NO_TITLE.fullmatch(title) else title[:300]
