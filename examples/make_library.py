"""Writes examples/library: one small world (a lighthouse trust) in many real formats.

Run it after a change: `python examples/make_library.py`. It needs python-docx, python-pptx,
openpyxl and reportlab; the files it writes are committed, so the demo needs none of them.
"""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
from email.message import EmailMessage
from pathlib import Path

LIBRARY = Path(__file__).parent / "library"

HANDBOOK = """# Visitor handbook of the Northmoor Lighthouse

## Opening hours

The lighthouse is open from 1 April to 31 October, Tuesday to Sunday, from 10:00 to 17:00.
The last ascent begins at 16:15. In winter the tower opens for groups of at least eight people
who book two weeks ahead.

## Tickets

| ticket | price | includes |
|---|---|---|
| adult | £9.50 | tower and museum |
| child (5 to 15) | £4.00 | tower and museum |
| family | £23.00 | two adults and up to three children |
| museum only | £3.50 | the keepers' cottage |

Members of the trust enter free. Children under five may visit the museum, but they may not
climb the tower.

## Climbing the tower

- There are 176 steps and no lift.
- At most twelve visitors may be in the lantern room at one time.
- Sturdy shoes are required. Sandals are turned away when the stairs are wet.

## Dogs

Dogs are welcome in the grounds on a lead. They are not admitted to the tower.
"""

LAMP = """The lamp of Northmoor
=====================

Optic
-----

The optic is a second-order Fresnel lens made by Barbier & Fenestre in Paris in 1887. It weighs
2.4 tonnes and floats on a bath of 180 litres of mercury, so that a child could turn it with one
finger.

Character
---------

The light shows two white flashes every fifteen seconds. Its nominal range is 21 nautical miles.

Changing the bulb
-----------------

#. Switch off the drive motor and wait until the lens stands still.
#. Wear cotton gloves; a fingerprint on the glass shortens the life of the bulb.
#. Replace the 250 watt metal halide bulb.
#. Note the hours in the keeper's log.
"""

HISTORY = """<!doctype html>
<html lang="en"><head><title>History of the Northmoor Lighthouse</title>
<meta name="author" content="Ada Penhale"></head>
<body>
<nav><a href="/">Home</a> <a href="/visit">Visit</a> <a href="/shop">Shop</a></nav>
<main>
<h1>History of the Northmoor Lighthouse</h1>
<h2>Construction</h2>
<p>After the barque <em>Corinna</em> was lost with nineteen hands on the Moor Rocks in January
1869, the merchants of Port Ellery petitioned for a light. The engineer Thomas Garrick designed a
granite tower of 41 metres. Work began in May 1871, and the lamp was first lit on 3 September
1874.</p>
<h2>The keepers</h2>
<p>Three keepers lived at the station until it was automated in 1986. The last principal keeper
was Margaret Tolland, the only woman ever to hold the post at Northmoor.</p>
<h2>The trust</h2>
<p>The Northmoor Lighthouse Trust bought the station for one pound in 1991 and opened it to the
public two years later.</p>
</main>
<footer>Cookie settings | Privacy | © Northmoor Lighthouse Trust</footer>
</body></html>
"""

LOG = """KEEPERS' LOG, NORTHMOOR STATION

14 November 1953. Gale from the south-west, force 10. Spray over the lantern. The fog signal was
sounded for 31 hours without a pause. Keeper J. Hallam scalded his hand on the compressor.

2 February 1954. The relief boat could not land. Bread is short; we baked with the last of the
flour.

9 February 1954. Relief boat landed after a delay of seven days. All well.
"""

VISITORS = [
    ["year", "visitors", "school groups", "income (GBP)"],
    ["2019", "18402", "61", "121480"],
    ["2020", "4115", "3", "26220"],
    ["2021", "11876", "14", "83010"],
    ["2022", "17330", "48", "129775"],
    ["2023", "19951", "66", "158312"],
]

