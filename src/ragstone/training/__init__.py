"""Recipes that make the shipped weights from open data. Needs the extras they name."""
