"""Which files the given paths mean: one identity per file, however often and however it is named.

An identity is the real path (symbolic links resolved, the spelling of the disk). Left out: hidden
files and folders, folders of version control and caches, corpus folders, and what a
`.ragstoneignore` (the syntax of `.gitignore`) names. `.gitignore` itself is not obeyed: documents
are often kept out of version control on purpose. Links are followed inside the given paths; those
that lead elsewhere are skipped and named, unless they are to be followed too, because a corpus
should hold what its owner pointed at and nothing else. Law: the result does not depend on the
order, the spelling or the overlap of the paths. Reads no file's content but `.ragstoneignore`.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ragstone.corpus import FailedSource
from ragstone.types import Failure

IGNORE_FILE = ".ragstoneignore"
_CORPUS_FILES = ("corpus.db", "segments")
_LEFT_OUT = frozenset(
    {"__pycache__", "node_modules", "Thumbs.db", "desktop.ini", "CVS", "lost+found"}
)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to mirror, with the stat that was seen."""

    path: str
    root: str
    size: int
    mtime_ns: int
    inode: int


@dataclass(slots=True)
class Scan:
    """What lies under the given paths.

    `unseen` are folders whose content could not be listed, `skipped` what was left out and may be
    missed: links that lead away or nowhere, and what is no file (pipes, sockets, devices).
    """

    files: dict[str, FoundFile] = field(default_factory=dict)
    roots: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    failed: list[FailedSource] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    skipped: list[Failure] = field(default_factory=list)


def scan(paths: Iterable[str | Path], *, follow_links: bool = False) -> Scan:
    """Find the files under `paths`; with `follow_links` also what links to elsewhere lead to.

    What cannot be listed is in `failed`, never an error.
    """
    roots = sorted({canonical(path) for path in paths})
    result = Scan(roots=roots)
    walk = _Walk(result, follow_links)
    for root in roots:
        try:
            status = os.stat(root)
        except (FileNotFoundError, NotADirectoryError):
            result.missing.append(root)
            continue
        except OSError as error:
            walk.refused(root, root, error)
            continue
        if stat.S_ISDIR(status.st_mode):
            walk.folder(root, root, ())
        else:
            walk.take(root, root, status)
    return result


def canonical(path: str | Path) -> str:
    """The one spelling of a path: absolute, links resolved, letters as the disk has them."""
    real = os.path.realpath(os.path.expanduser(os.fspath(path)))
    parts = Path(real).parts
    here = parts[0]
    for part in parts[1:]:
        step = os.path.join(here, part)
        if part != part.swapcase() and os.path.exists(os.path.join(here, part.swapcase())):
            step = os.path.join(here, _as_listed(here, part))
        here = step
    return here


def _as_listed(folder: str, name: str) -> str:
    """On a disk that ignores case: the name as the folder lists it."""
    try:
        names = os.listdir(folder)
    except OSError:
        return name
    if name in names:
        return name
    return next((n for n in names if n.casefold() == name.casefold()), name)


def under(path: str, root: str) -> bool:
    """Whether `path` is `root` or lies below it."""
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


