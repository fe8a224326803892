"""A corpus built with another encoder: what grounding reads with stays the shipped one."""

import shutil
from pathlib import Path

import pytest

import ragstone
from ragstone.build.names import shared_encoder
from ragstone.models import encoder as encoders
from ragstone.models.encoder_files import EncoderSettings, write_settings

SHIPPED = Path(encoders.__file__).parent / "weights" / encoders.SHIPPED


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The shipped weights under another name, pooled by their first token: other vectors."""
    folder = tmp_path / "other"
    shutil.copytree(SHIPPED, folder)
    settings = EncoderSettings(
        "other", dim=384, max_tokens=256, pooling="mean", query_prefix="search: "
    )
    write_settings(folder, settings)
    return folder


def test_answers_are_grounded_with_the_shipped_encoder(other: Path, tmp_path: Path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "lamp.txt").write_text(
        "The lamp of Skerry was first lit on 3 May 1871. It burned colza oil until 1902."
    )
    answers = []
    for name, spec in (("a", str(other)), ("b", encoders.SHIPPED)):
        with ragstone.open(tmp_path / name, encoder=spec, llm="none", workers=1) as corpus:
            corpus.sync(tmp_path / "docs")
            answers.append(corpus.ask("When was the lamp of Skerry first lit?"))
            assert (corpus.encoder.name == "other") is (name == "a")
    with_other, with_shipped = answers
    assert not with_other.abstained
    assert with_other.text == with_shipped.text
    assert [e.score for e in with_other.evidence] == pytest.approx(
        [e.score for e in with_shipped.evidence], abs=1e-6
    )
    assert shared_encoder().name == encoders.SHIPPED
