"""Questions about real filings: is the right page found, and does the answer hold the right figure?

    ragstone sync DATA_DIR/pdfs --corpus CORPUS
    python bench/filings.py CORPUS DATA_DIR [--show] [--output bench/results/filings.json]

DATA_DIR is in BEIR's form; its judgements name pages of PDF files, `FILE#pN` with N from 0. Asked
are the questions all of whose files are in the corpus.

- Page recall: a hit stands for the page on which its passage begins, hits of one page count once,
  and Recall@k is the share of a question's pages among the first k different pages.
- Answers are those without a language model: quotes. A question is one of a figure where its answer
  names one amount, and that amount stands on a page it was judged by. A figure is found where a
  shown quote of the right file holds it: compared by value, rounded as the answer is written (zeros
  after the point say nothing), money in any unit of thousands: $8.70 billion is 8,738 in millions.
- A page is cited where a shown quote begins on a judged page. An abstention shows no quote. Of the
  quotes that are shown, the share is counted that stands in the right file.

Means with 95% bootstrap intervals over questions.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePath

import ragstone
from ragstone.evaluation.confidence import bootstrap_interval
from ragstone.evaluation.datasets import Dataset, Query, load_dataset
from ragstone.evaluation.measures import parse_measure
from ragstone.evaluation.retrieval import by_page, evaluate_retrieval
from ragstone.grounding.quantities import Quantity, quantities_of
from ragstone.types import Answer, Document

MEASURES = ("Recall@5", "Recall@10")
MODES = {"words": "lexical", "meaning": "dense", "hybrid": "hybrid"}
_NO_AMOUNT = {"year", "date", "ordinal"}
_SCALES = tuple(1000.0**power for power in range(-3, 4))
_ZEROS = re.compile(r"(\.\d*?)0+(?!\d)")


def amounts(text: str) -> list[Quantity]:
    """The quantities of a text that are no dates, each written without zeros at its end."""
    bare = _ZEROS.sub(lambda found: found[1].rstrip("."), text)
    return [each for each in quantities_of(bare) if each.kind not in _NO_AMOUNT]


def holds(text: str, wanted: Quantity) -> bool:
    """Whether a text holds an amount, signs aside; money in any unit of thousands."""
    scales = _SCALES if wanted.kind == "money" else (1.0,)
    return any(
        abs(abs(known.value) * scale - abs(wanted.value)) <= wanted.step / 2 * (1 + 1e-9)
        for known in amounts(text)
        if (known.kind == "percent") == (wanted.kind == "percent")
        for scale in scales
    )


def page_of(document: Document, page: int) -> str:
    """The text of a page, counted from 0; "" where there is none."""
    pages = [e.span for e in document.elements if e.kind == "page" and e.level == page + 1]
    return pages[0].of(document.text) if pages else ""


def figure_of(
    query: Query, pages: Sequence[str], documents: dict[str, Document]
) -> Quantity | None:
    """The one amount that answers the question and stands on one of its pages, if there is one."""
    found = amounts(query.answers[0]) if query.answers else []
    if len(found) != 1:
        return None
    texts = (
        page_of(documents[name], int(number)) for name, number in (p.split("#p") for p in pages)
    )
    return found[0] if any(holds(text, found[0]) for text in texts) else None


def judge(answer: Answer, pages: Sequence[str], wanted: Quantity | None) -> dict[str, float]:
    """What one answer is worth, by measure."""
    files = {page.split("#p")[0] for page in pages}
    shown = [c for c in answer.citations if PurePath(c.source).stem in files]
    cited = {f"{PurePath(c.source).stem}#p{(c.page or 1) - 1}" for c in shown}
    values = {
        "abstained": float(answer.abstained),
        "file cited": float(bool(shown)),
        "page cited": float(bool(cited & set(pages))),
    }
    if answer.citations:
        values["quotes of the file"] = len(shown) / len(answer.citations)
    if wanted is not None:
        values["figure shown"] = float(any(holds(c.quote, wanted) for c in shown))
    return values


def mean(values: Sequence[float]) -> str:
    """A mean in hundredths with its interval and the number of values."""
    low, high = bootstrap_interval(values)
    share = sum(values) / max(1, len(values))
    return f"{100 * share:.1f} [{100 * low:.1f}, {100 * high:.1f}] of {len(values)}"


def show(query: Query, pages: Sequence[str], answer: Answer, values: dict[str, float]) -> None:
    """Print a question with its answer, to be read by a person."""
    marks = ", ".join(f"{name} {value:.0f}" for name, value in values.items())
    print(
        f"\n## {query.id} {query.question}\nwanted: {query.answers[0][:200]} ({', '.join(pages)})"
    )
    print(f"{marks}\n{answer.text}")
    for cited in answer.citations:
        print(f"   [{PurePath(cited.source).stem} page {cited.page}]")


def main() -> None:
    """Measure retrieval and answers, and print a table in Markdown for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--show", action="store_true", help="print each answer")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    data: Dataset = load_dataset(options.data)
    with ragstone.open(options.corpus, read_only=True) as corpus, corpus.snapshot() as snapshot:
        documents = {
            PurePath(info.source).stem: snapshot.document(info.id) for info in corpus.documents()
        }
        pages = {
            query.id: sorted(data.qrels[query.id])
            for query in data.judged()
            if {page.split("#p")[0] for page in data.qrels[query.id]} <= documents.keys()
        }
        queries = [query for query in data.judged() if query.id in pages]
        print(f"{data.name}: {len(queries)} questions over {len(documents)} files\n")
        print(f"| by | {' | '.join(MEASURES)} |\n|---|---|---|")
        report: dict[str, object] = {"dataset": data.name, "checksums": dict(data.checksums)}
        for name, mode in MODES.items():
            run = evaluate_retrieval(
                corpus.retriever(snapshot, mode),
                queries,
                data.qrels,
                measures=[parse_measure(measure) for measure in MEASURES],
                identify=by_page,
            )
            cells = (mean([query.values[m] for query in run.queries]) for m in MEASURES)
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
            report[name] = {"measures": run.measures, "confidence": run.confidence, "n": run.n}
        judged: dict[str, list[float]] = {}
        for query in queries:
            answer = corpus.ask(query.question, llm="none")
            values = judge(answer, pages[query.id], figure_of(query, pages[query.id], documents))
            for name, value in values.items():
                judged.setdefault(name, []).append(value)
            if options.show:
                show(query, pages[query.id], answer, values)
        print("\n| answers without a model | share |\n|---|---|")
        for name, column in judged.items():
            print(f"| {name} | {mean(column)} |")
        report["answers"] = {
            name: {"mean": sum(c) / len(c), "confidence": bootstrap_interval(c), "n": len(c)}
            for name, c in judged.items()
        }
    if options.output is not None:
        options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
