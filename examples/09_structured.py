"""Fields of a schema filled from the documents, each with the sentence that proves it."""

from pathlib import Path

import ragstone

LIBRARY = Path(__file__).parent / "library"
SCHEMA = {  # or a pydantic class: corpus.extract(..., Lighthouse).parsed(Lighthouse)
    "type": "object",
    "properties": {
        "engineer": {"type": "string", "description": "Who designed the tower?"},
        "height_m": {"type": "number", "description": "height of the tower in metres"},
        "first_lit": {"type": "string", "format": "date",
                      "description": "When was the lamp first lit?"},
        "shoe_size": {"type": "integer"},
    },
}  # fmt: skip

with ragstone.open(".ragstone", llm="none") as corpus:
    corpus.sync(LIBRARY)
    answer = corpus.extract("Northmoor Lighthouse", SCHEMA)

print(answer.value)
for field in answer.fields:
    print(f"{field.path}: {field.citations[0].quote if field.citations else field.reason}")
print("missing:", answer.missing)
