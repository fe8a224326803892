"""A JSON schema, or a class that has one, as the tree of fields that are to be filled.

Law: every leaf has a path of its own, and `assembled` of the leaves' values has the schema's
shape. Read are objects, lists, strings, numbers, whole numbers, truth values, `enum`, `const`,
`format: date`, `anyOf` with null, `$ref` into the schema itself, titles and descriptions (JSON
Schema 2020-12); what else stands in a schema bounds values and is left to its own validator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, TypeVar

from ragstone.errors import UsageError
from ragstone.types import Scalar

Kind = Literal["string", "date", "integer", "number", "boolean"]
JsonSchema = Mapping[str, object]
_KINDS: Mapping[str, Kind] = {
    "string": "string", "integer": "integer", "number": "number", "boolean": "boolean",
}  # fmt: skip
_DEPTH = 8  # of nested objects and references: a schema that refers to itself has no end
_CASES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\W]+")
_MOST_ITEMS = 8  # of a list whose schema sets no bound

Parsed = TypeVar("Parsed", covariant=True)


class ResponseModel(Protocol[Parsed]):
    """A class that knows its JSON schema and reads an object of that form: pydantic's, or yours."""

    def model_json_schema(self) -> Mapping[str, object]: ...
    def model_validate(self, obj: object) -> Parsed: ...


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value to be found. `words` is its name in words, with those of what it lies in."""

    path: str  # "keeper.name", "dates[0]"
    words: str
    description: str
    kind: Kind
    choices: tuple[Scalar, ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """An object: its fields by name, in the schema's order."""

    path: str
    fields: Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class Many:
    """A list of `item`, at most `most`; paths inside `item` hold `[]` for the place."""

    path: str
    item: Node
    most: int


Node: TypeAlias = "Leaf | Group | Many"
Tree: TypeAlias = "Scalar | list[Tree] | dict[str, Tree] | None"


def schema_of(response_model: ResponseModel[object] | JsonSchema) -> JsonSchema:
    """The JSON schema of a class, or the schema itself. Raises UsageError for anything else."""
    if isinstance(response_model, Mapping):
        return response_model
    if not hasattr(response_model, "model_json_schema"):
        raise UsageError(
            f"{response_model!r} is no JSON schema and has none.",
            remedy="Give a pydantic model class, or a dictionary with a JSON schema.",
        )
    return response_model.model_json_schema()


def fields_of(schema: JsonSchema) -> Group:
    """The fields of a schema. Raises UsageError, naming the field, for what cannot be filled."""
    node = _node(schema, schema, path="", words="", required=True, depth=0)
    if not isinstance(node, Group):
        raise UsageError(
            "The schema is not that of an object.",
            remedy='It needs "type": "object" and "properties".',
        )
    return node


def leaves(node: Node) -> Iterator[Leaf]:
    """Every leaf in the schema's order; those inside a list once."""
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Many):
        yield from leaves(node.item)
    else:
        for inner in node.fields.values():
            yield from leaves(inner)


def nullable(node: Node) -> JsonSchema:
    """The schema that a language model is held to: every leaf may be null, nothing is left out."""
    if isinstance(node, Group):
        return {
            "type": "object",
            "properties": {name: nullable(inner) for name, inner in node.fields.items()},
            "required": list(node.fields),
            "additionalProperties": False,
        }
    if isinstance(node, Many):
        return {"type": "array", "items": nullable(node.item)}
    if node.choices:
        return {"enum": [*node.choices, None]}
    return {"type": ["string" if node.kind == "date" else node.kind, "null"]}


