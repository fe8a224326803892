"""Structured answers: every value has a citation that states it; all else is null with a reason."""

import json
from collections.abc import Iterator
from pathlib import Path

import hypothesis.strategies as st
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from pydantic import BaseModel, Field

import ragstone
from ragstone.applications.structured.schema import Group, Leaf, Many, fields_of, leaves, nullable
from ragstone.applications.structured.values import candidates, cells, states
from ragstone.applications.structured.wanted import unit_of, wanted
from ragstone.cli.main import group
from ragstone.errors import UsageError
from ragstone.testing.scripted import ScriptedModel
from ragstone.trace import Trace

TEXT, NUMBER, WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
TRUTH, DATE = {"type": "boolean"}, {"type": "string", "format": "date"}


def schema(**fields: dict) -> dict:
    return {"type": "object", "properties": fields}


def asking(kind: dict, words: str) -> dict:
    return {**kind, "description": words}


class Optic(BaseModel):
    weight_tonnes: float | None = None
    mercury_litres: int | None = None


class Lighthouse(BaseModel):
    """What a person would fill in."""

    first_lit: str | None = Field(None, description="When was the lamp first lit?")
    engineer: str = Field(description="Who designed the tower?")
    height_m: int = Field(description="height of the tower in metres")
    shoe_size: int | None = None
    optic: Optic


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Path:
    path = tmp_path_factory.mktemp("structured") / "corpus"
    with ragstone.open(path, llm="none", workers=1) as corpus:
        corpus.sync(library)
    return path


@pytest.fixture(scope="module")
def corpus(folder: Path) -> Iterator[ragstone.Corpus]:
    with ragstone.open(folder, llm="none", read_only=True) as opened:
        yield opened


def check(corpus: ragstone.Corpus, answer) -> None:
    """The laws of every structured answer."""
    assert set(answer.missing) == {f.path for f in answer.fields if f.value is None}
    for field in answer.fields:
        assert (field.verdict == "supported") == (field.value is not None) == bool(field.citations)
        assert bool(field.reason) == (field.value is None)
        for citation in field.citations:
            text = corpus.document(citation.document_id).text
            assert text[citation.span.start : citation.span.end] == citation.quote


def test_fields_of_every_kind_are_found_and_proved(corpus: ragstone.Corpus) -> None:
    answer = corpus.extract(
        "Northmoor Lighthouse",
        schema(
            first_lit=asking(DATE, "When was the lamp first lit?"),
            engineer=asking(TEXT, "Who designed the tower?"),
            height_m=asking(NUMBER, "height of the tower in metres"),
            automated=asking(WHOLE, "year in which the station was automated"),
            shoes_required=TRUTH,
            range=asking(NUMBER, "nominal range in nautical miles"),
            optic_maker=asking(TEXT, "Who made the optic?"),
            owner_shoe_size=NUMBER,
        ),
    )
    check(corpus, answer)
    assert answer.value == {
        "first_lit": "1874-09-03",
        "engineer": "Thomas Garrick",
        "height_m": 41,
        "automated": 1986,
        "shoes_required": True,
        "range": 21,
        "optic_maker": "Barbier & Fenestre",
        "owner_shoe_size": None,
    }
    assert answer.missing == ("owner_shoe_size",)
    assert answer.model == "none"


@pytest.mark.parametrize(
    ("subject", "fields", "expected"),
    [
        ("2022", {"visitors": WHOLE, "school_groups": WHOLE}, {"visitors": 17330,
                                                               "school_groups": 48}),
        ("2019", {"visitors": WHOLE}, {"visitors": 18402}),
        ("insurance", {"spent_gbp": NUMBER, "responsible": TEXT},
         {"spent_gbp": 14850, "responsible": "P. Okafor"}),
        ("pile 7", {"loss_mm": NUMBER}, {"loss_mm": 40}),
    ],
)  # fmt: skip
def test_rows_of_tables_answer_by_their_columns(
    corpus: ragstone.Corpus, subject: str, fields: dict, expected: dict
) -> None:
    answer = corpus.extract(subject, schema(**fields))
    check(corpus, answer)
    assert answer.value == expected


def test_a_choice_is_taken_where_the_sentence_names_it(corpus: ragstone.Corpus) -> None:
    drones = {"enum": ["accepted", "refused"], "description": "request to fly drones"}
    answer = corpus.extract("trustees, 12 March 2024", schema(drones=drones))
    check(corpus, answer)
    assert answer.value == {"drones": "refused"}


def test_nothing_is_filled_about_what_the_documents_do_not_speak_of(
    corpus: ragstone.Corpus,
) -> None:
    answer = corpus.extract(
        "Eiffel Tower in Paris", schema(height_m=NUMBER, architect=TEXT, opened=DATE)
    )
    check(corpus, answer)
    assert answer.abstained
    assert answer.missing == ("height_m", "architect", "opened")


