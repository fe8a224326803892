"""How far evidence bears a claim out: features for the learned judge.

Words first (what is covered, what differs), then meaning: every token of the claim looks for
its likest token in the evidence (late interaction, Khattab and Zaharia 2020). A changed word
betrays itself as the one token that finds no like, and a word moved to another role as a like
token in an unlike context.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ragstone.grounding.lexicon import NEGATORS
from ragstone.grounding.names import names_of
from ragstone.grounding.quantities import quantities_of
from ragstone.grounding.reading import Reading, context_of
from ragstone.grounding.tokens import Encoded, TokenMemory
from ragstone.grounding.words import Word, coverage, rarity, terms_of, words_of
from ragstone.protocols import Vectors
from ragstone.types import Evidence

Matrix = npt.NDArray[np.float32]

FEATURES: tuple[str, ...] = (
    "share", "best_share", "all_share", "plain_share", "sentence_share", "missing", "missing_share",
    "numbers", "numbers_missing", "numbers_contrary", "dates_missing", "dates_contrary",
    "names", "names_missing", "names_missing_share", "negation", "opposite", "strength", "order",
    "negators_apart", "pairs", "pairs_best", "run", "in_order",
    "cosine", "cosine_second", "cosine_all",
    "token_mean", "token_content", "token_least", "token_second", "token_low", "token_far",
    "token_missing", "token_same", "token_same_least", "token_best", "token_best_least",
    "token_numbers", "token_names", "sentence_used",
    "words", "sentences", "evidence_words",
)  # fmt: skip


def support_features(reading: Reading, evidence: Sequence[Evidence], memory: TokenMemory) -> Matrix:
    """Shape (len(FEATURES),): how far `evidence` bears the read claim out."""
    claim = memory.encode([reading.stated])[0]
    units = memory.encode([item.text for item in evidence])
    around = memory.encode([text for item in evidence if (text := context_of(item).strip())])
    lexical = _lexical(reading, evidence)
    meaning = _meaning(reading, evidence, claim, units, around)
    sizes = [
        float(np.log1p(len(words_of(reading.stated)))),
        float(np.log1p(len(evidence))),
        float(np.log1p(sum(len(words_of(item.text)) for item in evidence))),
    ]
    return np.array([*lexical, *meaning, *sizes], dtype=np.float32)


def _lexical(reading: Reading, evidence: Sequence[Evidence]) -> list[float]:
    stated = reading.stated
    wanted = terms_of(stated)
    held = [terms_of(item.text) for item in evidence]
    context = frozenset[str]().union(*(terms_of(context_of(item)) for item in evidence))
    everything = context.union(*held)
    idf = rarity([item.text for item in evidence])
    unseen = max(idf.values(), default=1.0)
    shares = [coverage(wanted, terms, idf, unseen=unseen) for terms in held]
    kinds = [(d.kind, d.contrary) for d in reading.differences]
    numbers = [q for q in quantities_of(stated) if q.kind != "ordinal"]
    names = [name for name in names_of(stated) if not name.weak]
    missing_names = sum(kind == "name" for kind, _ in kinds)
    best = evidence[reading.alignments[0].index].text if reading.alignments else ""
    joined = " ".join(item.text for item in evidence)
    content = [word for word in words_of(stated) if word.terms]
    return [
        reading.share,
        max(shares, default=0.0),
        coverage(wanted, everything, idf, unseen=unseen) if evidence else 0.0,
        len(wanted & everything) / len(wanted) if wanted else 0.0,
        len(wanted & terms_of(best)) / len(wanted) if wanted else 0.0,
        float(len(reading.missing)),
        len(reading.missing) / max(1, len(content)),
        float(len(numbers)),
        float(sum(kind == "number" for kind, _ in kinds)),
        float(sum(kind == "number" and contrary for kind, contrary in kinds)),
        float(sum(kind == "date" for kind, _ in kinds)),
        float(sum(kind == "date" and contrary for kind, contrary in kinds)),
        float(len(names)),
        float(missing_names),
        missing_names / max(1, len(names)),
        *(float(any(kind == wanted_kind for kind, _ in kinds))
          for wanted_kind in ("negation", "opposite", "strength", "order")),
        float(_negators(stated) - _negators(best)),
        _pairs_held(stated, joined),
        _pairs_held(stated, best),
        _longest_run(stated, best),
        _in_order(stated, best),
    ]  # fmt: skip


def _meaning(
    reading: Reading,
    evidence: Sequence[Evidence],
    claim: Encoded,
    units: Sequence[Encoded],
    around: Sequence[Encoded],
) -> list[float]:
    words = words_of(reading.stated)
    if not units or not len(claim.vectors):
        return [0.0] * 17
    cosines = sorted((float(unit.mean @ claim.mean) for unit in units), reverse=True)
    whole = np.concatenate([unit.vectors for unit in units])
    mean = whole.mean(axis=0)
    every = np.concatenate([whole, *(unit.vectors for unit in around)])
    likest = (claim.vectors @ every.T).max(axis=1)
    content = np.array([w >= 0 and bool(words[w].terms) for w in claim.words])
    telling = np.sort(likest[content]) if content.any() else np.sort(likest)
    lost = set(reading.missing)
    absent = np.array([w >= 0 and words[w].text in lost for w in claim.words])
    same = _same_words(words, claim, [item.text for item in evidence], units)
    closest = int(np.argmax([float(unit.mean @ claim.mean) for unit in units]))
    best = reading.alignments[0].index if reading.alignments else closest
    table = claim.vectors @ units[best].vectors.T
    own = table.max(axis=1)
    own_content = np.sort(own[content]) if content.any() else np.sort(own)
    used_words = words_of(evidence[best].text)
    used = np.array([w >= 0 and bool(used_words[w].terms) for w in units[best].words])
    back = table.max(axis=0)
    digits = np.array([w >= 0 and any(c.isdigit() for c in words[w].text) for w in claim.words])
    named = np.array(
        [w >= 0 and words[w].text[0].isupper() and words[w].start > 0 for w in claim.words]
    )
    return [
        cosines[0],
        cosines[1] if len(cosines) > 1 else 0.0,
        float(mean @ claim.mean / max(1e-6, float(np.linalg.norm(mean)))),
        float(likest.mean()),
        float(telling.mean()),
        float(telling[0]),
        float(telling[1]) if len(telling) > 1 else float(telling[0]),
        float(telling[: max(1, len(telling) // 4)].mean()),
        float((telling < 0.5).mean()),
        float(likest[absent].mean()) if absent.any() else 1.0,
        float(np.mean(same)) if same else 0.0,
        min(same) if same else 0.0,
        float(own_content.mean()),
        float(own_content[0]),
        float(likest[digits].min()) if digits.any() else 1.0,
        float(likest[named].min()) if named.any() else 1.0,
        float(back[used].mean()) if used.any() else 0.0,
    ]


def _same_words(
    words: Sequence[Word], claim: Encoded, texts: Sequence[str], units: Sequence[Encoded]
) -> list[float]:
    """For each content word of the claim that the evidence holds too: how alike its context is
    at the likest place where it stands."""
    places: dict[str, list[Vectors]] = {}
    for text, unit in zip(texts, units, strict=True):
        theirs = words_of(text)
        for token, owner in enumerate(unit.words):
            if owner >= 0:
                for term in theirs[owner].terms[:1]:
                    places.setdefault(term, []).append(unit.vectors[token])
    best: dict[int, float] = {}
    for token, owner in enumerate(claim.words):
        if owner < 0 or not words[owner].terms:
            continue
        rows = places.get(words[owner].terms[0])
        if rows:
            likeness = float((np.stack(rows) @ claim.vectors[token]).max())
            best[int(owner)] = min(best.get(int(owner), 1.0), likeness)
    return list(best.values())


def _negators(text: str) -> int:
    return sum(word.text.lower().replace("'", "") in NEGATORS for word in words_of(text))


@lru_cache(maxsize=4096)
def _order(text: str) -> tuple[str, ...]:
    return tuple(word.terms[0] for word in words_of(text) if word.terms)


def _pairs_held(claim: str, text: str) -> float:
    """Share of the claim's neighbouring content words that are neighbours in the text too."""
    mine, theirs = _order(claim), _order(text)
    pairs = set(pairwise(mine))
    held = set(pairwise(theirs)) | set(zip(theirs, theirs[2:], strict=False))
    return len(pairs & held) / len(pairs) if pairs else 0.0


def _longest_run(claim: str, text: str) -> float:
    """The longest run of content words that both share, as a share of the claim's."""
    mine, theirs = _order(claim), _order(text)
    best = 0
    lengths = [0] * (len(theirs) + 1)
    for term in mine:
        new = [0] * (len(theirs) + 1)
        for place, other in enumerate(theirs, start=1):
            if term == other:
                new[place] = lengths[place - 1] + 1
                best = max(best, new[place])
        lengths = new
    return best / len(mine) if mine else 0.0


def _in_order(claim: str, text: str) -> float:
    """The longest common subsequence of content words over the words in common."""
    mine, theirs = _order(claim), _order(text)
    common = sum(term in set(theirs) for term in mine)
    if not common:
        return 0.0
    lengths = [0] * (len(theirs) + 1)
    for term in mine:
        before = 0
        for place, other in enumerate(theirs, start=1):
            above = lengths[place]
            lengths[place] = before + 1 if term == other else max(above, lengths[place - 1])
            before = above
    return lengths[-1] / common
