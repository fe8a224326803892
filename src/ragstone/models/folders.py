"""A local model's files: what they say of the model, and the kept converted form of a GGUF.

openvino-genai opens an OpenVINO model folder faster than a GGUF file, and can save the one while
it reads the other. What is kept is derived: it is named by source file, size, time of change and
runtime version, appears by one rename, and is made again when it does not open.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ragstone.errors import ModelError
from ragstone.models.gguf import read_header

MODEL_FILE = "openvino_model.xml"
TOKENIZER_FILES = ("openvino_tokenizer.xml", "openvino_detokenizer.xml")
_ASSUMED_CONTEXT = 2048  # where neither file nor caller says; every model of today holds more

Pipeline = TypeVar("Pipeline")
Build = Callable[[Path, Mapping[str, object]], Pipeline]


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a model's files say: its name, its window, its number of weights."""

    name: str
    context_tokens: int
    parameters: int


def facts_of(path: Path) -> ModelFacts:
    """The facts of a .gguf file or an OpenVINO model folder. Raises ModelError."""
    if path.is_dir():
        return _facts_of_folder(path)
    if not path.exists():
        raise ModelError(
            f"There is no model at {path}.",
            remedy="`ragstone models list` shows what is there; `ragstone models pull` fetches "
            "the small built-in one.",
        )
    header = read_header(path)
    if not header.has_chat_template:
        raise ModelError(
            f"The model file {path} holds no chat template.",
            remedy="Use an instruction-tuned model, one that was made to follow messages.",
        )
    return ModelFacts(path.stem, header.context_tokens or _ASSUMED_CONTEXT, header.parameters)


def _facts_of_folder(folder: Path) -> ModelFacts:
    for needed in (MODEL_FILE, *TOKENIZER_FILES):
        if not (folder / needed).is_file():
            raise ModelError(
                f"{folder} is no OpenVINO model folder: {needed} is missing.",
                remedy="Export the model with optimum-intel (`optimum-cli export openvino`), "
                "or give a .gguf file.",
            )
    context = 0
    with suppress(OSError, ValueError):
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        found = config.get("max_position_embeddings", 0) if isinstance(config, dict) else 0
        context = found if isinstance(found, int) else 0
    return ModelFacts(folder.name, context or _ASSUMED_CONTEXT, _weights(folder / MODEL_FILE))


def _weights(model_file: Path) -> int:
    """The number of weights in an OpenVINO graph: the sizes of its large constants."""
    total = 0
    with model_file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if shape := re.search(r'element_type="\w+" shape="([\d, ]+)"', line):
                size = math.prod(int(number) for number in shape[1].split(","))
                total += size if size >= 4096 else 0  # axes, scales of a row, other small change
    return total


def open_model_files(
    path: Path, keep: Path | None, version: str, build: Build[Pipeline]
) -> Pipeline:
    """Open `path` by `build(path, properties)`, through a kept conversion where there is one.

    A GGUF file is converted and the result kept in the folder `keep` (about as large as the
    file); without one, or without the disk space, it is converted anew each time. Raises what
    `build` raises for `path` itself.
    """
    if path.is_dir() or keep is None:
        return build(path, {})
    kept = keep / _kept_name(path, version)
    if (kept / MODEL_FILE).is_file():
        try:
            return build(kept, {})
        except RuntimeError:  # damaged, or not what this runtime reads: make it again
            shutil.rmtree(kept, ignore_errors=True)
    link = _linked(path, keep)
    if link is None:
        return build(path, {})
    try:
        pipeline = build(link, {"enable_save_ov_model": True})
        link.unlink()
        with suppress(OSError):  # another process was first, or the system holds the files
            link.parent.replace(kept)
            _forget_older(kept)
    finally:
        shutil.rmtree(link.parent, ignore_errors=True)
    return pipeline


def _kept_name(path: Path, version: str) -> str:
    stat = path.stat()
    source = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    state = f"{stat.st_size} {stat.st_mtime_ns} {version}"
    return f"{path.stem}-{source}-{hashlib.sha256(state.encode()).hexdigest()[:8]}"


def _forget_older(kept: Path) -> None:
    """Remove forms of the same file as it was before, or as an older runtime wrote them."""
    for other in kept.parent.glob(kept.name.rsplit("-", 1)[0] + "-????????"):
        if other != kept:
            shutil.rmtree(other, ignore_errors=True)


def _linked(path: Path, keep: Path) -> Path | None:
    """A link to `path` in a new folder inside `keep`, beside which the runtime will write.

    None where that folder cannot be written, is too full, or holds no links.
    """
    try:
        keep.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(keep).free < 2 * path.stat().st_size:
            return None
        folder = Path(tempfile.mkdtemp(dir=keep, prefix=".converting-"))
    except OSError:
        return None
    link = folder / path.name
    for make in (link.symlink_to, link.hardlink_to):
        with suppress(OSError):
            make(path.resolve())
            return link
    shutil.rmtree(folder, ignore_errors=True)
    return None
