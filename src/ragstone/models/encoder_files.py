"""An encoder's folder: `model.onnx`, `tokenizer.json` and the small `encoder.json` beside them.

Law: the identity names everything that a vector depends on (weights, tokenizer, and how both
are used), so two encoders with one identity give the same vectors. Nothing here loads weights.

`encoder.json` holds `name`, `quantisation`, `dim`, `max_tokens`, `pooling`, and where they
differ from their defaults `normalise`, `query_prefix`, `passage_prefix`, `optimised`; what the
build wrote also holds `files` (sizes and checksums), which saves hashing the weights on opening.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from ragstone.errors import ModelError

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
SETTINGS_FILE = "encoder.json"

Pooling = Literal["mean", "cls", "last"]

_EXAMPLE = '{"name": "my-model", "dim": 384, "max_tokens": 512, "pooling": "mean"}'


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How a folder's model is used. All of it but `optimised` changes vectors."""

    name: str
    dim: int
    max_tokens: int  # special tokens included
    pooling: Pooling  # of token vectors, where the graph does not pool itself
    quantisation: str = "fp32"
    normalise: bool = True
    query_prefix: str = ""
    passage_prefix: str = ""
    optimised: bool = False  # the graph is already fused: nothing to optimise on opening


@dataclass(frozen=True, slots=True)
class FileSeal:
    """Size in bytes and sha256 of one file."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class EncoderFolder:
    """A checked folder: paths, settings, identity."""

    path: Path
    settings: EncoderSettings
    seals: dict[str, FileSeal]

    @property
    def identity(self) -> str:
        """Name, quantisation, and 12 hexadecimal digits over weights, tokenizer and settings."""
        digest = hashlib.sha256()
        for name in (MODEL_FILE, TOKENIZER_FILE):
            digest.update(self.seals[name].sha256.encode())
        used = {f.name: getattr(self.settings, f.name) for f in fields(self.settings)}
        del used["optimised"]
        digest.update(json.dumps(used, sort_keys=True).encode())
        return f"{self.settings.name}-{self.settings.quantisation}-{digest.hexdigest()[:12]}"


def read_folder(path: Path) -> EncoderFolder:
    """Read and check an encoder's folder; sizes are compared, contents are not (see `verify`).

    Raises ModelError where a file is missing, the settings do not fit, or a size differs from
    what the build recorded.
    """
    for name in (MODEL_FILE, TOKENIZER_FILE, SETTINGS_FILE):
        if not (path / name).is_file():
            raise ModelError(
                f"The encoder folder {path} has no {name}.",
                remedy=f"It needs {MODEL_FILE}, {TOKENIZER_FILE} and {SETTINGS_FILE}, "
                f"the last such as {_EXAMPLE}.",
            )
    try:
        raw = json.loads((path / SETTINGS_FILE).read_text(encoding="utf-8"))
        recorded = raw.pop("files", None)
        settings = EncoderSettings(**raw)
        seals = {name: FileSeal(**seal) for name, seal in (recorded or {}).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path / SETTINGS_FILE} cannot be used: {error}.",
            remedy=f"Write it such as {_EXAMPLE}.",
        ) from error
    if settings.pooling not in ("mean", "cls", "last"):
        raise ModelError(
            f"{path / SETTINGS_FILE} asks for the pooling {settings.pooling!r}.",
            remedy="Use mean, cls or last.",
        )
    for name in (MODEL_FILE, TOKENIZER_FILE):
        if name not in seals:
            seals[name] = seal(path / name)
        size_bytes = (path / name).stat().st_size
        if size_bytes != seals[name].size_bytes:
            raise ModelError(
                f"{path / name} has {size_bytes} bytes where {seals[name].size_bytes} were built.",
                remedy="The file is damaged or was exchanged: install the package again, or "
                f"remove `files` from {SETTINGS_FILE} if the exchange was meant.",
            )
    return EncoderFolder(path, settings, seals)


def seal(path: Path) -> FileSeal:
    """Size and sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return FileSeal(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def verify(folder: EncoderFolder) -> None:
    """Compare the contents of weights and tokenizer with their recorded checksums.

    Reads every byte (tens of milliseconds for the shipped encoder). Raises ModelError.
    """
    for name, recorded in folder.seals.items():
        found = seal(folder.path / name)
        if found != recorded:
            raise ModelError(
                f"{folder.path / name} has the sha256 {found.sha256} where {recorded.sha256} "
                "was built.",
                remedy="The file is damaged or was exchanged: install the package again.",
            )


def write_settings(path: Path, settings: EncoderSettings) -> EncoderFolder:
    """Seal the folder's files and write its `encoder.json`; the end of every build."""
    seals = {name: seal(path / name) for name in (MODEL_FILE, TOKENIZER_FILE)}
    defaults = {f.name: f.default for f in fields(settings)}
    written: dict[str, object] = {
        f.name: value
        for f in fields(settings)
        if (value := getattr(settings, f.name)) != defaults[f.name]
    }
    written["files"] = {
        name: {"size_bytes": s.size_bytes, "sha256": s.sha256} for name, s in seals.items()
    }
    (path / SETTINGS_FILE).write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    return EncoderFolder(path, settings, seals)
