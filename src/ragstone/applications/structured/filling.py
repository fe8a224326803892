"""A schema's fields filled from the documents: evidence for each, a value, and its proof.

Law: whatever wrote a value, a language model or the extraction, it is kept only if a sentence
that was found for that field states it; all else is null and says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ragstone.applications.ask import AskOptions, Components
from ragstone.applications.structured.answer import StructuredAnswer, StructuredField
from ragstone.applications.structured.drafting import Drafted, drafted
from ragstone.applications.structured.extracting import BEARING, bearing, extract
from ragstone.applications.structured.schema import (
    Group,
    JsonSchema,
    Leaf,
    Many,
    Node,
    ResponseModel,
    Tree,
    fields_of,
    leaves,
    schema_of,
)
from ragstone.applications.structured.values import Value, candidates, denies, states
from ragstone.applications.structured.wanted import Wanted, wanted
from ragstone.grounding import abstention, citations, evidence
from ragstone.protocols import Filter
from ragstone.trace import Trace
from ragstone.types import Claim, Evidence, Hit, Scalar, Span

_LISTED = "a list of objects needs a language model that can be trusted with instructions"


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was found for one leaf. `declined` says why nothing should be made of it."""

    asked: Wanted
    hits: tuple[Hit, ...]
    evidence: tuple[Evidence, ...]
    confidence: float
    declined: str


def fill(
    subject: str,
    response_model: ResponseModel[object] | JsonSchema,
    components: Components,
    *,
    options: AskOptions | None = None,
    where: Filter | None = None,
    trace: Trace | None = None,
) -> StructuredAnswer:
    """The fields of a schema for `subject`, a name ("Northmoor Lighthouse") or a question.

    Raises UsageError for a schema that cannot be filled, and what retrieval or the model raises.
    """
    options = options or AskOptions()
    trace = trace or Trace()
    schema = fields_of(schema_of(response_model))
    looked = {
        leaf.path: _look(leaf, subject, components, options, where, trace)
        for leaf in leaves(schema)
    }
    draft: Drafted | None = None
    model = components.model
    if model is not None and model.capable:
        with trace.stage("generate") as stage:
            draft = drafted(
                subject, schema, [found.evidence for found in looked.values()], model,
                max_tokens=options.answer_tokens,
            )  # fmt: skip
            stage.note(**draft.notes)
    with trace.stage("verify") as stage:
        filler = _Filler(subject, components, looked)
        given = draft.value if draft is not None else None
        value = filler.tree(schema, given, trusted=given is not None)
        stage.note(fields=len(filler.fields), missing=sum(f.value is None for f in filler.fields))
    return StructuredAnswer(
        question=subject,
        value=value if isinstance(value, dict) else {},
        fields=tuple(filler.fields),
        hits=_united([found.hits for found in looked.values()]),
        model=model.name if draft is not None and model is not None else "none",
        version=components.snapshot.version,
        timings_ms=trace.timings_ms(),
    )


def _look(
    leaf: Leaf, subject: str, components: Components, options: AskOptions,
    where: Filter | None, trace: Trace,
) -> _Looked:  # fmt: skip
    asked = wanted(leaf, subject)
    with trace.stage(f"field {leaf.path}") as stage:
        hits = components.retriever.retrieve(asked.question, k=options.k, where=where, trace=trace)
        chosen = evidence.select(
            asked.question, hits, encoder=components.reads_with,
            document_of=components.snapshot.document, max_tokens=options.evidence_tokens,
        )  # fmt: skip
        confidence, declined = abstention.decide(
            asked.question, chosen, hits, level=options.caution
        )
        stage.note(question=asked.question, chosen=len(chosen), confidence=confidence)
    reason = declined.reason if declined else ""
    return _Looked(asked, tuple(hits), tuple(chosen), confidence, reason)


