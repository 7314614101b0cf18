"""Source becomes blocks of clean words: paragraphs, headings, lists, tables, code.

The block structure of Markdown is markdown-it's; the marks inside a block are ours
(corpus/inline.py), because Chinese exports break CommonMark's rules for emphasis.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from markdown_it import MarkdownIt
from markdown_it.token import Token

from corpus.article import Heading
from corpus.inline import plain

_MARKDOWN = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").disable("reference")
_MARKDOWN.core.ruler.disable(["inline", "text_join"])

_controls = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list, table or code block (`level` 0), or a heading of level 1 to 6."""

    text: str
    level: int = 0
    verbatim: bool = False


def without_controls(source: str) -> str:
    """Line ends become \\n, other control characters but the tab go; nothing else changes."""
    if "\r" in source:
        source = source.replace("\r\n", "\n").replace("\r", "\n")
    return _controls.sub("", source)


def clean(source: str) -> tuple[str, tuple[Heading, ...]]:
    """The words of a Markdown source, and its headings with their offsets in them."""
    blocks = without_tail(markdown_blocks(without_controls(source)))
    text, _, headings = assemble((), blocks)
    return text, headings


_markdown = re.compile(
    r"^#{1,6} +\S|\*\*[^*\n]+\*\*|!?\[[^\[\]\n]*\]\([^()\s]+\)|^```|\{\{[<%]", re.MULTILINE
)


def looks_like_markdown(source: str) -> bool:
    """Has this text marks that no plain text has? (Dashes and angle brackets prove nothing.)"""
    return bool(_markdown.search(source))


def plain_blocks(source: str) -> list[Block]:
    """The blocks of a plain text, which keeps its lines."""
    stretches = re.split(r"\n\s*\n", source)
    lines = ([line.strip() for line in stretch.split("\n")] for stretch in stretches)
    return [Block("\n".join(filter(None, some))) for some in lines if any(some)]


def assemble(
    metadata: Sequence[str], blocks: Sequence[Block]
) -> tuple[str, int, tuple[Heading, ...]]:
    """The cleaned text, where its body begins, and the headings in it."""
    parts, length, headings = [], 0, []
    if metadata:
        parts.append("\n".join(metadata))
        length = len(parts[0]) + 2
    body_start = length if blocks else max(0, length - 2)
    for block in blocks:
        if block.level:
            end = length + len(block.text)
            headings.append(Heading(block.level, block.text, length, end))
        parts.append(block.text)
        length += len(block.text) + 2
    return "\n\n".join(parts), body_start, tuple(headings)


# --- boilerplate at the end -----------------------------------------------------------------

_TAIL = re.compile(
    r"^[\s—–\-_~=*·•(（\[【]*(?:全文|本文)?(?:完|The End|END)[\s—–\-_~=*·•)）\]】]*$"
    r"|点这里|點這裡|點這里|[关關][注註]我|记得标星|記得標星|[设設][为為]星[标標]|一[键鍵]三[连連]"
    r"|科技前沿进展|日日相[见見]|长按.*(?:关注|识别|二维码)|長按.*(?:關注|識別|QR)|[扫掃]描?.{0,12}(?:[码碼]|QR)"
    r"|(?:分享|点赞|點讚|點贊|按讚|在看|转发|轉發|收藏).{0,8}(?:分享|点赞|點讚|點贊|按讚|在看|转发|轉發|收藏)"
    r"|[点點][击擊].*[阅閱][读讀]原文|^[阅閱][读讀]原文$|^往期(?:推荐|推薦|精彩|回顾|回顧).{0,6}$|[戳點点]这里"
    r"|^(?:欢迎|歡迎).{0,6}(?:关注|關注|追蹤|订阅|訂閱|分享|转发|轉發|按讚)|(?:记得|記得)(?:按讚|订阅|訂閱|追蹤|分享)"
    r"|(?:订阅|訂閱)(?:我们|我們|本|電子報|頻道)|(?:喜欢|喜歡|觉得|覺得).{0,16}(?:点赞|點讚|按讚|分享|在看|转发|轉發)",
    re.IGNORECASE,
)
_TAIL_LINE = 45  # characters; the longest of the real ones has about 30
_THE_END = re.compile(
    r"[\s—–\-_~=*·•（(【\[]*(?:全?文?完|全文终|全文終|the end|end)[\s—–\-_~=*·•）)】\]]*", re.I
)
_CLOSING_BLOCKS = 8
_CLOSING_CHARS = 80
_only_marks = re.compile(r"[\s—–\-_~=*·•。👇👆⬇️↓▼▲☞]+")


