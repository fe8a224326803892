"""Writes the rooms into README.md, and every file of theirs into ARCHITECTURE.md, a phrase each.

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


def rooms() -> str:
    """The package's rooms from the top floor down, one line each."""
    return "\n".join(["src/ragstone/", *(_room(name) for name in ORDER)])


def tree() -> str:
    """The package with every file, as an indented list."""
    lines = ["src/ragstone/"]
    for name in ORDER:
        lines.append(_room(name))
        if (PACKAGE / name).is_dir():
            lines += _inside(PACKAGE / name, "    ")
    return "\n".join(lines)


def _room(name: str) -> str:
    if (PACKAGE / name).is_dir():
        return _line(f"  {name}/", phrase(PACKAGE / name / "__init__.py"))
    return _line(f"  {name}.py", phrase(PACKAGE / f"{name}.py"))


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


def written(text: str, mark: str, shown: str) -> str:
    """`text` with the block between the markers named `mark` renewed."""
    block = f"<!-- {mark} -->\n```text\n{shown}\n```\n<!-- /{mark} -->"
    return re.sub(f"<!-- {mark} -->.*?<!-- /{mark} -->", lambda _: block, text, flags=re.DOTALL)


def main() -> None:
    """Rewrite both files, or with --check exit with 1 where one is stale."""
    stale = []
    for name, mark, shown in (
        ("ARCHITECTURE.md", "tree", tree()),
        ("README.md", "rooms", rooms()),
    ):
        path = ROOT / name
        old = path.read_text(encoding="utf-8")
        new = written(old, mark, shown)
        if new != old:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(new, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"Stale in {', '.join(stale)}: run `python docs/tree.py`.")


if __name__ == "__main__":
    main()