class _Filler:
    """Builds the value in the schema's shape, and the list of its fields on the way."""

    def __init__(self, subject: str, components: Components, looked: Mapping[str, _Looked]) -> None:
        self.fields: list[StructuredField] = []
        self._subject = subject
        self._components = components
        self._looked = looked

    def tree(self, node: Node, given: Tree, *, trusted: bool, place: str | None = None) -> Tree:
        """The node's value. `given` is what a model wrote there; `trusted` says that one was
        asked, so that its null means that there is nothing."""
        if isinstance(node, Group):
            inside = given if isinstance(given, dict) else {}
            return {
                name: self.tree(
                    inner, inside.get(name), trusted=trusted and name in inside,
                    place=None if place is None else f"{place}.{name}",
                )
                for name, inner in node.fields.items()
            }  # fmt: skip
        if isinstance(node, Many):
            return self._many(node, given, trusted=trusted)
        return self._leaf(node, given, trusted=trusted, path=place or node.path)

    def _leaf(self, leaf: Leaf, given: Tree, *, trusted: bool, path: str) -> Scalar | None:
        looked = self._looked[leaf.path]
        if isinstance(given, (str, int, float, bool)):
            found = self._proved(looked, given, path)
            if found.value is None and "[" not in path:
                found = next(self._extracted(looked, path, most=1), found)
        elif trusted:
            found = self._absent(looked, path, "the model found no value in the evidence")
        else:
            missing = self._absent(looked, path, _why(looked))
            found = next(self._extracted(looked, path, most=1), missing)
        self.fields.append(found)
        return found.value

    def _many(self, node: Many, given: Tree, *, trusted: bool) -> Tree:
        if isinstance(given, list):
            values = []
            for number, one in enumerate(given[: node.most]):
                before = len(self.fields)
                place = f"{node.path}[{number}]"
                value = self.tree(node.item, one, trusted=True, place=place)
                if any(field.value is not None for field in self.fields[before:]):
                    values.append(value)
            if values:
                return values
        elif isinstance(node.item, Leaf) and not trusted:
            looked = self._looked[node.item.path]
            found = list(self._extracted(looked, node.path, most=node.most))
            if found:
                self.fields += found
                return [field.value for field in found]
        objects = not isinstance(node.item, Leaf) and not trusted
        leaf = next(leaves(node))
        reason = _LISTED if objects else _why(self._looked[leaf.path])
        self.fields.append(self._absent(self._looked[leaf.path], node.path, reason))
        return []

    def _proved(self, looked: _Looked, given: Scalar, path: str) -> StructuredField:
        """A model's value, with the sentence that states it for this field."""
        value = _typed(looked.asked.leaf, given)
        if value is None:
            return self._absent(looked, path, f"{given!r} is no value of this field")
        stating = [
            item for item in looked.evidence
            if states(looked.asked, value, item.text, item.lead_text)
        ]  # fmt: skip
        if not stating:
            return self._absent(looked, path, f"no sentence found for it states {value!r}")
        best = max(stating, key=lambda item: (bearing(looked.asked, item), item.score))
        words = f"{looked.asked.leaf.words} of {self._subject.rstrip('?. ')}"
        claim = Claim(f"The {words} is {value}.", Span(0, 0), "unsupported")
        judged = self._components.judge.judge(claim, [best])
        if bearing(looked.asked, best) < BEARING and judged.verdict != "supported":
            reason = judged.reason or "its sentence does not speak of this field"
            return self._absent(looked, path, reason)
        if isinstance(value, bool) and value == denies(best.text):
            return self._absent(looked, path, "its sentence says the opposite")
        return self._field(looked, path, value, best, max(best.score, judged.confidence))

    def _extracted(self, looked: _Looked, path: str, *, most: int) -> Iterator[StructuredField]:
        found = extract(
            looked.asked, self._subject, looked.evidence,
            document_of=self._components.snapshot.document, most=most,
        )  # fmt: skip
        if looked.declined:  # decided by how questions read; a row's own column says more
            found = [one for one in found if one.keyed]
        for number, one in enumerate(found):
            item = looked.evidence[one.index]
            place = path if most == 1 else f"{path}[{number}]"
            yield self._field(looked, place, one.value, item, item.score)

    def _field(
        self, looked: _Looked, path: str, value: Scalar, item: Evidence, confidence: float
    ) -> StructuredField:
        citation = citations.cite(item)
        citations.check(citation, self._components.snapshot.document(citation.document_id))
        required = looked.asked.leaf.required
        return StructuredField(
            path, value, "supported", "", min(confidence, 1.0), (citation,), required
        )

    def _absent(self, looked: _Looked, path: str, reason: str) -> StructuredField:
        return StructuredField(
            path, None, "unsupported", reason, 0.0, (), looked.asked.leaf.required
        )


def _why(looked: _Looked) -> str:
    """Why the extraction gives nothing, for a reader."""
    if looked.declined:
        return looked.declined
    values: list[Value] = [
        value
        for item in looked.evidence
        for value in candidates(looked.asked, item.text, item.lead_text)
    ]
    if not looked.evidence or not values:
        kind = looked.asked.leaf.kind
        return f"the passages found state no {'text' if kind == 'string' else kind} for it"
    return "no sentence that speaks of it states a value"


def _typed(leaf: Leaf, given: Scalar) -> Scalar | None:
    """What a model wrote as a value of the field's kind; None where it is none."""
    if leaf.choices:
        return given if given in leaf.choices else None
    if leaf.kind == "boolean":
        return given if isinstance(given, bool) else None
    if leaf.kind in {"integer", "number"}:
        if isinstance(given, bool) or not isinstance(given, (int, float)):
            return None
        return given if leaf.kind == "number" or float(given).is_integer() else None
    return given.strip() or None if isinstance(given, str) else None


def _united(lists: Sequence[Sequence[Hit]]) -> tuple[Hit, ...]:
    """The hits of all fields, each passage once, by its best rank."""
    best: dict[int, Hit] = {}
    for hits in lists:
        for hit in hits:
            known = best.get(hit.passage.key)
            if known is None or hit.rank < known.rank:
                best[hit.passage.key] = hit
    return tuple(sorted(best.values(), key=lambda hit: (hit.rank, hit.passage.key)))
