"""The command line as a user meets it: real commands, the real encoder, real files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ragstone.cli import main as cli
from ragstone.errors import UsageError

COMMANDS = (
    *("sync", "add", "rm", "list", "show", "search", "ask", "explain", "doctor", "config"),
    *("models", "versions", "diff", "rollback", "tag"),
)


def ragstone(
    *words: str, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess:
    """Run the installed command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "ragstone", *words],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "80", **(env or {})},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Path:
    """A folder with a copy of the library and a corpus of it."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(library, folder / "library")
    done = ragstone("sync", "library", cwd=folder)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "14 added" in done.stdout
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_fits_eighty_columns(command: str) -> None:
    result: Result = CliRunner().invoke(cli.group, [command, "--help"], terminal_width=80)
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 80
    assert "--json" in result.output or command == "models"


def test_an_answer_is_cited_by_exact_spans(synced: Path) -> None:
    done = ragstone("ask", "When was the lamp first lit?", "--llm", "none", "--json", cwd=synced)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert not answer["abstained"]
    assert "3 September 1874" in answer["answer"]
    citation = answer["citations"][0]
    assert citation["source"].endswith("history.html")
    shown = json.loads(ragstone("show", citation["document_id"], "--json", cwd=synced).stdout)
    assert shown["text"][citation["start"] : citation["end"]] == citation["quote"]
    for claim in answer["claims"]:
        assert answer["answer"][claim["start"] : claim["end"]] == claim["text"]
        assert claim["verdict"] == "supported"


@pytest.mark.parametrize(
    ("question", "expected", "source"),
    [
        ("How much did the restoration of the gallery cost?", "412,600", "restoration-2022.pdf"),
        ("Where does the defibrillator hang?", "museum porch", "volunteers.pptx"),
        ("How many visitors came in 2021?", "11876", "visitors.csv"),
        ("How many cars does the car park hold?", "40 cars", "faq.jsonl#faq-parking"),
        ("When did choughs return to Northmoor?", "2011", "wildlife.epub"),
        ("What has pile 7 lost?", "40 mm", "survey.eml"),
    ],
)
def test_answers_come_from_every_format(
    synced: Path, question: str, expected: str, source: str
) -> None:
    done = ragstone("ask", question, "--llm", "none", "--json", cwd=synced)
    answer = json.loads(done.stdout)
    assert expected in answer["answer"], answer
    assert any(citation["source"].endswith(source) for citation in answer["citations"])


def test_what_the_documents_do_not_hold_is_refused_with_exit_code_4(synced: Path) -> None:
    done = ragstone("ask", "Who is the king of Norway?", "--llm", "none", cwd=synced)
    assert done.returncode == 4
    assert "do not answer this" in done.stdout
    assert "Norway" in done.stdout


def test_a_pdf_citation_names_its_page_and_can_be_drawn(synced: Path) -> None:
    done = ragstone("search", "recast at a foundry in Truro", "--json", "-k", "1", cwd=synced)
    hit = json.loads(done.stdout)["hits"][0]
    assert hit["source"].endswith("restoration-2022.pdf")
    assert hit["page"] == 2
    words = ["show", hit["document_id"], "--highlight", f"{hit['start']}:{hit['end']}"]
    drawn = ragstone(*words, "--page", "2", "--output", "page.png", cwd=synced)
    assert drawn.returncode == 0, drawn.stderr
    assert (synced / "page.png").read_bytes().startswith(b"\x89PNG")


def test_where_narrows_and_says_what_is_wrong_with_an_expression(synced: Path) -> None:
    done = ragstone("search", "lighthouse", "--where", "format = 'pdf'", "--json", cwd=synced)
    assert {hit["source"].rsplit(".", 1)[1] for hit in json.loads(done.stdout)["hits"]} == {"pdf"}
    wrong = ragstone("search", "lighthouse", "--where", "fromat = 'pdf'", cwd=synced)
    assert wrong.returncode == 2
    assert "format" in wrong.stderr


def test_edits_and_deletions_are_mirrored(synced: Path, tmp_path: Path) -> None:
    shutil.copytree(synced / "library", tmp_path / "library")
    assert ragstone("sync", "library", cwd=tmp_path).returncode == 0
    (tmp_path / "library" / "lamp.rst").unlink()
    handbook = tmp_path / "library" / "handbook.md"
    handbook.write_text(handbook.read_text().replace("176 steps", "177 steps"))
    report = json.loads(ragstone("sync", "library", "--json", cwd=tmp_path).stdout)
    assert [Path(source).name for source in report["removed"]] == ["lamp.rst"]
    assert [Path(source).name for source in report["changed"]] == ["handbook.md"]
    asked = ragstone("ask", "How many steps are there?", "--llm", "none", cwd=tmp_path)
    assert "177 steps" in asked.stdout
    assert "176" not in asked.stdout
    again = json.loads(ragstone("sync", "library", "--json", cwd=tmp_path).stdout)
    assert again["unchanged"] == 11
    assert not again["added"] + again["changed"] + again["removed"]


def test_bad_files_are_listed_and_the_rest_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "good.txt").write_text("The well is 30 metres deep.")
    (folder / "zero.pdf").write_bytes(b"")
    (folder / "broken.docx").write_bytes(b"PK\x03\x04 this is no zip archive")
    (folder / "torn.docx").write_bytes(b"PK\x03\x04 nor is this one")
    (folder / "noise.bin").write_bytes(bytes(range(256)) * 40)
    (folder / "loop").symlink_to(folder)
    done = ragstone("sync", "files", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    for name in ("zero.pdf", "broken.docx", "noise.bin"):
        assert name in done.stdout
    assert "1 added, 4 failed" in done.stdout
    failures = json.loads(
        ragstone("sync", "files", "--retry-failed", "--json", cwd=tmp_path).stdout
    )
    remedy = next(f["remedy"] for f in failures["failed"] if f["source"].endswith("torn.docx"))
    assert remedy
    assert " ".join(done.stdout.split()).count(remedy) == 1  # for both documents
    asked = ragstone("ask", "How deep is the well?", "--llm", "none", cwd=tmp_path)
    assert "30 metres" in asked.stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["sync", "missing-folder"], 2, "missing-folder"),
        (["ask", "anything"], 1, "no corpus"),
        (["ask", "  "], 2, "empty"),
        (["search", "x", "--mode", "magic"], 2, "magic"),
        (["ask", "x", "--llm", "gpt"], 2, "gpt"),
        (["models", "path", "nosuch"], 2, "nosuch"),
        (["nosuch"], 2, "nosuch"),
    ],
)
def test_wrong_use_is_told_with_the_value(
    tmp_path: Path, words: list[str], code: int, says: str
) -> None:
    done = ragstone(*words, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".ragstone" / "corpus.db").exists() or words[0] == "sync"


def test_an_unknown_setting_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "ragstone.toml").write_text('encodr = "x"\n')
    done = ragstone("config", cwd=tmp_path)
    assert done.returncode == 2
    assert "`encodr`" in done.stderr
    assert "`encoder`" in done.stderr


def test_settings_from_file_environment_and_call_win_in_that_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ragstone import settings

    (tmp_path / "ragstone.toml").write_text('k = 3\ncaution = "eager"\n')
    monkeypatch.chdir(tmp_path)
    assert settings.load().k == 3
    monkeypatch.setenv("RAGSTONE_K", "4")
    assert settings.load().k == 4
    assert settings.load({"k": 5}).k == 5
    assert settings.load().caution == "eager"
    with pytest.raises(UsageError, match="cautious, balanced, eager"):
        settings.load({"caution": "wild"})
    with pytest.raises(UsageError, match="whole number"):
        settings.load({"k": "many"})


def test_versions_can_be_compared_named_and_brought_back(synced: Path, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("The key is under the red stone.")
    assert ragstone("sync", "note.txt", cwd=tmp_path).returncode == 0
    assert ragstone("tag", "first", cwd=tmp_path).returncode == 0
    note.write_text("The key is under the blue stone.")
    assert ragstone("sync", "note.txt", cwd=tmp_path).returncode == 0
    changed = json.loads(ragstone("diff", "first", "--json", cwd=tmp_path).stdout)["changed"]
    assert len(changed) == 1
    old = ragstone("search", "key", "--at", "first", "--json", cwd=tmp_path)
    assert "red stone" in json.loads(old.stdout)["hits"][0]["text"]
    assert ragstone("rollback", "first", cwd=tmp_path).returncode == 0
    new = ragstone("search", "key", "--json", cwd=tmp_path)
    assert "red stone" in json.loads(new.stdout)["hits"][0]["text"]
    listed = json.loads(ragstone("versions", "--json", cwd=tmp_path).stdout)["versions"]
    assert [version["version"] for version in listed] == [1, 2, 3]


def test_removing_a_document_takes_it_out_of_answers(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The safe's code is 4711.")
    (tmp_path / "b.txt").write_text("The garden has eleven trees.")
    assert ragstone("sync", "a.txt", "b.txt", cwd=tmp_path).returncode == 0
    assert ragstone("rm", "a.txt", cwd=tmp_path).returncode == 0
    listed = json.loads(ragstone("list", "--json", cwd=tmp_path).stdout)["documents"]
    assert [Path(document["source"]).name for document in listed] == ["b.txt"]
    found = json.loads(ragstone("search", "code of the safe", "--json", cwd=tmp_path).stdout)
    assert all("4711" not in hit["text"] for hit in found["hits"])
