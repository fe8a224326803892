"""Writes the tree of rooms and files, one phrase each, into ARCHITECTURE.md and README.md.

The phrases are the first sentences of the modules' docstrings, so there is one place to change
them. `python docs/tree.py` rewrites the blocks between the markers; `--check` only compares.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "ragstone"
ORDER = (
    *("cli", "serve", "build", "settings", "testing", "training", "evaluation", "applications"),
    *("grounding", "retrieval", "documents", "models", "corpus", "text"),
    *("protocols", "trace", "types", "errors"),
)
WIDTH = 100


def phrase(path: Path) -> str:
    """The first sentence of a module's docstring, on one line."""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = re.split(r"(?<=[.!?:])\s+(?=[A-Z(`])|\n\n", said, maxsplit=1)[0]
    return " ".join(first.split()).rstrip(".:")


def tree(*, files: bool) -> str:
    """The package as an indented list; without `files`, one line a room."""
    lines = ["src/ragstone/"]
    for name in ORDER:
        room = PACKAGE / name
        if not room.is_dir():
            lines.append(_line(f"  {name}.py", phrase(PACKAGE / f"{name}.py")))
            continue
        lines.append(_line(f"  {name}/", phrase(room / "__init__.py")))
        if files:
            lines += _inside(room, "    ")
    return "\n".join(lines)


def _inside(folder: Path, indent: str) -> list[str]:
    lines = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and (path / "__init__.py").is_file():
            lines.append(_line(f"{indent}{path.name}/", phrase(path / "__init__.py")))
            lines += _inside(path, indent + "  ")
        elif path.suffix == ".py" and path.name != "__init__.py":
            lines.append(_line(f"{indent}{path.name}", phrase(path)))
    return lines


def _line(name: str, said: str) -> str:
    line = f"{name:<28}{said}"
    return line if len(line) <= WIDTH else line[: WIDTH - 1].rsplit(" ", 1)[0].rstrip(",;") + " …"


def written(text: str, *, files: bool) -> str:
    """`text` with the block between the tree's markers renewed."""
    block = f"<!-- tree -->\n```text\n{tree(files=files)}\n```\n<!-- /tree -->"
    return re.sub(r"<!-- tree -->.*?<!-- /tree -->", lambda _: block, text, flags=re.DOTALL)


def main() -> None:
    """Rewrite both files, or with --check exit with 1 where one is stale."""
    stale = []
    for name, files in (("ARCHITECTURE.md", True), ("README.md", True)):
        path = ROOT / name
        old = path.read_text(encoding="utf-8")
        new = written(old, files=files)
        if new != old:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(new, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"Stale trees in {', '.join(stale)}: run `python docs/tree.py`.")


if __name__ == "__main__":
    main()
