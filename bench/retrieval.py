"""What each step of retrieval adds, on a collection in BEIR's form with a corpus made of it.

    ragstone sync DATA_DIR/corpus.jsonl.gz --corpus CORPUS
    python bench/retrieval.py CORPUS DATA_DIR [--limit 500] [--seed 0] [--output TABLE.json]

Every step is asked the same questions. Printed are the means with 95% bootstrap intervals, the
difference to the step before with its paired randomisation test, and wall-clock latency, which
suffers from other work on the machine.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
from pathlib import Path

import ragstone
from ragstone.evaluation.comparison import compare
from ragstone.evaluation.datasets import load_dataset
from ragstone.evaluation.measures import parse_measure
from ragstone.evaluation.retrieval import evaluate_retrieval
from ragstone.protocols import Encoder, Retriever, Snapshot
from ragstone.retrieval.links import Linked
from ragstone.retrieval.proximity import Proximate
from ragstone.retrieval.retrievers import Dense, Hybrid, Lexical

MEASURES = ("nDCG@10", "nDCG@5", "Recall@10", "Recall@100", "MRR@10", "all-gold@10")


def steps(snapshot: Snapshot, encoder: Encoder) -> dict[str, Retriever]:
    """The pipeline taken apart; the last one is the default."""
    hybrid = Hybrid(snapshot, encoder)
    return {
        "words (BM25F)": Lexical(snapshot),
        "meaning (cosine)": Dense(snapshot, encoder),
        "sum of standard scores": hybrid,
        "+ phrases and windows": Proximate(hybrid),
        "+ titles named by the best": Linked(Proximate(hybrid)),
    }


def main() -> None:
    """Evaluate every step and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="questions, drawn with the seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--main", default="nDCG@10")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    dataset = load_dataset(options.data)
    queries = dataset.judged()
    if 0 < options.limit < len(queries):
        queries = random.Random(options.seed).sample(queries, options.limit)
    rows: list[dict[str, object]] = []
    before = None
    print(f"{dataset.name}: {len(queries)} questions, {platform.machine()}\n")
    print(f"| step | {' | '.join(MEASURES)} | change of {options.main} | p50 | p95 ms |")
    print("|---" * (len(MEASURES) + 4) + "|")
    with ragstone.open(options.corpus, read_only=True) as corpus, corpus.snapshot() as snapshot:
        for name, retriever in steps(snapshot, corpus.encoder).items():
            run = evaluate_retrieval(
                retriever,
                queries,
                dataset.qrels,
                dataset=dataset.name,
                measures=[parse_measure(measure) for measure in MEASURES],
            )
            change = ""
            if before is not None:
                (found,) = [
                    d
                    for d in compare(before, run, main=options.main).differences
                    if d.measure == options.main
                ]
                change = f"{100 * found.difference:+.1f} (p {found.p:.3f})"
            low, high = run.confidence[options.main]
            cells = [f"{100 * run.measures[measure]:.1f}" for measure in MEASURES]
            place = MEASURES.index(options.main)
            cells[place] += f" [{100 * low:.1f}, {100 * high:.1f}]"
            times = run.timings_ms
            print(
                f"| {name} | {' | '.join(cells)} | {change} | {times['p50']:.1f} | "
                f"{times['p95']:.1f} |",
                flush=True,
            )
            rows.append({"step": name, "measures": run.measures, "n": run.n, "timings_ms": times})
            before = run
    if options.output is not None:
        table = {"dataset": dataset.name, "checksums": dataset.checksums, "rows": rows}
        options.output.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
