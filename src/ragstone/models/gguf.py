"""What a GGUF file says of itself: name, context length, number of parameters.

Reads the header alone, never the weights. The format: "GGUF", version, counts, key-value pairs,
tensor descriptions, all little-endian (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
Knows nothing of runtimes.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ragstone.errors import ModelError

_MAGIC = b"GGUF"
_STRING, _ARRAY = 8, 9
# Value type -> struct code, for everything that is one number.
_NUMBERS = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
_LARGEST_STRING = 64 * 1024 * 1024  # a chat template has kilobytes; more is damage, not text


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """The facts of a GGUF file that a caller decides by."""

    name: str
    architecture: str
    context_tokens: int  # 0 where the file does not say
    parameters: int
    has_chat_template: bool


def read_header(path: Path) -> GgufHeader:
    """The header of the file at `path`. Raises ModelError if it is no readable GGUF."""
    try:
        with path.open("rb") as file:
            return _read(file, path)
    except OSError as error:
        raise ModelError(
            f"The model file {path} cannot be read: {error.strerror or error}.",
            remedy="Check that it exists and that you may read it.",
        ) from error
    except (struct.error, UnicodeDecodeError, KeyError, OverflowError, MemoryError) as error:
        raise ModelError(
            f"The model file {path} is damaged or cut short: its GGUF header does not parse.",
            remedy="Download it again.",
        ) from error


def _read(file: BinaryIO, path: Path) -> GgufHeader:
    if file.read(4) != _MAGIC:
        raise ModelError(
            f"{path} is not a GGUF file.",
            remedy="Give a .gguf file, or a folder with openvino_model.xml.",
        )
    version, tensors, pairs = struct.unpack("<IQQ", file.read(20))
    if version not in (2, 3):
        raise ModelError(
            f"{path} is of GGUF version {version}; versions 2 and 3 can be read.",
            remedy="Convert the model again with a current converter.",
        )
    values: dict[str, str | int | float | bool | None] = {}
    for _ in range(pairs):
        key = _string(file)
        (kind,) = struct.unpack("<I", file.read(4))
        values[key] = _value(file, kind)
    architecture = str(values.get("general.architecture", ""))
    context = values.get(f"{architecture}.context_length", 0)
    sizes, offsets = [], [0]
    for _ in range(tensors):
        size, offset = _tensor(file)
        sizes.append(size)
        offsets.append(offset)
    if path.stat().st_size < file.tell() + max(offsets):
        raise struct.error("the last weights are missing")
    return GgufHeader(
        name=str(values.get("general.name") or path.stem),
        architecture=architecture,
        context_tokens=context if isinstance(context, int) else 0,
        parameters=sum(sizes),
        has_chat_template="tokenizer.chat_template" in values,
    )


def _value(file: BinaryIO, kind: int) -> str | int | float | bool | None:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        _skip_array(file)
        return None
    code = "<" + _NUMBERS[kind]
    number: int | float | bool = struct.unpack(code, file.read(struct.calcsize(code)))[0]
    return number


def _skip_array(file: BinaryIO) -> None:
    kind, length = struct.unpack("<IQ", file.read(12))
    if kind == _STRING:  # a vocabulary: tens of thousands of short strings
        for _ in range(length):
            (size,) = struct.unpack("<Q", file.read(8))
            file.seek(size, 1)
    elif kind == _ARRAY:
        for _ in range(length):
            _skip_array(file)
    else:
        file.seek(struct.calcsize("<" + _NUMBERS[kind]) * length, 1)


def _string(file: BinaryIO) -> str:
    (size,) = struct.unpack("<Q", file.read(8))
    if size > _LARGEST_STRING:
        raise struct.error(f"a string of {size} bytes")
    data = file.read(size)
    if len(data) < size:
        raise struct.error("a string goes on behind the end")
    return data.decode("utf-8")


def _tensor(file: BinaryIO) -> tuple[int, int]:
    """The number of weights in the next tensor description, and where in the data they begin."""
    _string(file)
    (dimensions,) = struct.unpack("<I", file.read(4))
    shape = struct.unpack(f"<{dimensions}Q", file.read(8 * dimensions))
    _, offset = struct.unpack("<IQ", file.read(12))
    return math.prod(shape), offset
