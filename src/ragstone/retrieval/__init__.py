"""From a question to passages: words, meaning, their fusion, and what follows it."""
