"""Measures `write`: share of exact citations, share verified, coverage of the outline, redundancy.

    python bench/writing.py CORPUS BRIEFS.txt [--llm none] [--output FOLDER]

BRIEFS holds one brief a line, with its kind in front (`report: The lamp`). Redundancy is the share
of statements whose nearest other statement has a cosine of 0.84 or more; a statement is verified if
the judge of `ask` supports it from the quotes it cites; the outline is covered by the share of its
sections that hold a statement.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

import ragstone
from ragstone.applications.manuscripts.markdown import markdown
from ragstone.applications.writing.manuscript import Manuscript
from ragstone.grounding.verification import judge_for
from ragstone.types import Claim, Evidence, Span

SAME = 0.84


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("briefs", type=Path)
    parser.add_argument("--llm", default="none")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    rows = []
    with ragstone.open(options.corpus, llm=options.llm, read_only=True) as corpus:
        for line in options.briefs.read_text(encoding="utf-8").splitlines():
            kind, _, brief = line.partition(": ")
            if not brief:
                continue
            started = time.perf_counter()
            manuscript = corpus.write(brief, kind=kind)
            seconds = time.perf_counter() - started
            row = {"brief": brief, "kind": kind, **measure(corpus, manuscript)}
            rows.append({**row, "seconds": round(seconds, 1)})
            print(json.dumps(rows[-1], ensure_ascii=False))
            if options.output:
                options.output.mkdir(parents=True, exist_ok=True)
                name = "".join(c if c.isalnum() else "-" for c in brief)[:60]
                path = options.output / f"{kind}-{name}.md"
                path.write_text(markdown(manuscript), encoding="utf-8")
    total = sum(row["statements"] for row in rows)
    means = {
        name: round(sum(row[name] * row["statements"] for row in rows) / max(total, 1), 3)
        for name in ("exact", "verified", "redundant")
    }
    covered = round(float(np.mean([row["covered"] for row in rows])), 3)
    print(json.dumps({"statements": total, **means, "covered": covered}))


def measure(corpus: ragstone.Corpus, manuscript: Manuscript) -> dict[str, float]:
    """The four measures of one manuscript, each 0 to 1, and its counts."""
    judge = judge_for(corpus.encoder)
    infos = {info.id: info for info in corpus.documents()}
    exact = verified = 0
    for statement in manuscript.statements:
        right = bool(statement.citations)
        evidence = []
        for c in statement.citations:
            right &= corpus.document(c.document_id).text[c.span.start : c.span.end] == c.quote
            info = infos[c.document_id]
            evidence.append(Evidence(info, c.span, c.quote, 1.0, c.page, c.heading_path))
        exact += right
        claim = judge.judge(Claim(statement.text, Span(0, 0), "unsupported"), evidence)
        verified += claim.verdict == "supported"
    count = len(manuscript.statements)
    redundant = 0.0
    if count > 1:
        vectors = corpus.encoder.encode_passages([s.text for s in manuscript.statements])
        likeness = vectors @ vectors.T
        np.fill_diagonal(likeness, 0.0)
        redundant = float((likeness.max(axis=1) >= SAME).mean())
    sections = manuscript.sections
    return {
        "statements": count,
        "quoted": sum(s.quoted for s in manuscript.statements),
        "removed": len(manuscript.removed),
        "exact": exact / max(count, 1),
        "verified": round(verified / max(count, 1), 3),
        "covered": round(
            sum(bool(list(s.statements)) for s in sections) / max(len(sections), 1), 3
        ),
        "redundant": round(redundant, 3),
    }


if __name__ == "__main__":
    main()
