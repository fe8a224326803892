"""Answers from your own documents: cites what it can prove, says when it cannot."""
