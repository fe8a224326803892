"""A structured answer: a value for each field of a schema, and what proves it.

Law: a field that holds a value is supported by at least one citation, and the value stands in
a quote of it; every other field is null, listed in `missing`, and says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ragstone.applications.structured.schema import Parsed, ResponseModel, Tree
from ragstone.applications.wire import Json, JsonObject, citation_json, hit_json
from ragstone.errors import UsageError
from ragstone.types import Citation, Hit, Scalar, Verdict


@dataclass(frozen=True, slots=True)
class StructuredField:
    """One field. `confidence` (0 to 1) is that its sentence holds what the field asks for."""

    path: str  # "keeper.name", "dates[0]"
    value: Scalar | None
    verdict: Verdict
    reason: str = ""
    confidence: float = 0.0
    citations: tuple[Citation, ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True)
class StructuredAnswer:
    """The schema's object with null for what is not proved, and its fields one by one."""

    question: str
    value: Mapping[str, Tree]
    fields: tuple[StructuredField, ...]
    hits: tuple[Hit, ...] = ()
    model: str = "none"
    version: int = 0
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[str, ...]:
        """The paths of the fields that the documents do not prove."""
        return tuple(found.path for found in self.fields if found.value is None)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Every citation once, in the order of the fields."""
        return tuple(dict.fromkeys(c for found in self.fields for c in found.citations))

    @property
    def abstained(self) -> bool:
        """Whether not one field could be filled."""
        return all(found.value is None for found in self.fields)

    def parsed(self, response_model: ResponseModel[Parsed]) -> Parsed:
        """The value as an object of a class such as pydantic's.

        Raises UsageError that names the missing fields if the class does not allow null there.
        """
        try:
            return response_model.model_validate(dict(self.value))
        except ValueError as error:  # pydantic's ValidationError is one
            missing = ", ".join(self.missing) or "none"
            raise UsageError(
                f"The answer is no {getattr(response_model, '__name__', 'object')}: {error}",
                remedy=f"Fields without a proof: {missing}. Allow null for them, or look at "
                "`fields` for the reasons.",
            ) from error


def structured_json(answer: StructuredAnswer) -> JsonObject:
    """A structured answer, as `ask --schema FILE --json` prints it."""
    return {
        "question": answer.question,
        "value": {name: _json(value) for name, value in answer.value.items()},
        "abstained": answer.abstained,
        "missing": list(answer.missing),
        "fields": [
            {
                "path": found.path,
                "value": found.value,
                "verdict": found.verdict,
                "reason": found.reason,
                "confidence": round(found.confidence, 4),
                "citations": [citation_json(citation) for citation in found.citations],
            }
            for found in answer.fields
        ],
        "citations": [citation_json(citation) for citation in answer.citations],
        "hits": [hit_json(hit) for hit in answer.hits],
        "version": answer.version,
        "timings_ms": {name: round(ms, 1) for name, ms in answer.timings_ms.items()},
        "model": answer.model,
    }


def _json(value: Tree) -> Json:
    if isinstance(value, dict):
        return {name: _json(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    return value
