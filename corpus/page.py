"""An HTML page becomes blocks of clean words, and what its meta elements say about it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from corpus.clean import Block
from corpus.inline import join_lines
from corpus.metadata import Head, iso_date

_UNREAD_WORDS = (
    "script style noscript template nav footer aside form button select textarea svg math "
    "iframe object video audio canvas head dialog"
)
_UNREAD = frozenset(_UNREAD_WORDS.split())
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_BLOCK_TAGS = (
    "address article blockquote body caption center dd details div dl dt fieldset figcaption "
    "figure header hgroup html li main menu ol p section summary table tbody td tfoot th thead "
    "tr ul"
)
_BLOCKS = frozenset(_BLOCK_TAGS.split()) | _HEADINGS.keys()
_LISTS = frozenset(["ul", "ol", "menu"])
# A table that holds these is there for the layout of the page.
_LAYOUT = "td table, h1, h2, h3, h4, section, article, p + p, div + div"
_ROLES = frozenset(["navigation", "banner", "contentinfo", "search", "complementary"])


def is_page(source: str) -> bool:
    """Does this text say of itself that it is HTML?"""
    return bool(_opening.match(source))


def has_tags(source: str) -> bool:
    return bool(_any_tag.search(source))


_opening = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*+<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_any_tag = re.compile(r"</?(?:p|div|br|h[1-6]|ul|ol|li|table|span|article|section|body)\b", re.I)


def read_page(source: str) -> tuple[Head, list[Block]]:
    """The head (its `body` is empty) and the blocks of the main part of the page."""
    tree = LexborHTMLParser(source)
    said = _meta(tree)
    main = _main(tree)
    blocks = list(_Walk(main).blocks()) if main else []
    return _head(said, tree, blocks), blocks


def _main(tree: LexborHTMLParser) -> LexborNode | None:
    """The article where the page marks one; WeChat's is #js_content."""
    for selector in ("#js_content", "article", "main", "[role=main]"):
        found = tree.css(selector)
        if len(found) == 1:
            return found[0]
    return tree.body or tree.root


# --- what the page says about itself --------------------------------------------------------

_AUTHOR = ("author", "article:author", "dc.creator", "og:article:author", "byl")
_DATE = (
    "article:published_time", "date", "pubdate", "publishdate", "publish_date", "dc.date",
    "dc.date.issued", "datepublished", "og:published_time", "weibo:article:create_at",
)  # fmt: skip


def _meta(tree: LexborHTMLParser) -> dict[str, str]:
    said: dict[str, str] = {}
    for node in tree.css("meta"):
        attributes = node.attributes
        name = attributes.get("name") or attributes.get("property") or attributes.get("itemprop")
        content = " ".join((attributes.get("content") or "").split())
        if name and content:
            said.setdefault(name.lower(), content)
    return said


def _head(said: Mapping[str, str], tree: LexborHTMLParser, blocks: list[Block]) -> Head:
    title = said.get("og:title") or _page_title(tree, blocks)
    author = next((said[key] for key in _AUTHOR if key in said), None)
    date = next((said[key] for key in _DATE if key in said), None) or _time(tree)
    keywords = said.get("keywords") or said.get("article:tag") or ""
    url = _canonical(tree) or said.get("og:url")
    lines = {
        "title": title if said or author or date else None,
        "author": author,
        "date": date,
        "description": said.get("description") or said.get("og:description"),
        "tags": keywords,
        "source_name": said.get("og:site_name"),
        "source_url": url,
    }
    return Head(
        body="",
        lines=tuple(f"{key}: {value}" for key, value in lines.items() if value),
        title=title,
        url=url if url and url.startswith(("http://", "https://")) else None,
        author=author,
        date=iso_date(date or ""),
        tags=tuple(tag for tag in map(str.strip, re.split(r"[,，、;；]", keywords)) if tag),
    )


