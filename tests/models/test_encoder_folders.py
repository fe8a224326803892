"""Laws of an encoder's folder: its identity names all that a vector depends on; damage shows."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ragstone.models.encoder as encoder_module
from ragstone.errors import ModelError, UsageError
from ragstone.models.encoder import open_encoder, shipped_encoder
from ragstone.models.encoder_files import read_folder, verify, write_settings

SHIPPED = Path(encoder_module.__file__).parent / "weights/all-MiniLM-L6-v2"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The shipped folder, with settings that can be changed."""
    shutil.copytree(SHIPPED, tmp_path / "copy")
    return tmp_path / "copy"


def change(folder: Path, **settings: object) -> None:
    written = json.loads((folder / "encoder.json").read_text())
    (folder / "encoder.json").write_text(json.dumps(written | settings))


def test_the_shipped_files_are_what_was_built():
    with shipped_encoder() as encoder:
        encoder.verify()
        assert encoder.identity.startswith("all-MiniLM-L6-v2-int8-")
        assert (encoder.name, encoder.dim, encoder.max_tokens) == ("all-MiniLM-L6-v2", 384, 256)


def test_a_copy_keeps_the_identity_and_the_vectors(copy: Path):
    with shipped_encoder() as shipped, open_encoder(copy) as copied:
        assert copied.identity == shipped.identity
        np.testing.assert_array_equal(
            copied.encode_queries(["bone"]), shipped.encode_queries(["bone"])
        )


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("query_prefix", "query: "),
        ("passage_prefix", "p: "),
        ("max_tokens", 128),
        ("pooling", "cls"),
    ],
)
def test_what_changes_vectors_changes_the_identity(copy: Path, setting: str, value: object):
    before = read_folder(copy).identity
    change(copy, **{setting: value})
    assert read_folder(copy).identity != before


def test_what_does_not_change_vectors_keeps_the_identity(copy: Path):
    before = read_folder(copy).identity
    change(copy, optimised=False)
    assert read_folder(copy).identity == before


def test_writing_settings_and_reading_them_is_identity(copy: Path):
    folder = read_folder(copy)
    changed = replace(folder.settings, query_prefix="query: ", max_tokens=64)
    assert write_settings(copy, changed) == read_folder(copy)
    assert read_folder(copy).settings == changed


def test_a_folder_without_checksums_is_hashed_on_opening(copy: Path):
    before = read_folder(copy).identity
    written = json.loads((copy / "encoder.json").read_text())
    del written["files"]
    (copy / "encoder.json").write_text(json.dumps(written))
    assert read_folder(copy).identity == before


def test_prefixes_reach_the_texts(copy: Path):
    change(copy, query_prefix="query: ", passage_prefix="passage: ")
    with open_encoder(copy) as prefixed, shipped_encoder() as plain:
        np.testing.assert_array_equal(
            prefixed.encode_queries(["bone"]), plain.encode_queries(["query: bone"])
        )
        np.testing.assert_array_equal(
            prefixed.encode_passages(["bone"]), plain.encode_passages(["passage: bone"])
        )
        with pytest.raises(UsageError, match="prefix"):
            prefixed.encode_tokens(["bone"])


def test_a_shortened_file_is_an_error_on_opening(copy: Path):
    weights = (copy / "model.onnx").read_bytes()
    (copy / "model.onnx").write_bytes(weights[:-1])
    with pytest.raises(ModelError, match="bytes where"):
        open_encoder(copy)


def test_a_flipped_bit_is_found_by_verify(copy: Path):
    weights = bytearray((copy / "model.onnx").read_bytes())
    weights[1_000_000] ^= 1
    (copy / "model.onnx").write_bytes(weights)
    with pytest.raises(ModelError, match="sha256"):
        verify(read_folder(copy))


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "encoder.json"])
def test_a_missing_file_is_named(copy: Path, name: str):
    (copy / name).unlink()
    with pytest.raises(ModelError, match=name.replace(".", r"\.")):
        open_encoder(copy)


@pytest.mark.parametrize("written", ["", "[]", "{}", '{"name": "x", "colour": 1}'])
def test_settings_that_cannot_be_used_are_an_error(copy: Path, written: str):
    (copy / "encoder.json").write_text(written)
    with pytest.raises(ModelError, match="cannot be used"):
        open_encoder(copy)


def test_an_unknown_pooling_is_an_error(copy: Path):
    change(copy, pooling="median")
    with pytest.raises(ModelError, match="median"):
        open_encoder(copy)


def test_a_graph_that_is_no_graph_is_an_error(copy: Path):
    (copy / "model.onnx").write_bytes(b"not a graph")
    written = json.loads((copy / "encoder.json").read_text())
    del written["files"]
    (copy / "encoder.json").write_text(json.dumps(written))
    with pytest.raises(ModelError, match="cannot be loaded"):
        open_encoder(copy)


def test_a_wrong_dimension_is_an_error(copy: Path):
    change(copy, dim=768)
    with (
        open_encoder(copy) as encoder,
        pytest.raises(ModelError, match="384 dimensions"),
    ):
        encoder.encode_queries(["bone"])


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_pooling_is_that_of_each_row_alone(pooling):
    draw = np.random.default_rng(0)
    hidden = draw.normal(size=(3, 5, 4)).astype(np.float32)
    lengths = np.array([5, 1, 3], np.int32)
    pooled = encoder_module._pool_tokens(hidden, lengths, pooling)
    for row, length, found in zip(hidden, lengths, pooled, strict=True):
        own = row[:length]
        expected = {"mean": own.mean(axis=0), "cls": own[0], "last": own[-1]}[pooling]
        np.testing.assert_allclose(found, expected, rtol=1e-5)
