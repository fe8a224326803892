"""A text of which every sentence is proved, as Markdown, a web page and a Word document."""

from pathlib import Path

import ragstone
from ragstone.applications.manuscripts.docx import docx
from ragstone.applications.manuscripts.html import html
from ragstone.applications.manuscripts.markdown import markdown

LIBRARY = Path(__file__).parent / "library"
OUTLINE = """\
# The lamp of Northmoor
## The optic
Who made the optic, and what does it weigh?
## Care
How is the bulb changed?
"""

with ragstone.open(".ragstone", llm="none") as corpus:
    corpus.sync(LIBRARY)
    manuscript = corpus.write("The lamp of Northmoor", outline=OUTLINE)

Path("lamp.md").write_text(markdown(manuscript), encoding="utf-8")
Path("lamp.html").write_text(html(manuscript), encoding="utf-8")
Path("lamp.docx").write_bytes(docx(manuscript))
print(f"{len(manuscript.statements)} sentences, {len(manuscript.notes())} notes")
