"""Files to documents, documents to passages."""

from ragstone.documents.chunking import chunk, embedding_text
from ragstone.documents.formats import formats
from ragstone.documents.limits import Limits
from ragstone.documents.reading import read

__all__ = ["Limits", "chunk", "embedding_text", "formats", "read"]
