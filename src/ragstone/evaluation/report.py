"""Evaluations and comparisons as text and as one self-contained HTML page (no script, no fetch).

Law: the same value gives the same bytes; every text of the data is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from ragstone.evaluation.abstention import RiskPoint, risk_coverage
from ragstone.evaluation.comparison import Change, Comparison, Difference
from ragstone.evaluation.retrieval import Evaluation

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c2430; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .25rem .8rem; text-align: right; border-bottom: 1px solid #dde3ea }
td:first-child, th:first-child { text-align: left }
details { margin: .4rem 0; border-bottom: 1px solid #dde3ea } summary { cursor: pointer }
.win { color: #156b3a } .loss { color: #a3282c } code { font-size: .9em }
svg { max-width: 100%; height: auto }
@media (prefers-color-scheme: dark) {
  body { background: #12161c; color: #e4e9f0 } td, th, details { border-color: #2c3644 }
  .win { color: #5cc98a } .loss { color: #f08a8d } }
"""


def render_text(result: Evaluation | Comparison) -> str:
    """A few aligned lines for a terminal."""
    if isinstance(result, Evaluation):
        return _evaluation_text(result)
    return _comparison_text(result)


def render_html(result: Evaluation | Comparison) -> str:
    """A page that stands alone, with plots as inline SVG."""
    if isinstance(result, Evaluation):
        return _page(f"Evaluation: {result.dataset}", _evaluation_html(result))
    return _page(f"Comparison: {result.dataset}", _comparison_html(result))


def comparison_json(result: Comparison) -> dict[str, object]:
    """The comparison as plain data, rounded to 6 digits."""
    return {
        "dataset": result.dataset,
        "n": result.n,
        "only_a": result.only_a,
        "only_b": result.only_b,
        "main": result.main,
        "measures": {
            d.measure: {
                "a": round(d.a, 6),
                "b": round(d.b, 6),
                "difference": round(d.difference, 6),
                "interval": [round(bound, 6) for bound in d.interval],
                "p": round(d.p, 6),
                "wins": d.wins,
                "losses": d.losses,
                "ties": d.ties,
            }
            for d in result.differences
        },
        "changes": [
            {
                "id": change.id,
                "question": change.question,
                "a": round(change.a, 6),
                "b": round(change.b, 6),
                "ranking_a": list(change.ranking_a),
                "ranking_b": list(change.ranking_b),
            }
            for change in result.changes
        ],
        "settings": {name: list(pair) for name, pair in result.settings.items()},
        "timings_ms": {name: list(pair) for name, pair in result.timings_ms.items()},
    }


def _evaluation_text(result: Evaluation) -> str:
    lines = [f"{result.dataset}: {result.n} queries"]
    for name, value in result.measures.items():
        low, high = result.confidence[name]
        lines.append(f"  {name:<18} {value:.4f}   95% [{low:.4f}, {high:.4f}]")
    times = ", ".join(f"{name} {ms:.1f} ms" for name, ms in result.timings_ms.items())
    lines.append(f"  search {times}")
    return "\n".join(lines)


