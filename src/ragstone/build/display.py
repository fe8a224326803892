"""How answers and manuscripts show themselves in a notebook: given to the nouns when `build` loads.

The nouns stand below the rooms that know HTML, so they are given their display here, once.
"""

from __future__ import annotations

from ragstone.applications.writing.manuscript import Manuscript
from ragstone.types import Answer


def _answer(answer: Answer) -> str:
    from ragstone.applications.manuscripts.answers import answer_html

    return answer_html(answer)


def _manuscript(manuscript: Manuscript) -> str:
    from ragstone.applications.manuscripts.html import fragment

    return fragment(manuscript)


def install() -> None:
    """Give both nouns the method that notebooks call (`_repr_html_`)."""
    setattr(Answer, "_repr_html_", _answer)  # noqa: B010 - the type checker knows no such name
    setattr(Manuscript, "_repr_html_", _manuscript)  # noqa: B010