def _node(
    root: JsonSchema, given: object, *, path: str, words: str, required: bool, depth: int
) -> Node:
    schema = _resolved(root, given, path, depth)
    description = _text(schema, "description")
    choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if isinstance(choices, Sequence) and not isinstance(choices, str):
        allowed = tuple(c for c in choices if isinstance(c, (str, int, float, bool)))
        return Leaf(path, words, description, _kind_of_choices(allowed), allowed, required)
    kind = schema.get("type")
    if kind == "object" or (kind is None and "properties" in schema):
        return _group(root, schema, path, words, required, depth)
    if kind == "array":
        most = schema.get("maxItems", _MOST_ITEMS)
        item = _node(
            root, schema.get("items", {"type": "string"}), path=f"{path}[]",
            words=words, required=False, depth=depth + 1,
        )  # fmt: skip
        if isinstance(item, Leaf) and not item.description:
            item = Leaf(item.path, item.words, description, item.kind, item.choices, False)
        return Many(path, item, most if isinstance(most, int) else _MOST_ITEMS)
    if isinstance(kind, str) and kind in _KINDS:
        dated = kind == "string" and schema.get("format") == "date"
        return Leaf(path, words, description, "date" if dated else _KINDS[kind], required=required)
    raise UsageError(
        f"The field {path or 'at the top'!r} of the schema has the type {kind!r}.",
        remedy="Use object, array, string, integer, number or boolean, or one of them or null.",
    )


def _group(
    root: JsonSchema, schema: JsonSchema, path: str, words: str, required: bool, depth: int
) -> Group:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        raise UsageError(
            f"The object {path or 'at the top'!r} of the schema has no properties.",
            remedy="Name the fields that are to be filled.",
        )
    needed = schema.get("required", ())
    needed = needed if isinstance(needed, Sequence) else ()
    fields = {}
    for name, inner in properties.items():
        named = f"{words} {worded(str(name))}".strip()
        fields[str(name)] = _node(
            root, inner, path=f"{path}.{name}" if path else str(name), words=named,
            required=required and name in needed, depth=depth + 1,
        )  # fmt: skip
    return Group(path, fields)


def _resolved(root: JsonSchema, given: object, path: str, depth: int) -> JsonSchema:
    """A schema without references and without its "or null"; outer descriptions stay."""
    if depth > _DEPTH:
        raise UsageError(
            f"The schema is nested more than {_DEPTH} deep at {path!r}.",
            remedy="A schema that refers to itself cannot be filled; unroll it.",
        )
    if not isinstance(given, Mapping):
        raise UsageError(
            f"The field {path!r} of the schema is {given!r}.", remedy="Give it a type."
        )
    for joined in ("anyOf", "oneOf", "allOf"):
        options = given.get(joined)
        if isinstance(options, Sequence):
            real = [o for o in options if not (isinstance(o, Mapping) and o.get("type") == "null")]
            if len(real) != 1:
                raise UsageError(
                    f"The field {path!r} of the schema has {len(real)} types.",
                    remedy="Give it one type, or one type or null.",
                )
            rest = {key: value for key, value in given.items() if key != joined}
            return {**_resolved(root, real[0], path, depth + 1), **rest}
    if "$ref" in given:
        rest = {key: value for key, value in given.items() if key != "$ref"}
        return {**_resolved(root, _referred(root, given["$ref"]), path, depth + 1), **rest}
    kind = given.get("type")
    if isinstance(kind, Sequence) and not isinstance(kind, str):
        real = [one for one in kind if one != "null"]
        return {**given, "type": real[0] if len(real) == 1 else kind}
    return given


def _referred(root: JsonSchema, reference: object) -> object:
    node: object = root
    for part in str(reference).removeprefix("#").strip("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not str(reference).startswith("#") or not isinstance(node, Mapping) or key not in node:
            raise UsageError(
                f"The schema refers to {reference!r}, which it does not hold.",
                remedy="Put what is referred to under $defs in the same schema.",
            )
        node = node[key]
    return node


def _kind_of_choices(choices: Sequence[Scalar]) -> Kind:
    if all(isinstance(choice, bool) for choice in choices):
        return "boolean"
    if all(isinstance(choice, int) for choice in choices):
        return "integer"
    return "number" if all(isinstance(choice, (int, float)) for choice in choices) else "string"


def worded(name: str) -> str:
    """A field's name in words: `first_lit` and `firstLit` are "first lit"."""
    return " ".join(part.lower() for part in _CASES.split(name) if part)


def _text(schema: JsonSchema, key: str) -> str:
    value = schema.get(key, "")
    return " ".join(value.split()) if isinstance(value, str) else ""
