"""Judges: is a claim supported by its evidence, and if not, why not. Offline, in milliseconds.

Law: a judge never changes a claim's text or span; what comes back differs in verdict, reason,
confidence and citations only, and every citation is of evidence it was given. A claim
without content (no words to hold against anything) is unsupported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ragstone.grounding.citations import cite
from ragstone.grounding.reading import Reading, read
from ragstone.grounding.scoring import support_of_claims
from ragstone.grounding.support import support_features
from ragstone.grounding.tokens import TokenEncoder, TokenMemory, token_encoder
from ragstone.grounding.words import terms_of, words_of
from ragstone.protocols import Judge
from ragstone.types import Claim, Evidence, Verdict

SUPPORTED_SHARE = 0.6  # idf-weighted share of a claim's terms that its evidence must hold
STANDS = 0.5  # probability of support from which a claim is shown
MISSING_SHARE = 0.2  # of a claim's words may stand in no evidence: paraphrase, not a new fact


class RuleJudge:
    """Verdicts by rules alone: every number and name borne out, nothing denied or turned
    round, and enough of the words held by the sentences that the claim aligns with."""

    def __init__(self, *, share: float = SUPPORTED_SHARE) -> None:
        self._share = share

    @property
    def name(self) -> str:
        return "rules"

    def judge(self, claim: Claim, evidence: Sequence[Evidence]) -> Claim:
        """The claim with verdict, reason, confidence and citations."""
        reading = read(claim.text, evidence)
        verdict, reason = verdict_of(reading, share=self._share)
        confidence = reading.share * (0.3 if reading.differences else 1.0)
        return judged(claim, evidence, reading, verdict, reason, confidence)


class LearnedJudge:
    """Verdicts by a trained score over words and token vectors, with the rules as witnesses.

    A claim stands if the score reaches `threshold`, its words align with some sentence, no
    number or date in it lacks a source, and no word was put in another's place in a sentence
    that is otherwise the document's own: what is exact must be exact, however alike the rest is.
    """

    def __init__(self, encoder: TokenEncoder, *, threshold: float = STANDS) -> None:
        self._encoder = encoder
        self._threshold = threshold
        self._memory = TokenMemory(encoder)

    @property
    def name(self) -> str:
        return f"learned ({self._encoder.name})"

    def judge(self, claim: Claim, evidence: Sequence[Evidence]) -> Claim:
        """The claim with verdict, reason, confidence and citations."""
        reading = read(claim.text, evidence)
        if not evidence or not terms_of(reading.stated):
            verdict, reason = verdict_of(reading)
            return judged(claim, evidence, reading, verdict, reason, 0.0)
        row = support_features(reading, evidence, self._memory)
        confidence = float(support_of_claims().probabilities(row[None, :])[0])
        exact = [d for d in reading.differences if d.kind in {"number", "date", "word"}]
        if confidence >= self._threshold and not exact and reading.alignments:
            return judged(claim, evidence, reading, "supported", "", confidence)
        verdict, reason = verdict_of(reading)
        if verdict == "supported":
            verdict = "unsupported"
            reason = _missing(reading) or (
                f"its sentences bear it out with a probability of {confidence:.0%} only"
            )
        confidence = min(confidence, self._threshold / 2) if exact else confidence
        return judged(claim, evidence, reading, verdict, reason, confidence)


def judge_for(encoder: object) -> Judge:
    """The best judge that ships: the learned one where `encoder` gives a vector per token."""
    by_token = token_encoder(encoder)
    return RuleJudge() if by_token is None else LearnedJudge(by_token)


def verdict_of(reading: Reading, *, share: float = SUPPORTED_SHARE) -> tuple[Verdict, str]:
    """The verdict of rules on a reading, and its reason in words."""
    if not terms_of(reading.stated):
        return "unsupported", "it states nothing that could be checked"
    if not reading.alignments:
        return "unsupported", _missing(reading) or "no sentence of the documents carries it"
    contrary = [d for d in reading.differences if d.contrary]
    if contrary and reading.share >= share * 0.75:
        return "contradicted", "; ".join(d.detail for d in contrary[:2])
    if reading.differences:
        return "unsupported", "; ".join(d.detail for d in reading.differences[:2])
    words = sum(bool(word.terms) for word in words_of(reading.stated))
    missing = [word for word in reading.missing if not any(c.isdigit() for c in word)]
    if len(missing) > MISSING_SHARE * words:
        return "unsupported", _missing(reading)
    if reading.share < share:
        found = f"only {reading.share:.0%} of it is in the sentences it stands on"
        return "unsupported", "; ".join(part for part in (found, _missing(reading)) if part)
    return "supported", ""


def judged(
    claim: Claim,
    evidence: Sequence[Evidence],
    reading: Reading,
    verdict: Verdict,
    reason: str,
    confidence: float,
) -> Claim:
    """A copy of `claim` with what was found; citations are those of its alignment."""
    return replace(
        claim,
        verdict=verdict,
        reason=reason,
        confidence=min(1.0, max(0.0, confidence)),
        citations=tuple(cite(evidence[alignment.index]) for alignment in reading.alignments),
    )


def _missing(reading: Reading) -> str:
    words = ", ".join(repr(word) for word in reading.missing[:3])
    return f"nothing in the documents mentions {words}" if words else ""
