"""What can go wrong around the program is told with the value and a remedy, not a traceback."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ragstone.cli import main as cli
from ragstone.errors import CorpusError

RAGSTONE = f"{sys.executable} -m ragstone"


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Path:
    """A folder with a PDF, a note, and a corpus of both."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copy(library / "restoration-2022.pdf", folder)
    shutil.copy(library / "history.html", folder)
    done = shell(f"{RAGSTONE} sync restoration-2022.pdf history.html", folder)
    assert done.returncode == 0, done.stderr
    return folder


def shell(words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def ended(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of the whole program for these words, in this process."""
    monkeypatch.setattr(sys, "argv", ["ragstone", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


@pytest.mark.parametrize("words", ["list", "list --json", "show history.html"])
def test_a_pipe_that_is_closed_early_is_no_error(synced: Path, words: str) -> None:
    done = shell(f"{RAGSTONE} {words} | head -c 1 >/dev/null", synced)
    assert done.stderr.replace("2 documents, 5 passages\n", "") == ""


@pytest.mark.parametrize("words", ["list", "list --json"])
def test_a_full_disk_behind_standard_output_is_told(synced: Path, words: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    done = shell(f"{RAGSTONE} {words} >/dev/full", synced)
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Make room" in done.stderr
    assert "Traceback" not in done.stderr


def test_streams_that_were_closed_before_the_start_are_no_error(synced: Path) -> None:
    done = shell(f"{RAGSTONE} list >&-", synced)
    assert (done.returncode, done.stdout) == (0, "")
    assert "Traceback" not in done.stderr
    done = shell(f"{RAGSTONE} list 2>&-", synced)
    assert done.returncode == 0
    assert "history.html" in done.stdout


def test_a_terminal_that_knows_ascii_alone_gets_escapes(synced: Path) -> None:
    asked = f'{RAGSTONE} ask "When was the lamp first lit?" --llm none'
    plain = shell(asked, synced, PYTHONIOENCODING="ascii")
    assert plain.returncode == 0, plain.stderr
    assert "3 September 1874" in plain.stdout
    found = shell(f"{asked} --json", synced, PYTHONIOENCODING="ascii")
    assert "“" in json.loads(found.stdout)["answer"]


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_without_colours_gets_no_codes(synced: Path, name: str, value: str) -> None:
    if shutil.which("script") is None:
        pytest.skip("no `script`, which makes a terminal")
    plain = {"TERM": "xterm", name: value}
    listed = shell(f"script -qec '{RAGSTONE} list' /dev/null", synced, **plain)
    assert "history.html" in listed.stdout
    assert "\x1b[" not in listed.stdout
    coloured = shell(f"script -qec '{RAGSTONE} list' /dev/null", synced, TERM="xterm", NO_COLOR="")
    assert "\x1b[" in coloured.stdout


def test_names_that_are_no_text_are_listed_and_json_stays_whole(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    try:
        Path(os.fsdecode(os.fsencode(tmp_path / "files") + b"/caf\xe9.txt")).write_text("x")
    except OSError:
        pytest.skip("the disk takes no such name")
    done = shell(f"{RAGSTONE} sync files", tmp_path)
    assert done.returncode == 3
    assert "Rename the file" in done.stdout
    done = shell(f"{RAGSTONE} sync files --retry-failed --json", tmp_path)
    assert json.loads(done.stdout)["failed"]


def test_a_reason_does_not_say_the_name_again(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"PK\x03\x04 no archive")
    done = shell(f"{RAGSTONE} sync a.docx", tmp_path)
    assert done.returncode == 3
    assert done.stdout.count("a.docx") == 1
    assert "           It is a damaged zip container" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_an_empty_folder_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = shell(f"{RAGSTONE} sync empty", tmp_path)
    assert done.returncode == 0
    assert "no file here that can be read" in done.stdout


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(13, "Permission denied", "/a/corpus.db"), "Give this user permission"),
        (OSError(30, "Read-only file system", "/a"), "can be written"),
        (FileNotFoundError(2, "No such file or directory", "/a/b.png"), "Make the folder first"),
        (OSError(5, "Input/output error"), "Mend that"),
    ],
)
def test_what_the_system_refuses_is_told_with_a_remedy(
    error: OSError,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli.group, "main", refuse)
    assert ended(monkeypatch, "list", "--json") == 1
    printed = capsys.readouterr()
    told = json.loads(printed.out)["error"]
    assert str(error.strerror) in told["what"]
    assert error.filename is None or error.filename in told["what"]
    assert says in told["remedy"]


def test_a_disk_too_full_for_a_new_corpus_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ragstone.corpus import schema

    monkeypatch.setattr(schema, "TABLES", "PRAGMA max_page_count = 1;" + schema.TABLES)
    with pytest.raises(CorpusError, match="full") as told:
        schema.create_database(tmp_path / "corpus.db", "x", 4)
    assert isinstance(told.value.__cause__, sqlite3.OperationalError)
    assert "Make room" in told.value.remedy


def test_show_draws_and_says_so_in_json(synced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pdf = ("show", "restoration-2022.pdf", "--json")
    monkeypatch.chdir(synced)
    words = " ".join(pdf)
    done = shell(f"{RAGSTONE} {words} --page 2 --output page.png", synced)
    assert json.loads(done.stdout)["page"] == 2
    done = shell(f"{RAGSTONE} {words} --page 99", synced)
    assert done.returncode == 2
    assert "no page 99" in json.loads(done.stdout)["error"]["what"]
    done = shell(f"{RAGSTONE} {words} --page 2", synced)
    shown = json.loads(done.stdout)
    page = shown["text"][shown["shown"]["start"] : shown["shown"]["end"]]
    assert 0 < len(page) < len(shown["text"])


def test_a_plan_is_one_json_document(synced: Path) -> None:
    done = shell(f'{RAGSTONE} write "The lighthouse" --llm none --plan --json', synced)
    assert done.returncode == 0, done.stderr
    planned = json.loads(done.stdout)
    assert planned["sections"]
    assert all(heading in planned["outline"] for heading in planned["sections"])


def test_an_outline_that_is_not_there_is_told_in_words(synced: Path) -> None:
    done = shell(f"{RAGSTONE} write x --outline nope.md", synced)
    assert done.returncode == 2
    assert "nope.md cannot be read: No such file or directory." in done.stderr


def test_a_server_says_where_it_serves_only_once_it_does(synced: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = shell(f"{RAGSTONE} serve --port {port} --log none", synced)
    assert done.returncode == 2
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use.\n" in done.stderr
    assert f"--port, such as {port + 1}" in done.stderr
    assert "Serving on" not in done.stderr
    done = shell(f"{RAGSTONE} serve --host nosuch.invalid --log none", synced)
    assert done.returncode in (1, 2)
    assert "Serving on" not in done.stderr


def test_sizes_and_counts_are_said_as_a_person_says_them() -> None:
    from ragstone.cli.output import counted, sized

    assert (counted(1, "document"), counted(2, "document")) == ("1 document", "2 documents")
    assert (sized(23_335), sized(1_400_000)) == ("23 KB", "1.4 MB")


def test_an_empty_name_of_a_corpus_is_not_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The well is 30 metres deep.")
    done = shell(f'{RAGSTONE} sync a.txt --corpus "$UNSET"', tmp_path)
    assert done.returncode == 2
    assert "--corpus" in done.stderr
    assert "it is empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_an_estimate_says_what_there_is_and_nothing_of_what_there_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("The well is 30 metres deep.")
    done = shell(f"{RAGSTONE} sync empty --dry-run", tmp_path)
    assert done.stdout == "There is no file here that can be read.\n"
    done = shell(f"{RAGSTONE} sync a.txt --dry-run", tmp_path)
    assert done.stdout.startswith("1 new\n0 KB to read: about 1 passage, ")


def test_an_import_blames_the_place_that_fails(synced: Path, tmp_path: Path) -> None:
    assert shell(f"{RAGSTONE} export {tmp_path}/a.rag", synced).returncode == 0
    (tmp_path / "file").write_text("x")
    done = shell(f"{RAGSTONE} import a.rag --corpus file/corpus", tmp_path)
    assert done.returncode == 1
    assert "Cannot import a.rag into " in done.stderr
    assert "file/corpus: File exists." in done.stderr
    done = shell(f"{RAGSTONE} optimize", synced)
    assert "-" not in done.stderr
