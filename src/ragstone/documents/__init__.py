"""Files to documents, documents to passages."""

from ragstone.documents.formats import formats
from ragstone.documents.limits import Limits
from ragstone.documents.reading import read

__all__ = ["Limits", "formats", "read"]
