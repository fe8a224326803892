"""What keeps an answer true: evidence, citations, verification, abstention."""
