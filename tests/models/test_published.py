"""Encoders and rerankers by name: whole folders of the right checksums, or nothing."""

import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from ragstone.build.names import open_encoder, open_reranker
from ragstone.errors import ModelError
from ragstone.models import encoder, published, registry
from ragstone.models.encoder_files import EncoderSettings, FileSeal
from ragstone.models.published import PublishedFolder, fetch_folder

SHIPPED = Path(encoder.__file__).parent / "weights" / encoder.SHIPPED
FILES = {name: (SHIPPED / name).read_bytes() for name in ("model.onnx", "tokenizer.json")}
SETTINGS = EncoderSettings("small", dim=384, max_tokens=256, pooling="mean", optimised=True)


def wanted(**changes: object) -> PublishedFolder:
    facts = {
        "name": "small",
        "kind": "encoder",
        "package": "ragstone-test-small",
        "package_version": "1.0",
        "wheel_bytes": 1,
        "members": "small/data",
        "files": {
            name: FileSeal(len(content), hashlib.sha256(content).hexdigest())
            for name, content in FILES.items()
        },
        "license": "Apache-2.0",
        "settings": SETTINGS,
    }
    return PublishedFolder(**{**facts, **changes})


@pytest.fixture
def wheels(monkeypatch, tmp_path) -> Path:
    """The user's pip knows one folder with the wheel, and nothing else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    about = "ragstone_test_small-1.0.dist-info"
    with zipfile.ZipFile(folder / "ragstone_test_small-1.0-py3-none-any.whl", "w") as wheel:
        for name, content in FILES.items():
            wheel.writestr(f"small/data/{name}", content)
        said = "Metadata-Version: 2.1\nName: ragstone-test-small\nVersion: 1.0\n"
        wheel.writestr(f"{about}/METADATA", said)
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("RAGSTONE_MODELS", str(tmp_path / "models"))
    return folder


def test_a_pulled_encoder_is_opened_by_its_name(wheels, monkeypatch):
    monkeypatch.setitem(published.FOLDERS, "small", wanted())
    with pytest.raises(ModelError, match="ragstone models pull small"):
        open_encoder("small")
    path = registry.pull("small")
    assert registry.pull("Small") == registry.model_path("small") == path
    known = next(model for model in registry.list_models() if model.name == "small")
    assert (known.kind, known.present) == ("encoder", True)
    with open_encoder("small") as opened, encoder.shipped_encoder() as shipped:
        opened.verify()
        assert opened.name == "small"
        texts = ["A lamp on the rock."]
        assert (opened.encode_passages(texts) == shipped.encode_passages(texts)).all()
    (path / "tokenizer.json").write_bytes(b"{}")  # somebody cut it short
    assert not published.is_present(wanted(), path)
    registry.pull("small")
    assert published.is_present(wanted(), path)


def test_a_reranker_that_is_not_there_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("RAGSTONE_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match="ragstone models pull ms-marco"):
        open_reranker("ms-marco-MiniLM-L-12-v2")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"files": {"model.onnx": FileSeal(5, "0" * 64)}}, "where 0000"),
        ({"members": "elsewhere"}, "could not be taken"),
        ({"package_version": "9.9"}, "pip could not download"),
    ],
)
def test_what_is_not_the_published_folder_leaves_nothing(wheels, tmp_path, changes, message):
    target = tmp_path / "models" / "small"
    with pytest.raises(ModelError, match=message):
        fetch_folder(wanted(**changes), target)
    assert list(target.parent.iterdir()) == []
