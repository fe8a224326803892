"""Writing over a corpus: a brief becomes an outline, sections, and a ledger of every sentence."""