def without_tail(blocks: Sequence[Block]) -> list[Block]:
    """Without the "follow us, like, share" lines that close an article."""
    kept = _before_the_end(blocks)
    while kept and not kept[-1].verbatim:
        lines = kept[-1].text.split("\n")
        while lines and _is_tail(lines[-1]):
            lines.pop()
        if len(lines) == kept[-1].text.count("\n") + 1:
            break
        last = kept.pop()
        if lines:
            kept.append(replace(last, text="\n".join(lines)))
    return kept or list(blocks)


def _before_the_end(blocks: Sequence[Block]) -> list[Block]:
    """Without "— 完 —" and the short lines below it, whatever they say."""
    for at in range(len(blocks) - 1, max(len(blocks) - _CLOSING_BLOCKS, 0), -1):
        if len(blocks[at].text) > _CLOSING_CHARS or blocks[at].verbatim:
            break
        if _THE_END.fullmatch(blocks[at].text):
            return list(blocks[:at])
    return list(blocks)


def _is_tail(line: str) -> bool:
    if len(line) > _TAIL_LINE:
        return False
    return bool(_TAIL.search(line) or _only_marks.fullmatch(line))


# --- Markdown -------------------------------------------------------------------------------


def markdown_blocks(source: str) -> list[Block]:
    """The blocks of a Markdown source (Hugo's shortcodes are known), without their marks."""
    if "{{" in source or "<!--" in source:
        source = "".join(_outside_fences(source))
    used: frozenset[str] = frozenset()
    if "][" in source:
        source, used = _with_references(source)
    tokens = _MARKDOWN.parse(_deep_quote.sub("> ", source))
    blocks = list(_Reader(tokens, used).blocks())
    return [block for block in blocks if block.text]


