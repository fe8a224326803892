"""PDF: text in reading order with pages, tables and headings, and the way back to the page."""

from ragstone.documents.pdf.document import parse
from ragstone.documents.pdf.places import PageBoxes, rectangles

__all__ = ["PageBoxes", "parse", "rectangles"]
