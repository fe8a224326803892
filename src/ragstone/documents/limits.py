"""What a reader refuses to swallow: sizes in bytes, code points, levels and members.

Law: peak memory is bounded by these numbers, whatever the size of the input. Formats that can
stream (text, CSV, JSONL, gzip of them) are cut into parts; the others are read whole, and
refused above `max_whole_bytes`.
"""

from __future__ import annotations

from dataclasses import dataclass

MiB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one source. The defaults keep a reader below about 1 GB resident."""

    max_whole_bytes: int = 256 * MiB  # of a file or a member that has to be in memory at once
    max_stream_bytes: int = 64 * 1024 * MiB  # of a file that is read in a stream
    max_ratio: int = 250  # uncompressed to compressed; deflate's own ceiling is 1,032
    free_bytes: int = 32 * MiB  # uncompressed bytes below which the ratio is not looked at
    max_members: int = 20_000  # files inside one container (zip, e-mail)
    max_characters: int = 20_000_000  # of one document; a streaming format is cut long before
    part_characters: int = 4_000_000  # a stream of text is cut into parts of about this size
    part_rows: int = 5_000  # a stream of rows is cut into parts of this many rows
    max_nesting: int = 400  # of elements in HTML and XML, of values in JSON
    max_attachments_deep: int = 4  # a file inside a file inside a file
    max_pages: int = 20_000  # of a paged format
