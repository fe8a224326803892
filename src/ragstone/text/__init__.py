"""Pure functions over strings: sentences, words and stems, languages."""