def _page_title(tree: LexborHTMLParser, blocks: list[Block]) -> str | None:
    """The first heading where the window's title repeats it beside the site's name."""
    node = tree.css_first("title")
    title = " ".join((node.text() if node else "").split())
    first = next((block.text for block in blocks if block.level == 1), None)
    heading = tree.css_first("h1")
    if not first and heading:
        first = " ".join(heading.text().split())
    return first if first and (not title or first in title) else title or None


def _time(tree: LexborHTMLParser) -> str | None:
    node = tree.css_first("time[datetime], #publish_time")
    return (node.attributes.get("datetime") or node.text().strip() or None) if node else None


def _canonical(tree: LexborHTMLParser) -> str | None:
    node = tree.css_first("link[rel=canonical]")
    return node.attributes.get("href") if node else None


# --- what the page says ---------------------------------------------------------------------

_white = re.compile(r"[ \t\r\f]+")
_around_break = re.compile(r"[ \t]*\n[ \t]*")


@dataclass(slots=True)
class _Walk:
    """In document order, without recursion: pages nest deeper than Python does.

    `lists` counts the lists that are open: inside them a block is only a line.
    """

    top: LexborNode
    words: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    lists: int = 0

    def blocks(self) -> Iterator[Block]:
        stack: list[tuple[LexborNode, bool]] = [(self.top, False)]
        while stack:
            node, leaving = stack.pop()
            tag = node.tag or ""
            if leaving:
                yield from self._leave(tag)
            elif tag == "-text":
                self.words.append(node.text_content or "")
            elif tag == "br":
                self.words.append("  \n")
            elif tag == "pre":
                yield from self._flush()
                yield Block(node.text().strip("\n"), verbatim=True)
            elif tag == "table" and not node.css_first(_LAYOUT):
                yield from self._between()
                self.lines += _rows(node)
                yield from self._between()
            elif not _is_unread(node, tag):
                yield from self._enter(tag)
                stack.append((node, True))
                stack += [(child, False) for child in reversed(list(node.iter(include_text=True)))]
        yield from self._flush()

    def _enter(self, tag: str) -> Iterator[Block]:
        if tag in _BLOCKS:
            yield from self._between()
            self.lists += tag in _LISTS

    def _leave(self, tag: str) -> Iterator[Block]:
        self.lists -= tag in _LISTS
        if tag in _BLOCKS:
            yield from self._between(_HEADINGS.get(tag, 0))

    def _between(self, level: int = 0) -> Iterator[Block]:
        if self.lists:
            self._end_line()
        else:
            yield from self._flush(level)

    def _end_line(self) -> None:
        text = _tidy("".join(self.words))
        self.words.clear()
        if text:
            self.lines.append(text)

    def _flush(self, level: int = 0) -> Iterator[Block]:
        self._end_line()
        text = "\n".join(self.lines)
        self.lines.clear()
        if text:
            yield Block(text.replace("\n", " ") if level else text, level)


def _rows(table: LexborNode) -> list[str]:
    """A table of data: its rows are lines, its cells set apart by bars."""
    rows = []
    for row in table.css("tr"):
        cells = [cell.text(separator=" ") for cell in row.css("th, td")]
        words = [_tidy(" ".join(cell.split("\n"))) for cell in cells]
        rows += [" | ".join(words)] if any(words) else []
    return rows


def _is_unread(node: LexborNode, tag: str) -> bool:
    if tag in _UNREAD or tag in ("-comment", "_comment", "!--"):
        return True
    attributes = node.attributes
    if not attributes:
        return False
    style = (attributes.get("style") or "").replace(" ", "")
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or attributes.get("role") in _ROLES
        or "display:none" in style
    )


def _tidy(text: str) -> str:
    """White space as a browser shows it, but no space where Chinese source was wrapped."""
    if "\n" in text:
        text = join_lines(text.strip("\n"))
    lines = (_white.sub(" ", line).replace("\xa0", " ").strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