FAQ = [
    {
        "id": "faq-parking",
        "title": "Where can I park?",
        "text": "The car park at Signal Lane holds 40 cars and is free. It is 600 metres from the "
        "tower; two spaces for disabled visitors lie beside the cottage.",
    },
    {
        "id": "faq-wedding",
        "title": "Can I marry in the lighthouse?",
        "text": "Yes. The lantern room is licensed for civil ceremonies with at most ten guests. "
        "The fee is £650 and includes the grounds for three hours.",
    },
]

REPORT = [
    (
        "Summary",
        "In 2022 the trust restored the lantern gallery, whose iron had corroded where the railing "
        "meets the deck. The work took 23 weeks, four more than planned, because gales stopped the "
        "scaffolders on 29 days. It cost £412,600, of which the Heritage Fund paid £275,000.",
    ),
    (
        "Findings",
        "Of the 64 balusters, 17 had lost more than a third of their section and were recast at a "
        "foundry in Truro. Paint samples showed eleven layers; the oldest was a lead white. The "
        "granite was sound, apart from a hairline crack above the third window that will be "
        "measured every six months.",
    ),
    (
        "Recommendations",
        "The gallery should be washed with fresh water every spring. The next full inspection is "
        "due in 2032. The lightning conductor should be replaced before the winter of 2024.",
    ),
]