def _comparison_text(result: Comparison) -> str:
    lines = [f"{result.dataset}: {result.n} queries in both runs"]
    if result.only_a or result.only_b:
        lines.append(f"  left out: {result.only_a} only in A, {result.only_b} only in B")
    lines.append(
        f"  {'measure':<12} {'A':>7} {'B':>7} {'B - A':>8}  {'95%':<18} {'p':>7}  won/lost/tied"
    )
    for d in result.differences:
        interval = f"[{d.interval[0]:+.4f}, {d.interval[1]:+.4f}]"
        lines.append(
            f"  {d.measure:<12} {d.a:7.4f} {d.b:7.4f} {d.difference:+8.4f}  {interval:<18} "
            f"{d.p:7.4f}  {d.wins}/{d.losses}/{d.ties}"
        )
    lines += [f"  search {n}: {a:.1f} -> {b:.1f} ms" for n, (a, b) in result.timings_ms.items()]
    lines += [f"  {name}: {a} -> {b}" for name, (a, b) in result.settings.items()]
    if result.changes:
        lines.append(f"  changed most ({result.main}):")
        lines += [
            f"    {change.a:.2f} -> {change.b:.2f}  {change.id}  {change.question[:80]}"
            for change in result.changes[:10]
        ]
    return "\n".join(lines)


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def _evaluation_html(result: Evaluation) -> str:
    rows = [
        (
            name,
            f"{value:.4f}",
            f"{result.confidence[name][0]:.4f} to {result.confidence[name][1]:.4f}",
        )
        for name, value in result.measures.items()
    ]
    intervals = [(n, v, *result.confidence[n]) for n, v in result.measures.items()]
    times = [(name, f"{ms:.1f} ms") for name, ms in result.timings_ms.items()]
    return (
        f"<p>{result.n} queries.</p>"
        + _risk_html(result)
        + _interval_plot(intervals, 0.0, 1.0)
        + _table(("measure", "mean", "95% interval"), rows)
        + _table(("search", "time"), times)
        + _facts("Settings", result.settings)
        + _facts("Versions", result.versions)
        + _facts("Checksums", result.checksums)
    )


def _risk_html(result: Evaluation) -> str:
    """The risk-coverage curve, where the queries have a confidence and are right or wrong."""
    values = [query.values for query in result.queries]
    if not values or not all("confidence" in v and "right" in v for v in values):
        return ""
    points = risk_coverage([v["confidence"] for v in values], [v["right"] > 0 for v in values])
    return (
        "<h2>Risk and coverage</h2><p>Answering the most confident share of the questions "
        "(across) is wrong in this share of them (up): the lower the curve, the better the "
        f"confidence knows. Area under it (AURC): {result.measures.get('AURC', 0.0):.4f}.</p>"
        + _risk_plot(points)
    )


def _comparison_html(result: Comparison) -> str:
    rows = [_difference_row(difference) for difference in result.differences]
    widest = max((abs(b) for d in result.differences for b in d.interval), default=0.0) or 0.01
    plot = [(d.measure, d.difference, *d.interval) for d in result.differences]
    changes = "".join(_change_html(change, result.main) for change in result.changes)
    settings = {name: f"{a} → {b}" for name, (a, b) in result.settings.items()}
    times = {name: f"{a:.1f} → {b:.1f} ms" for name, (a, b) in result.timings_ms.items()}
    return (
        f"<p>{result.n} queries in both runs ({result.only_a} only in A, {result.only_b} only in "
        "B).</p><h2>B against A</h2>"
        + _interval_plot(plot, -widest, widest)
        + _table(("measure", "A", "B", "B − A", "95% interval", "p", "won", "lost", "tied"), rows)
        + f"<h2>{escape(result.main)}, query by query</h2>"
        + _delta_plot([b - a for a, b in result.values.values()])
        + f"<h2>Queries that changed most</h2>{changes or '<p>None changed.</p>'}"
        + _facts("Settings that differ", settings)
        + _facts("Search time", times)
    )


def _difference_row(d: Difference) -> tuple[str, ...]:
    return (
        d.measure, f"{d.a:.4f}", f"{d.b:.4f}", f"{d.difference:+.4f}",
        f"{d.interval[0]:+.4f} to {d.interval[1]:+.4f}", f"{d.p:.4f}",
        str(d.wins), str(d.losses), str(d.ties),
    )  # fmt: skip


