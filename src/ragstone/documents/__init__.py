"""Files to documents, documents to passages."""

from ragstone.documents.chunking import chunk
from ragstone.documents.context import embedding_text, table_header
from ragstone.documents.formats import formats
from ragstone.documents.limits import Limits
from ragstone.documents.places import Place, place_of, unit_of
from ragstone.documents.reading import read

__all__ = [
    "Limits",
    "Place",
    "chunk",
    "embedding_text",
    "formats",
    "place_of",
    "read",
    "table_header",
    "unit_of",
]