def main() -> None:
    """Write every file of the library."""
    LIBRARY.mkdir(exist_ok=True)
    (LIBRARY / "handbook.md").write_text(HANDBOOK, encoding="utf-8")
    (LIBRARY / "lamp.rst").write_text(LAMP, encoding="utf-8")
    (LIBRARY / "history.html").write_text(HISTORY, encoding="utf-8")
    (LIBRARY / "keepers-log.txt.gz").write_bytes(gzip.compress(LOG.encode(), mtime=0))
    with (LIBRARY / "visitors.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(VISITORS)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in FAQ)
    (LIBRARY / "faq.jsonl").write_text(lines, encoding="utf-8")
    _word()
    _slides()
    _sheet()
    _pdf()
    _mail()
    _epub()


def _word() -> None:
    import docx

    document = docx.Document()
    document.core_properties.title = "Minutes of the trustees, 12 March 2024"
    document.core_properties.author = "P. Okafor"
    document.add_heading("Minutes of the trustees", 0)
    document.add_paragraph("Held on 12 March 2024 in the keepers' cottage. Chair: Ruth Adeyemi.")
    document.add_heading("Decisions", 1)
    for decision in (
        "The price of an adult ticket rises from £8.75 to £9.50 on 1 April 2024.",
        "The offer of Halloran Marine to survey the landing stage for £6,200 is accepted.",
        "The request to fly drones over the tower during the nesting season is refused.",
    ):
        document.add_paragraph(decision, style="List Number")
    document.add_heading("Actions", 1)
    table = document.add_table(rows=1, cols=3)
    rows = [
        ("who", "what", "by when"),
        ("Ruth Adeyemi", "sign the survey contract", "29 March 2024"),
        ("Sam Tregear", "order the lightning conductor", "30 June 2024"),
        ("P. Okafor", "renew the insurance of the boat", "15 May 2024"),
    ]
    for cell, name in zip(table.rows[0].cells, rows[0], strict=True):
        cell.text = name
    for row in rows[1:]:
        for cell, value in zip(table.add_row().cells, row, strict=True):
            cell.text = value
    document.save(str(LIBRARY / "minutes-2024-03.docx"))


def _slides() -> None:
    from pptx import Presentation

    deck = Presentation()
    for title, points, notes in (
        (
            "Training for volunteers",
            ["Two evenings in March", "A certificate after the practical test"],
            "Hand out the radios before the first slide.",
        ),
        (
            "In an emergency",
            [
                "Call the coastguard on VHF channel 16",
                "Assembly point: the flagpole",
                "The defibrillator hangs in the museum porch",
            ],
            "The code of the defibrillator cabinet is kept by the duty manager.",
        ),
    ):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text_frame.text = points[0]
        for point in points[1:]:
            slide.placeholders[1].text_frame.add_paragraph().text = point
        slide.notes_slide.notes_text_frame.text = notes
    deck.save(str(LIBRARY / "volunteers.pptx"))


def _sheet() -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = "Budget 2024"
    for row in (
        ("item", "planned (GBP)", "spent (GBP)", "responsible"),
        ("insurance", 14200, 14850, "P. Okafor"),
        ("paint and ironwork", 9600, 7120, "Sam Tregear"),
        ("museum displays", 5300, 6015, "Ada Penhale"),
        ("boat fuel", 2100, 1880, "Sam Tregear"),
    ):
        sheet.append(row)
    book.save(LIBRARY / "budget.xlsx")


def _pdf() -> None:
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

    styles = getSampleStyleSheet()

    def furniture(canvas: object, document: object) -> None:
        canvas.setFont("Helvetica", 8)  # type: ignore[attr-defined]
        canvas.drawString(72, 800, "Northmoor Lighthouse Trust: restoration report")  # type: ignore[attr-defined]
        canvas.drawString(290, 30, str(document.page))  # type: ignore[attr-defined]

    parts = [Paragraph("Restoration of the lantern gallery", styles["Title"])]
    for title, text in REPORT:
        parts += [Paragraph(title, styles["Heading2"]), Paragraph(text, styles["BodyText"])]
        parts.append(PageBreak() if title == "Summary" else Spacer(1, 12))
    costs = [["Item", "Planned", "Actual"], ["Scaffolding", "£96,000", "£121,300"]]
    costs += [["Ironwork", "£188,000", "£201,500"], ["Painting", "£74,000", "£89,800"]]
    parts.append(Table(costs))
    target = SimpleDocTemplate(
        str(LIBRARY / "restoration-2022.pdf"),
        pagesize=A4,
        title="Restoration of the lantern gallery",
        author="Garrick Conservation Ltd",
        invariant=True,
    )
    target.build(parts, onFirstPage=furniture, onLaterPages=furniture)


def _mail() -> None:
    message = EmailMessage()
    message["From"] = "Halloran Marine <office@halloran.example>"
    message["To"] = "Ruth Adeyemi <chair@northmoor.example>"
    message["Date"] = "Mon, 22 Apr 2024 09:12:00 +0100"
    message["Subject"] = "Survey of the landing stage"
    message.set_content(
        "Dear Ruth,\n\nwe surveyed the landing stage on 18 April. Pile 7 has lost 40 mm to "
        "shipworm and should be replaced this summer. Until then please land no more than six "
        "people at a time.\n\nKind regards,\nNiamh Halloran\n"
    )
    message.add_attachment(
        "pile,loss (mm)\n5,6\n6,9\n7,40\n8,4\n", subtype="csv", filename="piles.csv"
    )
    (LIBRARY / "survey.eml").write_bytes(bytes(message))


def _epub() -> None:
    chapter = (
        '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head>'
        "<title>{0}</title></head><body><h1>{0}</h1><p>{1}</p></body></html>"
    )
    chapters = {
        "one": (
            "Birds of the headland",
            "Choughs returned to Northmoor in 2011 after an absence of 62 years. Five pairs now "
            "nest in the cliff below the fog signal.",
        ),
        "two": (
            "Seals",
            "Grey seals haul out on the Moor Rocks at low water. Pups are born in September and "
            "October; keep a distance of 100 metres.",
        ),
    }
    container = (
        '<?xml version="1.0"?><container version="1.0" '
        'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
        'full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    items = "".join(
        f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"/>'
        for name in chapters
    )
    spine = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
        'unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        '<dc:identifier id="id">northmoor-wildlife</dc:identifier>'
        "<dc:title>Wildlife of Northmoor</dc:title><dc:creator>Ada Penhale</dc:creator>"
        "<dc:language>en</dc:language></metadata>"
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    when = (2024, 1, 1, 0, 0, 0)
    with zipfile.ZipFile(LIBRARY / "wildlife.epub", "w") as book:
        for name, text in (
            ("mimetype", "application/epub+zip"),
            ("META-INF/container.xml", container),
            ("book.opf", package),
            *((f"{name}.xhtml", chapter.format(*parts)) for name, parts in chapters.items()),
        ):
            book.writestr(zipfile.ZipInfo(name, when), text)


if __name__ == "__main__":
    main()