def test_a_pydantic_class_goes_in_and_its_object_comes_out(corpus: ragstone.Corpus) -> None:
    answer = corpus.extract("lamp of the Northmoor Lighthouse", Lighthouse)
    check(corpus, answer)
    parsed = answer.parsed(Lighthouse)
    assert isinstance(parsed, Lighthouse)
    assert (parsed.height_m, parsed.optic.weight_tonnes) == (41, 2.4)
    assert parsed.shoe_size is None
    assert "optic.weight_tonnes" in {field.path for field in answer.fields}


def test_a_class_that_allows_no_null_says_which_field_is_missing(corpus: ragstone.Corpus) -> None:
    class Strict(BaseModel):
        shoe_size: int

    answer = corpus.extract("Northmoor Lighthouse", Strict)
    with pytest.raises(UsageError, match="shoe_size"):
        answer.parsed(Strict)


def test_every_field_is_a_stage_of_the_trace(corpus: ragstone.Corpus) -> None:
    trace = Trace()
    corpus.extract("pile 7", schema(loss_mm=NUMBER), trace=trace)
    assert [stage.name for stage in trace.stages] == ["field loss_mm", "verify"]


# --- with a model that cannot be trusted


def filled(folder: Path, reply: object, fields: dict, subject: str = "Northmoor Lighthouse"):
    model = ScriptedModel(reply if isinstance(reply, str) else json.dumps(reply))
    with ragstone.open(folder, llm=model, read_only=True) as corpus:
        answer = corpus.extract(subject, schema(**fields))
        check(corpus, answer)
    return answer, model


def test_what_a_model_writes_is_kept_only_if_a_sentence_states_it(folder: Path) -> None:
    fields = {
        "architect": asking(TEXT, "the engineer who designed the tower"),
        "height_m": asking(NUMBER, "height of the granite tower in metres"),
        "lit": asking(DATE, "When was the lamp first lit?"),
        "mascot": asking(TEXT, "mascot"),
    }
    reply = {"architect": "Thomas Garrick", "height_m": 63, "lit": "1894-09-03", "mascot": "Bo"}
    answer, _ = filled(folder, reply, fields)
    assert answer.value["architect"] == "Thomas Garrick"
    assert answer.value["mascot"] is None
    # An invented number or date falls, and what the documents state comes in its place.
    assert answer.value["height_m"] == 41
    assert answer.value["lit"] == "1874-09-03"
    assert answer.model == "scripted"


def test_the_null_of_a_model_stands(folder: Path) -> None:
    fields = {"lit": asking(DATE, "When was the lamp first lit?")}
    answer, _ = filled(folder, {"lit": None}, fields)
    assert answer.value == {"lit": None}
    assert "the model found no value" in answer.fields[0].reason


@pytest.mark.parametrize("reply", ["I am sorry.", '{"lit": ', "[1, 2]", "{} and more"])
def test_a_reply_that_is_no_object_leaves_the_extraction(folder: Path, reply: str) -> None:
    fields = {"lit": asking(DATE, "When was the lamp first lit?")}
    answer, _ = filled(folder, reply, fields)
    assert answer.value == {"lit": "1874-09-03"}


def test_lists_of_objects_are_filled_by_a_capable_model_and_each_value_proved(
    folder: Path,
) -> None:
    people = {"type": "array", "items": schema(
        name=asking(TEXT, "name of the responsible person for an item of the budget"),
        item=asking(TEXT, "item of the budget"),
    )}  # fmt: skip
    reply = {"people": [
        {"name": "P. Okafor", "item": "insurance"}, {"name": "Napoleon", "item": "cannons"},
    ]}  # fmt: skip
    answer, _ = filled(folder, reply, {"people": people}, subject="Budget 2024 insurance")
    assert answer.value == {"people": [{"name": "P. Okafor", "item": "insurance"}]}
    assert "people[1].name" in answer.missing


def test_a_small_model_is_not_asked(folder: Path) -> None:
    model = ScriptedModel("{}", capable=False)
    with ragstone.open(folder, llm=model, read_only=True) as corpus:
        answer = corpus.extract("pile 7", schema(loss_mm=NUMBER))
    assert answer.value == {"loss_mm": 40}
    assert not model.asked


def test_the_evidence_fits_a_small_context(folder: Path) -> None:
    model = ScriptedModel("{}", context_tokens=600)
    fields = {f"field_{n}": asking(TEXT, f"the lamp and its keepers {n}") for n in range(9)}
    with ragstone.open(folder, llm=model, read_only=True) as corpus:
        corpus.extract("Northmoor", schema(**fields))
    assert len(model.asked) == 1  # the scripted model refuses what overflows


# --- schemas


