"""Structured answers: a schema's fields filled from the documents, each with its citation."""