class _Walk:
    """One look at all roots, each folder once."""

    def __init__(self, result: Scan, follow_links: bool) -> None:
        self._result = result
        self._follow_links = follow_links
        self._walked: set[str] = set()

    def folder(self, folder: str, root: str, rules: tuple[IgnoreRules, ...]) -> None:
        """Everything below a folder, which is named by its real path."""
        if folder in self._walked:
            return
        self._walked.add(folder)
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except FileNotFoundError:
            return
        except OSError as error:
            self.refused(folder, root, error)
            return
        names = {entry.name for entry in entries}
        if all(name in names for name in _CORPUS_FILES):
            return
        if IGNORE_FILE in names:
            rules = (*rules, IgnoreRules.read(folder))
        for entry in entries:
            if not entry.name.startswith((".", "~$")) and entry.name not in _LEFT_OUT:
                self._entry(entry, root, rules)

    def _entry(self, entry: os.DirEntry[str], root: str, rules: tuple[IgnoreRules, ...]) -> None:
        path = entry.path
        try:
            is_link = entry.is_symlink()
            is_folder = entry.is_dir()
            if any(rule.ignores(path, is_folder) for rule in rules):
                return
            if is_link:
                path = os.path.realpath(path)
                within = [named for named in self._result.roots if under(path, named)]
                if not within and not self._follow_links:
                    self.skipped(
                        entry.path, f"It is a link out of the folder, to {path}.",
                        "Name that path too, or sync with --follow-links.",
                    )  # fmt: skip
                    return
                root = max(within, key=len, default=root)
            status = entry.stat()
        except FileNotFoundError:  # vanished meanwhile, or a link to nothing
            if is_link:
                self.skipped(entry.path, "It is a link to something that is not there.")
            return
        except OSError as error:
            if error.errno == errno.ELOOP:
                self.skipped(entry.path, "It is a link that leads to itself.")
            else:
                self.refused(entry.path, root, error)
            return
        if is_folder:
            self.folder(path, root, rules)
        else:
            self.take(path, root, status)

    def take(self, path: str, root: str, status: os.stat_result) -> None:
        """Note a file, once."""
        files = self._result.files
        if not path.isprintable() and not _is_text(path):
            shown = path.encode("utf-8", "backslashreplace").decode()
            reason = "Its name is not valid Unicode text."
            self._result.failed.append(FailedSource(shown, root, reason, "Rename the file."))
        elif not stat.S_ISREG(status.st_mode):
            self.skipped(path, "It is no file that can be read (a pipe, socket or device).")
        elif path not in files:
            inode = status.st_ino & (2**63 - 1)
            files[path] = FoundFile(path, root, status.st_size, status.st_mtime_ns, inode)

    def skipped(self, path: str, reason: str, remedy: str = "") -> None:
        """Note what was left out on purpose."""
        shown = path if _is_text(path) else path.encode("utf-8", "backslashreplace").decode()
        self._result.skipped.append(Failure(shown, reason, remedy))

    def refused(self, path: str, root: str, error: OSError) -> None:
        """Note a folder or file that may not be looked at: nothing below it counts as gone."""
        self._result.unseen.append(path)
        self._result.failed.append(
            FailedSource(
                path, root, f"Cannot look into it: {error.strerror or error}.",
                "Give this user permission to read it; what the corpus holds of it is kept.",
            )
        )  # fmt: skip


def _is_text(path: str) -> bool:
    """Whether the path can be written as UTF-8: names on POSIX are bytes, and may be none."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The patterns of one `.ragstoneignore`; the last that fits decides."""

    folder: str
    rules: Sequence[tuple[re.Pattern[str], bool, bool]]  # pattern, negated, folders only

    @classmethod
    def read(cls, folder: str) -> IgnoreRules:
        """The rules of the file in `folder`; an unreadable one has none."""
        try:
            text = Path(folder, IGNORE_FILE).read_text("utf-8", errors="replace")
        except OSError:
            text = ""
        return cls(folder, list(_rules(text)))

    def ignores(self, path: str, is_folder: bool) -> bool:
        """Whether the file or folder at `path`, below this folder, is left out."""
        relative = os.path.relpath(path, self.folder).replace(os.sep, "/")
        decided = False
        for pattern, negated, folders_only in self.rules:
            if (is_folder or not folders_only) and pattern.fullmatch(relative):
                decided = not negated
        return decided


def _rules(text: str) -> Iterator[tuple[re.Pattern[str], bool, bool]]:
    for line in text.splitlines():
        rule = line.rstrip()
        if not rule or rule.startswith("#"):
            continue
        negated = rule.startswith("!")
        rule = rule.removeprefix("!").removeprefix("\\")
        folders_only = rule.endswith("/")
        rule = rule.rstrip("/")
        anchored = "/" in rule
        yield _pattern(rule.lstrip("/"), anchored), negated, folders_only


def _pattern(rule: str, anchored: bool) -> re.Pattern[str]:
    out = "" if anchored else "(?:.*/)?"
    at = 0
    while at < len(rule):
        if rule.startswith("**/", at):
            out, at = out + "(?:.*/)?", at + 3
        elif rule.startswith("**", at):
            out, at = out + ".*", at + 2
        elif rule[at] == "*":
            out, at = out + "[^/]*", at + 1
        elif rule[at] == "?":
            out, at = out + "[^/]", at + 1
        elif rule[at] == "[" and "]" in rule[at + 2 :]:
            end = rule.index("]", at + 2)
            inner = rule[at + 1 : end].replace("\\", "\\\\")
            inner = "^" + inner[1:] if inner.startswith("!") else inner
            out, at = out + f"[{inner}]", end + 1
        else:
            out, at = out + re.escape(rule[at]), at + 1
    return re.compile(out)
