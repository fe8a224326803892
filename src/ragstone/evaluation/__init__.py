"""Measuring retrieval and answers, with the literature's measures and confidence intervals."""