def test_references_and_nulls_of_a_schema_are_followed() -> None:
    tree = fields_of(Lighthouse.model_json_schema())
    paths = [leaf.path for leaf in leaves(tree)]
    assert paths == ["first_lit", "engineer", "height_m", "shoe_size", "optic.weight_tonnes",
                     "optic.mercury_litres"]  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"type": "string"}, "not that of an object"),
        ({"type": "object", "properties": {}}, "no properties"),
        (schema(a={"type": "null"}), "'a'"),
        (schema(a={"anyOf": [TEXT, NUMBER]}), "2 types"),
        (schema(a={"$ref": "#/$defs/b"}), "refers to"),
        (schema(a=7), "'a'"),
        ({**schema(a={"$ref": "#/properties/a"})}, "nested more than"),
    ],
)
def test_a_schema_that_cannot_be_filled_is_refused_by_name(bad: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        fields_of(bad)


NAMES = st.text("abcdefg_", min_size=1, max_size=6)
LEAVES = st.sampled_from([TEXT, NUMBER, WHOLE, TRUTH, DATE, {"enum": ["a", "b"]}])
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: (
        st.dictionaries(NAMES, inner, min_size=1, max_size=3).map(lambda fields: schema(**fields))
        | inner.map(lambda item: {"type": "array", "items": item})
    ),
    max_leaves=6,
)


@given(st.dictionaries(NAMES, SCHEMAS, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_leaves_have_paths_of_their_own_and_the_model_may_leave_each_null(fields: dict) -> None:
    tree = fields_of(schema(**fields))
    paths = [leaf.path for leaf in leaves(tree)]
    assert len(paths) == len(set(paths))
    assert list(tree.fields) == list(fields)
    again = fields_of(nullable(tree))

    def shape(node):
        if isinstance(node, Group):
            return {name: shape(inner) for name, inner in node.fields.items()}
        return [shape(node.item)] if isinstance(node, Many) else "leaf"

    assert shape(again) == shape(tree)


# --- values


def leaf(name: str, kind: str = "number", words: str = "", choices: tuple = ()) -> Leaf:
    return Leaf(name, name.replace("_", " "), words, kind, choices)


@given(st.integers(0, 999_999), st.sampled_from(["metres", "km", "mm"]))
def test_lengths_come_in_the_unit_of_the_field(number: int, unit: str) -> None:
    asked = wanted(leaf("height_m"), "the tower")
    metres = {"metres": 1.0, "km": 1000.0, "mm": 0.001}[unit]
    found = candidates(asked, f"The height is {number} {unit}.")
    assert [value.value for value in found] == [pytest.approx(number * metres)]


@given(st.text(max_size=120), st.sampled_from(["string", "number", "integer", "date", "boolean"]))
@settings(max_examples=150)
def test_every_candidate_is_stated_where_it_stands(text: str, kind: str) -> None:
    asked = wanted(leaf("total_cost", kind, "Who paid?" if kind == "string" else ""), "it")
    for value in candidates(asked, text):
        assert 0 <= value.span.start <= value.span.end <= len(text)
        assert states(asked, value.value, text)


@pytest.mark.parametrize(
    ("name", "words", "dimension"),
    [("height_m", "", "length"), ("cost_gbp", "", "GBP"), ("founding_year", "", None),
     ("visits_per_day", "", None), ("share", "in percent", "%"), ("age", "age in years", "month"),
     ("height", "height of the tower (feet)", "foot")],
)  # fmt: skip
def test_units_are_read_from_names_and_descriptions(
    name: str, words: str, dimension: str | None
) -> None:
    unit = unit_of(leaf(name, words=words))
    assert (unit.dimension if unit else None) == dimension


def test_rows_entries_and_markdown_tables_have_cells() -> None:
    assert [key for key, _ in cells("pile: 7; loss (mm): 40")] == ["pile", "loss (mm)"]
    assert [key for key, _ in cells("Chair: Ruth Adeyemi.")] == ["Chair"]
    row = "| adult | £9.50 |"
    found = cells(row, "| ticket | price |\n|---|---|")
    assert [(key, span.of(row).strip()) for key, span in found] == [
        ("ticket", "adult"), ("price", "£9.50"),
    ]  # fmt: skip
    assert cells("The tower is open: bring shoes; wear a hat.") == []


# --- on the command line


def run(folder: Path, *words: str):
    command = ["ask", *words, "--corpus", str(folder), "--llm", "none"]
    return CliRunner().invoke(group, command, standalone_mode=False)


def test_the_command_prints_fields_with_numbers_and_what_is_missing(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "pile.json"
    path.write_text(json.dumps(schema(loss_mm=NUMBER, colour=TEXT)), encoding="utf-8")
    done = run(folder, "pile 7", "--schema", str(path))
    assert done.return_value == 0, done.output
    assert "loss_mm  40 [1]" in done.output
    assert "Not proved by the documents:\ncolour" in done.output
    asjson = run(folder, "pile 7", "--schema", str(path), "--json")
    value = json.loads(asjson.stdout)
    assert value["value"] == {"loss_mm": 40, "colour": None}
    assert value["missing"] == ["colour"]
    assert value["fields"][0]["citations"][0]["quote"] == "pile: 7; loss (mm): 40"


@pytest.mark.parametrize("text", [None, "no json", "[]", '{"type": "string"}'])
def test_a_file_without_a_schema_is_wrong_use(
    folder: Path, tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "schema.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    done = run(folder, "pile 7", "--schema", str(path))
    assert isinstance(done.exception, UsageError)


def test_nothing_proved_is_an_abstention(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(schema(shoe_size=NUMBER)), encoding="utf-8")
    assert run(folder, "Napoleon", "--schema", str(path)).return_value == 4
