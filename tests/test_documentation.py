"""The documents say what is so: trees are fresh, transcripts are what the commands print."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ragstone.cli.main import group

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MASKS = (
    (re.compile(r"\d+\.\d s\b"), "N s"),
    (re.compile(r"confidence \d\.\d\d"), "confidence N"),
)

# In a process of its own: every socket but a local pipe's refuses, as with the cable pulled.
BLOCKED = """
import socket, sys
def refuse(*words, **more):
    raise OSError("the network is blocked")
socket.socket.connect = refuse
socket.create_connection = refuse
socket.getaddrinfo = refuse
from ragstone.cli.main import main
sys.argv = ["ragstone", *sys.argv[1:]]
main()
"""


def masked(text: str) -> str:
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def run(words: str, folder: Path, *, code: str = "") -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "ragstone"]
    return subprocess.run(
        [*command, *shlex.split(words)[1:]],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_trees_are_those_of_the_package() -> None:
    done = subprocess.run(
        [sys.executable, "docs/tree.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_first_transcript_is_what_the_commands_print(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    block = re.search(r"```console\n(.*?)```", README, re.DOTALL)
    assert block
    steps = re.split(r"^\$ ", block[1], flags=re.MULTILINE)[1:]
    assert len(steps) >= 3
    code = 0
    for step in steps:
        words, _, expected = step.partition("\n")
        if words == "echo $?":
            assert expected.strip() == str(code)
            continue
        done = run(words, tmp_path)
        code = done.returncode
        shown = masked(done.stdout.replace(f"{tmp_path}/", ""))
        assert shown.startswith(masked(expected)) or shown == masked(expected), shown


def test_every_command_of_the_readme_is_understood() -> None:
    lines = re.findall(r"^\$ ragstone (.+)$", README, re.MULTILINE)
    assert len(lines) >= 10
    for line in lines:
        name, *words = shlex.split(line, comments=True)
        with group.commands[name].make_context(name, words):  # wrong words raise
            pass


def test_the_python_of_the_readme_runs(tmp_path: Path, library: Path) -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block
    (tmp_path / "papers").mkdir()
    shutil.copy(library / "history.html", tmp_path / "papers")
    done = subprocess.run(
        [sys.executable, "-c", block[1]],
        cwd=tmp_path,
        env={**os.environ, "RAGSTONE_LLM": "none"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "3 September 1874" in done.stdout


def test_the_readme_is_short_and_leaves_the_files_to_the_architecture() -> None:
    assert len(README) < 10_000
    assert "cli/main.py" not in README
    rooms = re.search(r"<!-- rooms -->.*?<!-- /rooms -->", README, re.DOTALL)
    assert rooms
    for path in (ROOT / "src" / "ragstone").iterdir():
        if (path / "__init__.py").is_file():
            assert f"  {path.name}/ " in rooms[0]


def test_every_command_and_option_says_what_it_does() -> None:
    def walk(command: click.Command, name: str) -> None:
        assert command.help, f"{name} has no help"
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.help, f"{name} {parameter.opts} has no help"
        for child, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{name} {child}")

    walk(group, "ragstone")


def test_the_default_works_with_the_network_blocked(tmp_path: Path, library: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("history.html", "restoration-2022.pdf", "budget.xlsx"):
        shutil.copy(library / name, tmp_path / "a" / name)
    synced = run("ragstone sync a", tmp_path, code=BLOCKED)
    assert synced.returncode == 0, synced.stdout
    asked = run('ragstone ask "When was the lamp first lit?" --llm none', tmp_path, code=BLOCKED)
    assert asked.returncode == 0, asked.stdout
    assert "3 September 1874" in asked.stdout


@pytest.mark.real
def test_the_local_model_works_with_the_network_blocked(tmp_path: Path, library: Path) -> None:
    pytest.importorskip("openvino_genai")
    from ragstone.models import registry

    built_in = next(m for m in registry.list_models() if m.name == registry.BUILT_IN)
    if not built_in.present:
        pytest.skip("the local model has not been pulled")
    shutil.copy(library / "history.html", tmp_path / "history.html")
    synced = run("ragstone sync history.html", tmp_path, code=BLOCKED)
    assert synced.returncode == 0, synced.stdout
    asked = run('ragstone ask "When was the lamp first lit?"', tmp_path, code=BLOCKED)
    assert asked.returncode == 0, asked.stdout
    assert "3 September 1874" in asked.stdout
    assert "SmolLM2" in asked.stdout


def test_the_block_really_blocks() -> None:
    code = BLOCKED.split("from ragstone")[0] + "socket.create_connection(('127.0.0.1', 9))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "the network is blocked" in done.stderr
    assert socket.socket is not None


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/LOG.md"])
def test_links_within_the_documents_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert ((ROOT / name).parent / target).exists(), f"{name} links to {target}"
