"""The parts of a DOCX that are the same for every manuscript: styles, numbering, fonts, footer."""

from __future__ import annotations

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = f'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="{OFFICE}"'
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def _style(name: str, kind: str = "paragraph", *, paragraph: str = "", run: str = "") -> str:
    shown = {"Heading1": "heading 1", "FootnoteText": "footnote text", "Footer": "footer",
             "Source": "Quote Source",
             "FootnoteReference": "footnote reference", "ListQuote": "List Quote",
             "TableGrid": "Table Grid"}.get(name, name)  # fmt: skip
    based = '<w:basedOn w:val="Normal"/>' if kind == "paragraph" and name != "Normal" else ""
    default = ' w:default="1"' if name == "Normal" else ""
    return (
        f'<w:style w:type="{kind}"{default} w:styleId="{name}"><w:name w:val="{shown}"/>'
        f"{based}<w:qFormat/>"
        + (f"<w:pPr>{paragraph}</w:pPr>" if paragraph else "")
        + (f"<w:rPr>{run}</w:rPr>" if run else "")
        + "</w:style>"
    )


CODE_FONT = '<w:rFonts w:ascii="Consolas" w:hAnsi="Consolas" w:cs="Consolas"/>'
_INDENT = '<w:ind w:left="360"/>'
STYLES = (
    f"{HEAD}<w:styles {MAIN}><w:docDefaults><w:rPrDefault><w:rPr>"
    '<w:rFonts w:ascii="Calibri" w:hAnsi="Calibri" w:eastAsia="Calibri" w:cs="Calibri"/>'
    '<w:sz w:val="22"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr>'
    '<w:spacing w:after="120" w:line="276" w:lineRule="auto"/></w:pPr></w:pPrDefault>'
    "</w:docDefaults>"
    + _style("Normal")
    + _style("Title", paragraph='<w:spacing w:after="60"/>', run='<w:b/><w:sz w:val="40"/>')
    + _style("Subtitle", run='<w:color w:val="595959"/><w:sz w:val="20"/>')
    + _style(
        "Heading1",
        paragraph='<w:keepNext/><w:spacing w:before="360" w:after="120"/><w:outlineLvl w:val="0"/>',
        run='<w:b/><w:sz w:val="28"/>',
    )
    + _style(
        "Source",
        paragraph='<w:keepNext/><w:spacing w:before="160" w:after="40"/>',
        run='<w:i/><w:color w:val="595959"/><w:sz w:val="20"/>',
    )
    + _style(
        "Quote",
        paragraph='<w:pBdr><w:left w:val="single" w:sz="12" w:space="8" w:color="BFBFBF"/></w:pBdr>'
        + _INDENT,
    )
    + _style(
        "ListQuote",
        paragraph='<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
        '<w:spacing w:after="60"/><w:ind w:left="720" w:hanging="284"/>',
    )
    + _style("Entry", paragraph='<w:spacing w:after="60"/><w:ind w:left="360" w:hanging="360"/>')
    + _style(
        "Footer",
        paragraph='<w:spacing w:after="0"/><w:jc w:val="center"/>',
        run='<w:sz w:val="18"/>',
    )
    + _style("Cell", paragraph='<w:spacing w:after="0"/>', run='<w:sz w:val="19"/>')
    + _style("FootnoteText", paragraph='<w:spacing w:after="0"/>', run='<w:sz w:val="18"/>')
    + _style("FootnoteReference", "character", run='<w:vertAlign w:val="superscript"/>')
    + _style(
        "Code",
        "character",
        run=CODE_FONT,
    )
    + _style("Hyperlink", "character", run='<w:color w:val="0B5CAD"/><w:u w:val="single"/>')
    + '<w:style w:type="table" w:styleId="TableGrid"><w:name w:val="Table Grid"/><w:tblPr>'
    '<w:tblCellMar><w:top w:w="60" w:type="dxa"/><w:left w:w="100" w:type="dxa"/>'
    '<w:bottom w:w="60" w:type="dxa"/><w:right w:w="100" w:type="dxa"/></w:tblCellMar>'
    "<w:tblBorders>"
    + "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="BFBFBF"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    + "</w:tblBorders></w:tblPr></w:style></w:styles>"
)
SETTINGS = (
    f'{HEAD}<w:settings {MAIN}><w:footnotePr><w:footnote w:id="-1"/><w:footnote w:id="0"/>'
    "</w:footnotePr></w:settings>"
)
NUMBERING = (
    f'{HEAD}<w:numbering {MAIN}><w:abstractNum w:abstractNumId="0"><w:multiLevelType '
    'w:val="hybridMultilevel"/><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="bullet"/>'
    '<w:lvlText w:val="•"/><w:lvlJc w:val="left"/></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
)
# What stands in for a font that a machine does not have: letters of one width stay so.
FONTS = (
    f'{HEAD}<w:fonts {MAIN}><w:font w:name="Calibri"><w:altName w:val="Carlito"/>'
    '<w:family w:val="swiss"/><w:pitch w:val="variable"/></w:font><w:font w:name="Consolas">'
    '<w:altName w:val="DejaVu Sans Mono"/><w:family w:val="modern"/><w:pitch w:val="fixed"/>'
    "</w:font></w:fonts>"
)
FOOTER = (
    f'{HEAD}<w:ftr {MAIN}><w:p><w:pPr><w:pStyle w:val="Footer"/></w:pPr>'
    '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> PAGE '
    '</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1</w:t></w:r>'
    '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p></w:ftr>'
)
