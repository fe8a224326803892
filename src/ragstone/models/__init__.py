"""Encoders, language models and rerankers: the rooms' only place that loads weights."""
