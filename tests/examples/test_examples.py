"""Every example runs offline on the shipped library, is short, and prints what it promises."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("[0-9]*.py"))
MOST_LINES = 40
PROMISED = {
    "01_search.py": ["14 documents, 0 could not be read", "hybrid  The lamp of Northmoor"],
    "02_ask.py": ["3 September 1874", "No answer:"],
    "03_stream.py": ["sentences of evidence", "£412,600"],
    "04_chat.py": ["17330", "18402", "understood as", "You are welcome."],
    "05_write.py": ["4 sentences, 4 notes"],
    "06_filters.py": ["Restoration of the lantern gallery", "Budget 2024, piles, visitors"],
    "07_own_encoder.py": ["Training for volunteers"],
    "08_own_language_model.py": ["1874. [1]", "left out: It has 900 visitors a day."],
    "09_structured.py": ["'height_m': 41", "missing: ('shoe_size',)"],
    "10_versions.py": ["1 False", "2 True", "changed: ['handbook.md']", "back: True"],
    "11_evaluation.py": ["nDCG@10", "5 queries"],
    "12_serve.py": ["3 September 1874"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One working folder for all of them, so that the library is read once."""
    return tmp_path_factory.mktemp("examples")


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_example_prints_what_it_promises(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if name == "12_serve.py":
        pytest.importorskip("uvicorn")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RAGSTONE_WORKERS", "1")
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    printed = capfd.readouterr().out
    for words in PROMISED[name]:
        assert words in printed


def test_each_is_short_and_says_what_it_shows() -> None:
    assert len(SCRIPTS) >= 10
    for name in SCRIPTS:
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        assert len(text.splitlines()) <= MOST_LINES, name
        assert text.startswith('"""'), name