def _change_html(change: Change, measure: str) -> str:
    sign = "win" if change.b > change.a else "loss"
    lists = "".join(
        f"<td><ol>{''.join(f'<li><code>{escape(name)}</code></li>' for name in ranking)}</ol></td>"
        for ranking in (change.ranking_a, change.ranking_b)
    )
    return (
        f'<details><summary><span class="{sign}">{change.a:.2f} → {change.b:.2f}</span> '
        f"{escape(change.question)}</summary><p>{escape(measure)} of query "
        f"<code>{escape(change.id)}</code>; results of A and of B:</p>"
        f"<table><tr>{lists}</tr></table></details>"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><tr>{cells}</tr>{body}</table>\n"


def _facts(title: str, facts: Mapping[str, object]) -> str:
    if not facts:
        return ""
    rows = [(name, str(value)) for name, value in sorted(facts.items())]
    return f"<h2>{escape(title)}</h2>{_table(('', ''), rows)}"


def _interval_plot(rows: Sequence[tuple[str, float, float, float]], low: float, high: float) -> str:
    """Means as dots with their intervals as lines, one measure a row."""
    left, width, step = 150, 540, 26
    height = step * len(rows) + 12

    def x(value: float) -> float:
        return left + (value - low) / (high - low) * width

    parts = [
        f'<line x1="{x(max(low, 0)):.1f}" y1="0" x2="{x(max(low, 0)):.1f}" y2="{height}" '
        'stroke="currentColor" stroke-opacity=".35"/>'
    ]
    for at, (name, mean, first, last) in enumerate(rows):
        y = step * at + 20
        parts.append(
            f'<text x="0" y="{y + 4}" fill="currentColor" font-size="13">{escape(name)}</text>'
            f'<line x1="{x(first):.1f}" y1="{y}" x2="{x(last):.1f}" y2="{y}" stroke="#3b78c4" '
            f'stroke-width="3"/><circle cx="{x(mean):.1f}" cy="{y}" r="4.5" fill="#3b78c4"/>'
        )
    return _svg(left + width + 20, height, "means with 95% intervals", parts)


def _risk_plot(points: Sequence[RiskPoint]) -> str:
    """Risk over coverage as a stepped line, both from 0 to 1."""
    left, top, width, height = 48.0, 10.0, 560.0, 240.0
    parts: list[str] = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = left + tick * width, top + (1 - tick) * height
        parts.append(
            f'<line x1="{left:.0f}" y1="{y:.1f}" x2="{left + width:.0f}" y2="{y:.1f}" '
            'stroke="currentColor" stroke-opacity=".15"/>'
            f'<text x="0" y="{y + 4:.1f}" fill="currentColor" font-size="12">{tick:.2f}</text>'
            f'<text x="{x - 12:.1f}" y="{top + height + 18:.0f}" fill="currentColor" '
            f'font-size="12">{tick:.2f}</text>'
        )
    line: list[str] = []
    before = 0.0
    for point in points:
        y = top + (1 - point.risk) * height
        line += [
            f"{left + before * width:.1f},{y:.1f}",
            f"{left + point.coverage * width:.1f},{y:.1f}",
        ]
        before = point.coverage
    parts.append(
        f'<polyline points="{" ".join(line)}" fill="none" stroke="#3b78c4" stroke-width="2.5"/>'
    )
    return _svg(left + width + 24, top + height + 26, "risk over coverage", parts)


def _delta_plot(deltas: Sequence[float]) -> str:
    """The difference of every query as a bar, sorted from most won to most lost."""
    width, height = 680, 180
    ordered = sorted(deltas, reverse=True)
    step = width / max(1, len(ordered))
    parts = [
        f'<line x1="0" y1="{height / 2}" x2="{width}" y2="{height / 2}" stroke="currentColor" '
        'stroke-opacity=".35"/>'
    ]
    for at, delta in enumerate(ordered):
        if delta:
            size = abs(delta) * (height / 2 - 4)
            top = height / 2 - size if delta > 0 else height / 2
            colour = "#2b9a5b" if delta > 0 else "#c9474b"
            parts.append(
                f'<rect x="{at * step:.2f}" y="{top:.1f}" width="{max(step * 0.9, 0.4):.2f}" '
                f'height="{size:.1f}" fill="{colour}"/>'
            )
    return _svg(width, height, "difference by query, sorted", parts)


def _svg(width: float, height: float, label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {width} {height}" '
        f'width="{width}">{"".join(parts)}</svg>\n'
    )
