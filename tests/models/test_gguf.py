"""The header of a GGUF file is read as it was written, and damage is told."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.errors import ModelError
from ragstone.models.folders import facts_of
from ragstone.models.gguf import read_header


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(
    *, context: int = 8192, shapes: list[tuple[int, ...]] | None = None, template=True
) -> bytes:
    pairs = [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("tokenizer.ggml.tokens")
        + struct.pack("<IIQ", 9, 8, 3)
        + b"".join(text(token) for token in ("<s>", "Grüße", "語")),
        text("tokenizer.ggml.scores") + struct.pack("<IIQ3f", 9, 6, 3, 0.0, 1.0, 2.0),
        text("general.quantized") + struct.pack("<I?", 7, True),
        text("llama.context_length") + struct.pack("<II", 4, context),
        text("general.name") + struct.pack("<I", 8) + text("Tiny"),
    ]
    if template:
        pairs.append(text("tokenizer.chat_template") + struct.pack("<I", 8) + text("{{x}}"))
    shapes = [(4, 8), (16,)] if shapes is None else shapes
    tensors = [
        text(f"blk.{number}") + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, 0)
        for number, shape in enumerate(shapes)
    ]
    start = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs))
    return start + b"".join(pairs) + b"".join(tensors)


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("gguf") / "model.gguf"


@given(
    context=st.integers(1, 2**31),
    shapes=st.lists(st.lists(st.integers(1, 4096), min_size=1, max_size=4).map(tuple), max_size=6),
)
def test_what_is_written_is_read(path, context, shapes):
    path.write_bytes(gguf(context=context, shapes=shapes))
    header = read_header(path)
    expected = 0
    for shape in shapes:
        size = 1
        for dimension in shape:
            size *= dimension
        expected += size
    assert (header.name, header.architecture) == ("Tiny", "llama")
    assert header.context_tokens == context
    assert header.parameters == expected
    assert header.has_chat_template


@given(kept=st.floats(0.0, 0.999))
def test_a_file_cut_short_is_a_model_error(path, kept):
    whole = gguf()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(ModelError, match=r"model\.gguf"):
        read_header(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04 a zip", "not a GGUF file"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**60), "damaged"),
    ],
)
def test_other_files_are_refused(tmp_path, data, words):
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=words):
        read_header(path)


def test_missing_weights_are_told(path):
    whole = bytearray(gguf(shapes=[(4,)]))
    whole[-8:] = struct.pack("<Q", 4096)  # the offset of the last tensor
    path.write_bytes(whole)
    with pytest.raises(ModelError, match="cut short"):
        read_header(path)


def test_a_model_that_was_not_made_to_follow_messages_is_refused(tmp_path):
    path = tmp_path / "base.gguf"
    path.write_bytes(gguf(template=False))
    with pytest.raises(ModelError, match="no chat template"):
        facts_of(path)


def test_a_missing_model_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(ModelError, match="There is no model at"):
        facts_of(tmp_path / "nothing.gguf")
    with pytest.raises(ModelError, match=r"openvino_model\.xml is missing"):
        facts_of(tmp_path)


def test_an_openvino_folder_tells_its_window_and_its_weights(tmp_path: Path):
    (tmp_path / "openvino_model.xml").write_text(
        '<data element_type="u4" shape="576, 1536" offset="0"/>\n'
        '<data element_type="f16" shape="64, 64"/>\n<data element_type="i64" shape="3"/>\n'
    )
    for name in ("openvino_tokenizer.xml", "openvino_detokenizer.xml"):
        (tmp_path / name).touch()
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 32768}')
    facts = facts_of(tmp_path)
    assert facts.context_tokens == 32768
    assert facts.parameters == 576 * 1536 + 64 * 64