_deep_quote = re.compile(r"^(?:[ \t]*>){30,}", re.MULTILINE)
_fence = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*\n(?:.*?\n)?? {0,3}\1[`~]*[ \t]*$", re.M | re.S)
_highlight = re.compile(
    r"\{\{[<%]\s*highlight\b.{0,300}?[>%]\}\}\n?(.{0,50000}?)\n?"
    r"\{\{[<%]\s*/\s*highlight\s*[>%]\}\}",
    re.DOTALL,
)
_shortcode = re.compile(r"\{\{<.{0,3000}?>\}\}|\{\{%.{0,3000}?%\}\}", re.DOTALL)


def _outside_fences(source: str) -> Iterator[str]:
    """Shortcodes and comments go; what they enclose stays, and so does a code block."""
    if "{{" in source:
        source = _highlight.sub(r"\n```\n\1\n```\n", source)
    done = 0
    for fence in _fence.finditer(source):
        yield _without_shortcodes(source[done : fence.start()])
        yield fence.group()
        done = fence.end()
    yield _without_shortcodes(source[done:])


def _without_shortcodes(source: str) -> str:
    return without_comments(_shortcode.sub("", source))


def without_comments(source: str) -> str:
    """An opening without an end comments nothing out: it alone goes."""
    parts, done = [], 0
    while (start := source.find("<!--", done)) >= 0:
        end = source.find("-->", start)
        parts.append(source[done:start])
        if end < 0:
            return "".join(parts) + source[start:].replace("<!--", "")
        done = end + 3
    return "".join(parts) + source[done:]


_definition = re.compile(
    r"^ {0,3}\[([^\^\[\]][^\[\]]*)\]:\s*<?(\S+?)>?(?:\s+[\"'(].*)?$", re.MULTILINE
)
_reference = re.compile(r"\[([^\[\]]*)\]\[([^\[\]]*)\]")


def _with_references(source: str) -> tuple[str, frozenset[str]]:
    """[text][name] becomes an ordinary link where the name is defined; which names were used."""
    defined = {name.casefold() for name, _ in _definition.findall(source)}
    used: set[str] = set()

    def link(match: re.Match[str]) -> str:
        name = (match.group(2) or match.group(1)).casefold()
        if name not in defined:
            return match.group()
        used.add(name)
        return f"[{match.group(1)}](#)"

    return (_reference.sub(link, source) if defined else source), frozenset(used)


class _Reader:
    """Walks markdown-it's tokens; lists and tables become one block of lines each."""

    def __init__(self, tokens: list[Token], used: frozenset[str]) -> None:
        self._tokens = tokens
        self._used = used

    def blocks(self) -> Iterator[Block]:
        lines: list[str] = []  # of the list that is open
        depth, item = 0, ""
        i = 0
        while i < len(self._tokens):
            token = self._tokens[i]
            if token.type in ("bullet_list_open", "ordered_list_open"):
                depth += 1
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                depth -= 1
                if not depth:
                    yield Block("\n".join(lines))
                    lines = []
            elif token.type == "list_item_open":
                item = f"{token.info}{token.markup} " if token.info else ""
            elif token.type == "table_open":
                end = _closing(self._tokens, i)
                lines_of_table = _rows(self._tokens[i:end])
                if depth:
                    lines += lines_of_table
                else:
                    yield Block("\n".join(lines_of_table))
                i = end
            else:
                for block in self._leaf(token, self._tokens[i - 1] if i else token):
                    if not depth:
                        yield block
                    elif block.text:
                        lines.append(item + _task.sub("", block.text))
                        item = ""
            i += 1

    def _leaf(self, token: Token, opening: Token) -> Iterator[Block]:
        if token.type == "fence":
            yield Block(token.content.strip("\n"), verbatim=True)
        elif token.type == "code_block":
            yield from self._indented(token.content)
        elif token.type == "html_block":
            yield Block(plain(_html_lines(token.content)))
        elif token.type == "inline" and opening.type == "heading_open":
            yield from self._heading(token.content, opening)
        elif token.type == "inline":
            yield from self._paragraph(token.content)

    def _indented(self, content: str) -> Iterator[Block]:
        """Four spaces make code of a line; Chinese so indented is a paragraph all the same."""
        if _mostly_han(content):
            for stretch in re.split(r"\n\s*\n", content):
                yield from self._paragraph(stretch.strip())
        else:
            yield Block(content.strip("\n"), verbatim=True)

    def _heading(self, content: str, opening: Token) -> Iterator[Block]:
        level, underlined = int(opening.tag[1]), opening.markup in ("-", "=")
        if underlined and ("\n" in content or _tight_heading.match(content)):
            yield from self._paragraph(content)
            return
        words = plain(_heading_id.sub("", content))
        # A rule right under a paragraph makes a heading of it; so long a one was none.
        is_sentence = words.endswith(("。", "；", "，")) and (underlined or len(words) > 30)
        too_long = len(words) > (40 if underlined else 100) or "\n" in words
        yield Block(words, 0 if is_sentence or too_long else level)

    def _paragraph(self, content: str) -> Iterator[Block]:
        lines = content.split("\n")
        if "[" in content or "#" in content:
            lines = [line for line in lines if not self._is_noise(line)]
        for glued, some in groupby(lines, lambda line: bool(_tight_heading.match(line))):
            for line in some if glued else ("\n".join(some),):
                marks = _tight_heading.match(line)
                words = plain(line[marks.end() :] if marks else line)
                yield Block(words, len(marks.group(1)) if marks else 0)

    def _is_noise(self, line: str) -> bool:
        definition = _definition.match(line)
        if definition:
            return definition.group(1).casefold() in self._used
        return bool(_callout.match(line))


_task = re.compile(r"\[[ xX]\] ")
_heading_id = re.compile(r"\s*\{[#.:][^{}]*\}\s*$|\s+#+\s*$")
_tight_heading = re.compile(r"(#{2,6})(?=[^\s#])")
_callout = re.compile(r"\s*(?:\[![A-Za-z]+\][+-]?\s*|\[toc\]|\{:[^{}]*\})$", re.IGNORECASE)


def _mostly_han(content: str) -> bool:
    words = [c for c in content[:2000] if not c.isspace()]
    return sum(c > "\u2e80" for c in words) * 2 > len(words)


def _closing(tokens: list[Token], opening: int) -> int:
    kind, level = tokens[opening].type.replace("_open", "_close"), tokens[opening].level
    for i in range(opening + 1, len(tokens)):
        if tokens[i].type == kind and tokens[i].level == level:
            return i
    return len(tokens) - 1


def _rows(tokens: list[Token]) -> list[str]:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append(plain(token.content).replace("\n", " "))
    return [" | ".join(row) for row in rows if any(row)]


_unseen = re.compile(r"<(script|style)\b.*?</\1\s*>", re.I | re.S)
_cell_end = re.compile(r"</t[dh]>\s*(?=<t[dh]\b)", re.IGNORECASE)
_line_end = re.compile(
    r"<br\s*/?>\s*|</(?:p|div|li|tr|h[1-6]|dt|dd|figcaption|summary|blockquote|pre|table)>\s*|<hr\b[^<>]*>",
    re.IGNORECASE,
)


def _html_lines(content: str) -> str:
    """HTML inside Markdown as lines of Markdown: rows, items and paragraphs end a line."""
    content = _cell_end.sub(" | ", _unseen.sub("", content))
    return _line_end.sub("  \n", content)
