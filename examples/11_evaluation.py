"""Measure retrieval on your own questions: nDCG@10 and recall with confidence intervals."""

from pathlib import Path

import ragstone
from ragstone.evaluation.datasets import Query
from ragstone.evaluation.report import render_text
from ragstone.evaluation.retrieval import evaluate_retrieval

LIBRARY = Path(__file__).parent / "library"
QUESTIONS = {  # question: the file that answers it
    "When was the lamp first lit?": "history.html",
    "How heavy is the optic?": "lamp.rst",
    "What did the restoration cost?": "restoration-2022.pdf",
    "Where is the defibrillator?": "volunteers.pptx",
    "Who is responsible for boat fuel?": "budget.xlsx",
}

with ragstone.open(".ragstone", llm="none") as corpus:
    corpus.sync(LIBRARY)
    queries = [Query(str(n), question) for n, question in enumerate(QUESTIONS)]
    with corpus.snapshot() as snapshot:
        qrels = {str(n): {snapshot.find(name).id: 1} for n, name in enumerate(QUESTIONS.values())}
        result = evaluate_retrieval(corpus.retriever(snapshot), queries, qrels, dataset="mine")
print(render_text(result))
