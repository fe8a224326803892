"""Manuscripts and answers as files and displays: Markdown, HTML, DOCX; and read back again."""
