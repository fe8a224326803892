"""`--corpus`, `--config` and `--json`: before the command or after it, and what JSON promises."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ragstone.cli import main as cli


def invoked(*words: str) -> Result:
    return CliRunner().invoke(cli.group, list(words))


def ended(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of the whole program for these words, in this process."""
    monkeypatch.setattr(sys, "argv", ["ragstone", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus of one note, with a working folder beside it that has none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "note.txt").write_text("The well is 30 metres deep.")
    done = invoked("--corpus", "here", "sync", "note.txt")
    assert done.exit_code == 0, done.output
    assert not (tmp_path / ".ragstone").exists()
    return tmp_path / "here"


def test_all_three_may_stand_on_either_side_of_the_command(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("k = 1\n")
    shared = ("--corpus", "here", "--config", "own.toml", "--json")
    before = invoked(*shared, "search", "well")
    after = invoked("search", "well", *shared)
    assert before.exit_code == after.exit_code == 0, before.output + after.output
    assert json.loads(before.stdout) == json.loads(after.stdout)
    assert len(json.loads(before.stdout)["hits"]) == 1


def test_the_one_after_the_command_wins(corpus: Path, tmp_path: Path) -> None:
    found = invoked("--corpus", "nowhere", "list", "--corpus", "here", "--json")
    assert [row["format"] for row in json.loads(found.stdout)["documents"]] == ["text"]
    (tmp_path / "a.toml").write_text("k = 7\n")
    (tmp_path / "b.toml").write_text("k = 8\n")
    found = invoked("--config", "a.toml", "config", "--config", "b.toml", "--json")
    assert json.loads(found.stdout)["settings"]["k"] == 8


def test_a_named_corpus_goes_before_the_environment(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAGSTONE_CORPUS", "nowhere")
    assert invoked("--corpus", "here", "list").exit_code == 0
    monkeypatch.setenv("RAGSTONE_CORPUS", "here")
    assert invoked("list").exit_code == 0


def test_groups_within_take_them_too(tmp_path: Path) -> None:
    for words in (("--json", "models", "list"), ("models", "--json", "list")):
        assert "models" in json.loads(invoked(*words).stdout)
    keys = ("serve", "--keys", str(tmp_path / "keys.json"), "keys")
    made = json.loads(invoked("--json", *keys, "add", "me").stdout)
    assert made["name"] == "me"
    listed = json.loads(invoked("--json", *keys, "list").stdout)["keys"]
    gone = json.loads(invoked(*keys, "revoke", listed[0]["id"], "--json").stdout)
    assert gone["revoked"]


def test_a_server_takes_the_corpora_named_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ragstone.cli import serve

    seen: list[dict[str, Path]] = []

    def folders() -> None:
        seen.append(serve._folders(()))

    import click

    group = click.Group("ragstone", params=cli.group.params, callback=lambda: None)
    group.add_command(click.Command("look", callback=folders))
    monkeypatch.delenv("RAGSTONE_CORPUS", raising=False)
    CliRunner().invoke(group, ["--corpus", "a=x", "--corpus", "b=y", "look"])
    CliRunner().invoke(group, ["look"])
    assert seen == [{"a": Path("x"), "b": Path("y")}, {"main": Path(".ragstone")}]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--json", "--corpus", "nowhere", "search", "x"), 1),
        (("search", "x", "--json", "--corpus", "nowhere"), 1),
        (("--json", "search", "x", "-k", "0"), 2),
        (("search", "--json"), 2),
        (("--json", "nosuch"), 2),
        (("sync", "nowhere", "--json"), 2),
    ],
)
def test_an_error_with_json_is_one_document(
    words: tuple[str, ...],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended(monkeypatch, *words) == code
    printed = capsys.readouterr()
    assert json.loads(printed.out)["error"]["what"]
    assert printed.err


def test_a_word_after_two_dashes_is_no_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended(monkeypatch, "search", "--", "--json") == 1
    assert capsys.readouterr().out == ""
