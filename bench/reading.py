"""How well and how fast files are read, side by side with the libraries a user would pick instead.

    python bench/reading.py DATA_DIR --peers /path/to/venv/bin/python [--formats docx,pdf]

DATA_DIR holds `doc_fixtures/files/<format>/`. What a file says is taken, in this order, from
`doc_fixtures/reference_markdown_docling/<format>/<name>.md` where that exists, else from an
independent reader: LibreOffice (documents, slides, sheets), pandoc (EPUB, HTML), poppler's
pdftotext (PDF). Files that have no reference are read and timed, and not scored.

Measures, over lower-case runs of letters and digits (a Chinese or Japanese character is a word):
- recall: share of the reference's words, as a multiset, that the reader gives;
- F1: harmonic mean of that and the share of the reader's words that the reference has;
- order: F1 over the multisets of three words in a row, which falls where columns are mixed, words
  are broken or glued, and where table cells come in another order.
Means over files; a file that a reader cannot read counts 0. Peers' Markdown links lose their
addresses before counting. Seconds are CPU seconds of the reader's process and its children over
all files, without its import.

Rows of tables repeat their columns' names in ragstone on purpose, which costs it precision here.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

FORMATS = (
    *("docx", "pptx", "xlsx", "xls", "doc", "ppt", "odt"),
    *("rtf", "epub", "pdf", "eml", "msg", "html", "csv"),
)
READERS = ("ragstone", "markitdown", "kreuzberg")
TIMEOUT_S = 60
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"


def words(text: str) -> list[str]:
    text = LINK.sub(r"\1", COMMENT.sub(" ", text))
    return WORD.findall(text.lower())


def f1(found: Counter[object], wanted: Counter[object]) -> tuple[float, float]:
    """(recall, F1) of two multisets."""
    shared = sum((found & wanted).values())
    if not shared:
        return 0.0, 0.0
    recall, precision = shared / wanted.total(), shared / found.total()
    return recall, 2 * recall * precision / (recall + precision)


def score(text: str, reference: str) -> tuple[float, float, float]:
    """(recall, F1, order) of a text against the reference."""
    got, want = words(text), words(reference)
    recall, plain = f1(Counter(got), Counter(want))
    size = min(3, len(want), max(1, len(got)))
    _, order = f1(grams(got, size), grams(want, size))
    return recall, plain, order


def grams(tokens: Sequence[str], size: int) -> Counter[object]:
    return Counter(zip(*(tokens[at:] for at in range(size)), strict=False))


# references


def references(kind: str, paths: Sequence[Path], data: Path) -> dict[str, str | None]:
    """What each file says, by its reference or by an independent reader; None without either."""
    given = data / "doc_fixtures" / "reference_markdown_docling" / kind
    found: dict[str, str | None] = {}
    rest = []
    for path in paths:
        if (given / f"{path.name}.md").exists():
            found[str(path)] = (given / f"{path.name}.md").read_text()
        else:
            rest.append(path)
    targets = {
        **dict.fromkeys(("docx", "doc", "odt", "rtf"), "txt:Text (encoded):UTF8"),
        **dict.fromkeys(("pptx", "ppt"), "pdf"),
        **dict.fromkeys(("xlsx", "xls"), SHEETS),
    }
    if kind in targets:
        with tempfile.TemporaryDirectory() as name:
            out = Path(name)
            office(rest, targets[kind], out)
            for path in rest:
                made = sorted([*out.glob(f"{path.stem}.*"), *out.glob(f"{path.stem}-*.csv")])
                texts = [
                    run(["pdftotext", "-q", str(each), "-"])
                    if each.suffix == ".pdf"
                    else each.read_text(errors="replace")
                    for each in made
                ]
                found[str(path)] = "\n".join(text for text in texts if text) if made else None
        return found
    for path in rest:
        command = {
            "epub": ["pandoc", "-f", "epub", "-t", "plain", "--wrap=none", str(path)],
            "html": ["pandoc", "-f", "html", "-t", "plain", "--wrap=none", str(path)],
            "pdf": ["pdftotext", "-q", str(path), "-"],
            "csv": ["cat", str(path)],
        }.get(kind)
        found[str(path)] = run(command) if command else None
    return found


def office(paths: Sequence[Path], target: str, out: Path) -> None:
    """All files through one LibreOffice; one that it cannot open leaves nothing behind."""
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation=file://{out}/profile", "--convert-to",
         target, "--outdir", str(out), *map(str, paths)],
        capture_output=True, timeout=400,
    )  # fmt: skip


def run(command: list[str]) -> str | None:
    done = subprocess.run(command, capture_output=True, timeout=120)
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


# readers, each in its own process


def ragstone_reader() -> Callable[[str], str]:
    from ragstone.documents import read

    return lambda path: "\n\n".join(each.text for each in read(Path(path)))


def markitdown_reader() -> Callable[[str], str]:
    from markitdown import MarkItDown

    converter = MarkItDown()
    return lambda path: converter.convert(path).text_content


def kreuzberg_reader() -> Callable[[str], str]:
    import kreuzberg

    config = kreuzberg.ExtractionConfig()

    def extract(path: str) -> str:
        result = kreuzberg.extract_file_sync(path, config=config)
        return str(result.content)

    return extract


def worker(name: str, listing: Path, out: Path) -> None:
    """Read every file of the listing; write a JSON line for each as it is done."""
    read = {"ragstone": ragstone_reader, "markitdown": markitdown_reader,
            "kreuzberg": kreuzberg_reader}[name]()  # fmt: skip
    done = set()
    if out.exists():
        done = {json.loads(line)["path"] for line in out.read_text().splitlines()}
    with out.open("a") as stream:
        for path in listing.read_text().splitlines():
            if path in done:
                continue
            before, began = os.times(), time.perf_counter()
            try:
                text, error = read(path), ""
            except BaseException as caught:
                text, error = "", f"{type(caught).__name__}: {str(caught)[:160]}"
            after = os.times()
            cpu = sum(after[:4]) - sum(before[:4])
            wall = time.perf_counter() - began
            row = {"path": path, "text": text, "error": error, "cpu_s": cpu, "wall_s": wall}
            stream.write(json.dumps(row) + "\n")
            stream.flush()


def run_reader(
    name: str, python: str, files: list[str], folder: Path
) -> dict[str, dict[str, object]]:
    """All files through one reader; a process that hangs or dies costs the file it was at."""
    out = folder / f"{name}.jsonl"
    listing = folder / f"{name}.txt"
    results: dict[str, dict[str, object]] = {}
    while True:
        results = {}
        if out.exists():
            for line in out.read_text().splitlines():
                row = json.loads(line)
                results[row["path"]] = row
        left = [path for path in files if path not in results]
        if not left:
            return results
        listing.write_text("\n".join(left))
        process = subprocess.Popen(
            [python, __file__, "--worker", name, str(listing), str(out)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        size, since = -1, time.monotonic()
        while process.poll() is None:
            time.sleep(0.2)
            now = out.stat().st_size if out.exists() else 0
            if now != size:
                size, since = now, time.monotonic()
            elif time.monotonic() - since > TIMEOUT_S:
                process.kill()
                process.wait()
        known = (
            {json.loads(line)["path"] for line in out.read_text().splitlines()}
            if out.exists()
            else set()
        )
        stuck = next((path for path in left if path not in known), None)
        if stuck is not None:
            with out.open("a") as stream:
                row = {"path": stuck, "text": "", "error": "hung or died", "cpu_s": 0.0,
                       "wall_s": float(TIMEOUT_S)}  # fmt: skip
                stream.write(json.dumps(row) + "\n")


def main() -> None:
    if len(sys.argv) == 5 and sys.argv[1] == "--worker":
        worker(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--peers", default="", help="interpreter that has the other libraries")
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--work", type=Path, help="keep outputs here, to look at")
    parser.add_argument("--output", type=Path, default=Path("bench/results/reading.json"))
    options = parser.parse_args()
    folder = options.work or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    for tool in ("soffice", "pandoc", "pdftotext"):
        if shutil.which(tool) is None:
            print(f"{tool} is missing: formats that need it as reference are not scored.")
    files = [
        (kind, path)
        for kind in options.formats.split(",")
        for path in sorted((options.data / "doc_fixtures" / "files" / kind).glob("*"))
    ]
    saved = folder / "references.json"
    known = json.loads(saved.read_text()) if saved.exists() else {}
    for kind in options.formats.split(","):
        missing = [path for each, path in files if each == kind and str(path) not in known]
        known.update(references(kind, missing, options.data))
    saved.write_text(json.dumps(known))
    readers = READERS if options.peers else READERS[:1]
    table: dict[str, dict[str, dict[str, float]]] = {}
    failures: dict[str, list[str]] = {}
    for name in readers:
        python = sys.executable if name == "ragstone" else options.peers
        if name == "ragstone":
            (folder / "ragstone.jsonl").unlink(missing_ok=True)
        results = run_reader(name, python, [str(path) for _, path in files], folder)
        for kind in options.formats.split(","):
            own = [str(path) for each, path in files if each == kind]
            scored = [path for path in own if known[path] and len(words(known[path])) >= 5]
            marks = [score(str(results[path]["text"]), known[path]) for path in scored]
            count = max(1, len(marks))
            table.setdefault(kind, {})[name] = {
                "files": len(own),
                "scored": len(marks),
                "failed": sum(bool(results[path]["error"]) for path in own),
                "recall": round(sum(mark[0] for mark in marks) / count, 3),
                "f1": round(sum(mark[1] for mark in marks) / count, 3),
                "order": round(sum(mark[2] for mark in marks) / count, 3),
                "cpu_s": round(sum(float(str(results[path]["cpu_s"])) for path in own), 2),
            }
        failures[name] = [
            f"{Path(path).name}: {str(row['error']).replace(path, 'it')}"
            for path, row in results.items()
            if row["error"]
        ]
    if options.output.exists():  # a run of some formats replaces these and keeps the others
        earlier = json.loads(options.output.read_text())
        table = {**earlier["formats"], **table}
        for name, lines in earlier["failures"].items():
            own = {line.split(":")[0] for line in failures.get(name, [])}
            read_now = {path.name for _, path in files}
            kept = [line for line in lines if line.split(":")[0] not in own | read_now]
            failures[name] = kept + failures.get(name, [])
    report = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "commit": run(["git", "rev-parse", "--short", "HEAD"]),
        "formats": table,
        "failures": failures,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    print(markdown(table, readers))


def markdown(table: dict[str, dict[str, dict[str, float]]], readers: Sequence[str]) -> str:
    head = " | ".join(f"{name}: recall / F1 / order, CPU s" for name in readers)
    lines = [f"| format (files scored) | {head} |", "|---" * (len(readers) + 1) + "|"]
    for kind, row in table.items():
        cells = [
            f"{row[name]['recall']:.3f} / {row[name]['f1']:.3f} / {row[name]['order']:.3f}, "
            f"{row[name]['cpu_s']:.2f}"
            if row[name]["scored"]
            else f"not scored, {row[name]['failed']:.0f} of {row[name]['files']:.0f} failed, "
            f"{row[name]['cpu_s']:.2f}"
            for name in readers
        ]
        scored = row[readers[0]]["scored"]
        lines.append(f"| {kind} ({scored:.0f}) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
