"""The part of JSON Schema that this server publishes, and the check that enforces it.

Law: what the OpenAPI document says is what is checked, because both read the same value. Known
words: type, properties, required, additionalProperties, items, enum, minimum, maximum,
minLength, maxLength, minItems, maxItems, pattern; default, description, examples say more. Any
other word is an error here, so that nothing is published and not enforced.
"""

from __future__ import annotations

import math
import re

from ragstone.applications.wire import Json, JsonObject
from ragstone.serve.problem import Problem

_ANNOTATIONS = {"default", "description", "examples", "title", "format", "contentMediaType"}
_CHECKED = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "minimum",
    "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern",
}  # fmt: skip


def check(value: Json, schema: JsonObject, name: str = "the body") -> None:
    """Raises Problem (422) that names the place, the value and what is allowed."""
    unknown = set(schema) - _ANNOTATIONS - _CHECKED
    if unknown:
        raise ValueError(f"The schema of {name} uses words that are not checked: {unknown}.")
    kinds = schema.get("type")
    if kinds is not None:
        allowed = [kinds] if isinstance(kinds, str) else kinds
        check_kind(value, [str(kind) for kind in allowed if kind], name)  # type: ignore[union-attr]
    if "enum" in schema:
        choices = schema["enum"]
        if isinstance(choices, list) and not any(_same(value, choice) for choice in choices):
            raise _problem(name, value, f"one of {', '.join(map(str, choices))}")
    if isinstance(value, str):
        _check_text(value, schema, name)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int | float):
        _check_number(value, schema, name)
    elif isinstance(value, list):
        _check_list(value, schema, name)
    elif isinstance(value, dict):
        _check_object(value, schema, name)


def check_kind(value: Json, allowed: list[str], name: str) -> None:
    """Raises Problem unless `value` is of one of the JSON types in `allowed`."""
    if _kind(value) in allowed or (_kind(value) == "integer" and "number" in allowed):
        return
    raise _problem(name, value, " or ".join(allowed))


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    names = {float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _same(value: Json, choice: Json) -> bool:
    return value == choice and isinstance(value, bool) == isinstance(choice, bool)


def _check_text(value: str, schema: JsonObject, name: str) -> None:
    low, high = _bounds(schema, "minLength", "maxLength")
    if not low <= len(value) <= high:
        raise _problem(name, value, _between(low, high, "characters"))
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and not re.search(pattern, value):
        raise _problem(name, value, f"text like {pattern}")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise _problem(
            name, value.encode("ascii", "replace").decode(), "text without lone surrogates"
        )


def _check_number(value: float, schema: JsonObject, name: str) -> None:
    low, high = _bounds(schema, "minimum", "maximum")
    if not low <= value <= high:
        raise _problem(name, value, _between(low, high, ""))


def _check_list(value: list[Json], schema: JsonObject, name: str) -> None:
    low, high = _bounds(schema, "minItems", "maxItems")
    if not low <= len(value) <= high:
        raise _problem(name, f"{len(value)} items", _between(low, high, "items"))
    items = schema.get("items")
    if isinstance(items, dict):
        for index, item in enumerate(value):
            check(item, items, f"{name}[{index}]")


def _check_object(value: dict[str, Json], schema: JsonObject, name: str) -> None:
    known = schema.get("properties")
    known = known if isinstance(known, dict) else {}
    required = schema.get("required")
    for wanted in required if isinstance(required, list) else []:
        if wanted not in value:
            raise Problem(
                422, "invalid", f"`{wanted}` is missing in {name}.",
                remedy="See /openapi.json.", param=str(wanted),
            )  # fmt: skip
    for key, item in value.items():
        inner = known.get(key)
        if isinstance(inner, dict):
            check(item, inner, f"`{key}`")
        elif schema.get("additionalProperties") is False:
            raise Problem(
                422, "invalid", f"{name} has an unknown key {_shown(key)}.",
                remedy=f"Known keys: {', '.join(known)}.", param=key[:100],
            )  # fmt: skip


def _bounds(schema: JsonObject, low: str, high: str) -> tuple[float, float]:
    least, most = schema.get(low), schema.get(high)
    return (
        float(least) if isinstance(least, int | float) else -math.inf,
        float(most) if isinstance(most, int | float) else math.inf,
    )


def _between(low: float, high: float, unit: str) -> str:
    if high == math.inf:
        return f"at least {low:g} {unit}".strip()
    return f"{max(low, 0) if unit else low:g} to {high:g} {unit}".strip()


def _shown(value: Json) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:79] + "…"


def _problem(name: str, value: Json, wanted: str) -> Problem:
    param = name.strip("`") if name.startswith("`") else None
    return Problem(
        422, "invalid", f"{name} is {_shown(value)}.", remedy=f"It must be {wanted}.", param=param
    )
