"""Which part of a page is content, and which its frame: menus, side bars, footers, banners.

First by what the page says of itself (`main`, `article`, roles), then by names and by how much
of a block's text is links. Recall comes before precision: a block that holds much of the page's
text outside links is never dropped, and a page without a frame loses nothing.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

_UNSEEN = frozenset(
    (
        *("script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "head"),
        *("input", "select", "button", "textarea", "canvas", "audio", "video", "map", "datalist"),
        *("-comment", "_comment", "-doctype", "link", "meta", "dialog", "rt", "rp", "title"),
    )
)
_FRAME_ROLES = frozenset(
    ("navigation", "banner", "contentinfo", "search", "menu", "menubar", "toolbar", "dialog")
)
_FRAME_NAMES = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|sidebar|breadcrumbs?|footer|cookies?|consent|banner"
    r"|share|sharing|social|related|pagination|pager|toc|tableofcontents|advert(?:isement)?|ads?|promo"
    r"|newsletter|subscribe|skip(?:link|nav)?|masthead|topbar|editsection|headerlink|anchor-link"
    r"|noprint|jumplink|catlinks|navbox|reflist-nav)(?:$|[\s_-])",
    re.IGNORECASE,
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.I)
_MAIN = (
    "main", "[role=main]", "#mw-content-text", "article", "#main-content", "#content",
    "#bodyContent", ".main-content", ".post-content", ".entry-content",
)  # fmt: skip
_PAGE = frozenset(("main", "article"))


def hidden(node: LexborNode, tag: str) -> bool:
    """Whether a browser would not show the element, or it is a control."""
    if tag in _UNSEEN:
        return True
    attributes = node.attributes
    if not attributes:
        return False
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    style = attributes.get("style")
    if style and _HIDDEN_STYLE.search(style):
        return True
    return tag == "a" and "headerlink" in (attributes.get("class") or "")


class Frame:
    """What of a page's body is content: `root` is where reading begins, `drops` what is passed
    over, `lost_title` a level-1 heading that stands outside of the root."""

    def __init__(self, body: LexborNode) -> None:
        self._weights: dict[int, tuple[int, int]] = {}
        _weigh(body, self._weights)
        self._own = self._unlinked(body)  # characters of text outside links
        self.root = self._find_root(body)
        self.lost_title: LexborNode | None = None
        titles = body.css("h1")
        if self.root.mem_id != body.mem_id and len(titles) == 1:
            inside = self.root.css_first("h1")
            if inside is None and not hidden(titles[0], "h1"):
                self.lost_title = titles[0]

    def _unlinked(self, node: LexborNode) -> int:
        text, linked = self._weights.get(node.mem_id, (0, 0))
        return text - linked

    def _find_root(self, body: LexborNode) -> LexborNode:
        for selector in _MAIN:
            found = body.css(selector)
            if found:
                best = max(found, key=self._unlinked)
                rest = sum(self._unlinked(node) for node in found) - self._unlinked(best)
                if self._unlinked(best) >= 0.4 * self._own and rest < 0.3 * self._unlinked(best):
                    return best
        return body

    def drops(self, node: LexborNode, tag: str) -> bool:
        """Whether the element is frame. Never one with much of the page's own text."""
        attributes = node.attributes
        role = attributes.get("role") or ""
        names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
        said = (
            tag in ("nav", "header", "footer", "aside")
            or role in _FRAME_ROLES
            or (role == "complementary" and tag != "div")
        )
        named = tag not in ("body", "html", "main", "article", "h1", "h2") and bool(
            len(names) > 1 and _FRAME_NAMES.search(names)
        )
        if not said and not named:
            return False
        text, linked = self._weights.get(node.mem_id, (0, 0))
        if text - linked > 0.4 * self._own:
            return False
        if tag == "nav" or role in _FRAME_ROLES:
            return True
        if tag in ("header", "footer", "aside"):
            return not _within(node, _PAGE) and (tag != "header" or node.css_first("h1") is None)
        return text == 0 or linked > 0.4 * text or text - linked < 40


def _within(node: LexborNode, tags: frozenset[str]) -> bool:
    parent = node.parent
    for _ in range(60):
        if parent is None:
            return False
        if parent.tag in tags:
            return True
        parent = parent.parent
    return False


def _weigh(body: LexborNode, weights: dict[int, tuple[int, int]]) -> None:
    """Characters of seen text, and of them in links, for each element; without recursion."""
    open_nodes: list[tuple[LexborNode, bool]] = [(body, False)]
    sums: list[list[int]] = [[0, 0]]
    node: LexborNode | None = body.child
    while open_nodes:
        while node is not None:
            tag = node.tag or ""
            if tag == "-text":
                length = len((node.text_content or "").strip())
                sums[-1][0] += length
                if open_nodes[-1][1]:
                    sums[-1][1] += length
            elif not hidden(node, tag):
                open_nodes.append((node, open_nodes[-1][1] or tag == "a"))
                sums.append([0, 0])
                node = node.child
                continue
            node = node.next
        done, _ = open_nodes.pop()
        text, linked = sums.pop()
        weights[done.mem_id] = (text, linked)
        if sums:
            sums[-1][0] += text
            sums[-1][1] += linked
        node = done.next if open_nodes else None
