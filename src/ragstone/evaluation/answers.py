"""How good an answer is: against reference answers, and against what it cites.

Exact match and token F1 follow SQuAD's own script (Rajpurkar et al. 2016): lower case, without
punctuation and articles. Measures of one answer are numbers from 0 to 1.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragstone.types import Answer, Citation, Span

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation + "“”‘’–—…")


def normalised(text: str) -> str:
    """SQuAD's normal form: lower case, no punctuation, no articles, single spaces."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, references: Sequence[str]) -> float:
    """1 where the answer equals a reference in normal form; without references, where it is
    empty."""
    if not references:
        return float(not normalised(answer))
    return float(any(normalised(answer) == normalised(reference) for reference in references))


def token_f1(answer: str, references: Sequence[str]) -> float:
    """The best harmonic mean of token precision and recall over the references."""
    if not references:
        return float(not normalised(answer))
    return max(_f1(normalised(answer).split(), normalised(r).split()) for r in references)


def containment(answer: str, references: Sequence[str]) -> float:
    """1 where the answer holds a reference as whole words, in normal form."""
    said = f" {normalised(answer)} "
    return float(any(f" {wanted} " in said for r in references if (wanted := normalised(r))))


def token_recall(answer: str, references: Sequence[str]) -> float:
    """The best share of a reference's tokens that the answer holds: what a long reference can
    be measured by, which no answer contains word for word (0 without references)."""
    said = Counter(normalised(answer).split())
    shares = [
        sum((said & wanted).values()) / sum(wanted.values())
        for reference in references
        if (wanted := Counter(normalised(reference).split()))
    ]
    return max(shares, default=0.0)


@dataclass(frozen=True, slots=True)
class CitationMeasures:
    """precision: share of citations that hold the answer or overlap a gold span; recall: whether
    any does; exact: share whose quote stands where they say."""

    precision: float
    recall: float
    exact: float
    citations: int


def citation_measures(
    answer: Answer,
    *,
    references: Sequence[str],
    gold_documents: Sequence[str] = (),
    gold_spans: Mapping[str, Sequence[Span]] | None = None,
    texts: Mapping[str, str],
) -> CitationMeasures:
    """Citations of an answer against gold evidence.

    A citation is right where it overlaps a gold span of its document, where spans are given;
    else where it is of a gold document (if any are named) and holds a reference answer (if
    there are any). `texts` gives each cited document's whole text for the check of quotes.
    """
    cited = answer.citations
    if not cited:
        return CitationMeasures(0.0, 0.0, 1.0, 0)
    right = [
        _is_right(citation, references, frozenset(gold_documents), gold_spans or {})
        for citation in cited
    ]
    exact = [
        citation.span.of(texts.get(citation.document_id, "")) == citation.quote != ""
        for citation in cited
    ]
    return CitationMeasures(
        sum(right) / len(right), float(any(right)), sum(exact) / len(exact), len(cited)
    )


def _is_right(
    citation: Citation,
    references: Sequence[str],
    gold_documents: frozenset[str],
    gold_spans: Mapping[str, Sequence[Span]],
) -> bool:
    if gold_spans:
        return any(
            citation.span.overlaps(span) for span in gold_spans.get(citation.document_id, ())
        )
    if gold_documents and citation.document_id not in gold_documents:
        return False
    return bool(containment(citation.quote, references)) if references else bool(gold_documents)


def _f1(said: Sequence[str], wanted: Sequence[str]) -> float:
    if not said or not wanted:
        return float(said == wanted)
    common = sum((Counter(said) & Counter(wanted)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(said), common / len(wanted)
    return 2 * precision * recall / (precision + recall)
