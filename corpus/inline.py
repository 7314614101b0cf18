"""The marks inside a paragraph of Markdown go, its words stay.

`plain(source)` joins hard-wrapped lines, then drops emphasis, links' targets, images, tags and
escapes. What must stay as it is (code, formulas, URLs) is put aside first and put back last.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Callable

HAN = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U000323af"
)
# What is written without spaces: Han, kana, bopomofo, CJK and full-width punctuation, and the
# quotation marks and dashes that Chinese shares with the West.
WIDE = HAN + "\u3000-\u312f\uff00-\uffef\u2018-\u201d\u2014\u2026\u00b7"
URL = re.compile(r"(?:https?|ftp)://[^\s<>\"'`\\^{|}" + WIDE + r"]+", re.IGNORECASE)

_han = re.compile(f"[{HAN}]")
_wide = re.compile(f"[{WIDE}]")
_marks = re.compile(r"[*_~`\[\]<&\\$]|://")
_aside = re.compile("\x00(\\d+)\x00")

_TAGS = (
    "a abbr address article aside audio b bdi big blockquote br button canvas caption center cite "
    "code col colgroup dd del details dfn div dl dt em embed fieldset figcaption figure font "
    "footer form h1 h2 h3 h4 h5 h6 head header hr html i iframe img input ins kbd label li link "
    "main mark meta nav object ol p param picture pre q rp rt ruby s samp section small source "
    "span strike strong sub summary sup svg table tbody td tfoot th thead time title tr tt u ul "
    "var video wbr"
)
_comment = re.compile(r"<!--.*?-->", re.DOTALL)
_break = re.compile(r"<br\s*/?>[ \t]*\n?", re.IGNORECASE)
# A word in angle brackets (<think>, List<T>) is somebody's text unless it is a tag of HTML or
# carries attributes.
_tag = re.compile(
    r"</?(?:" + "|".join(_TAGS.split()) + r")(?=[\s/>])[^<>]*>"
    r"|</?[a-z][\w-]*\s+[\w:@-]+\s*=\s*[\"'][^<>]*>",
    re.IGNORECASE,
)
_entity = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")

_autolink = re.compile(r"<((?:https?|ftp|mailto):[^\s<>]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)>")
_title = r"(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?"
_target = r"\(\s*(?:<[^<>\n]*>|(?:[^()\s]|\([^()\s]*\))*+)" + _title + r"\s*\)"
_label = r"((?:[^\[\]]|\[[^\[\]]*\])*+)"
_image = re.compile(r" ?!\[" + _label + r"\]" + _target + r"| ?!\[\[[^\[\]]*\]\]")
_empty_link = re.compile(r" ?\[\s*\]" + _target)
_link = re.compile(r"\[" + _label + r"\]" + _target)
_wiki_link = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]+)\]\]")
_footnote = re.compile(r"\[\^[^\[\]\s]+\](?::[ \t]*)?")
_math = re.compile(
    r"\$\$.{1,2000}?\$\$|\$(?=\S)(?=[^$\n]{0,300}[\\^_{])[^$\n]{1,300}(?<=\S)\$(?!\d)"
    r"|\\\((?=.{0,300}?[\\^_]).{1,300}?\\\)",
    re.DOTALL,
)
_escape = re.compile(r"\\([!-/:-@\[-`{-~])")
_struck = re.compile(r"~~(?=\S)([^~]+)(?<=\S)~~")
_underscored = re.compile(r"(?<![^\W_])(_{1,3})(?=[^\s_])([^\n]{1,500}?)(?<=[^\s_])\1(?![^\W_])")
_dunder = re.compile(r"__[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*__")
_stars = re.compile(r"\*+")


def plain(source: str) -> str:
    """One paragraph as the reader sees it; a hard break stays a line break."""
    text = join_lines(source) if "\n" in source else source
    if _marks.search(text):
        text = _without_marks(text)
    if "\n" in text:
        return "\n".join(line for line in map(str.strip, text.split("\n")) if line)
    return text.strip()


def is_han(character: str) -> bool:
    return bool(_han.match(character))


# --- hard-wrapped lines ---------------------------------------------------------------------

_own_line = re.compile(r"\[\^?\w{1,4}\]:?\s*\S")  # an entry of a list of references
_url_at_end = re.compile(r"(?:https?|ftp)://\S+$", re.IGNORECASE)
_more_url = re.compile(r"[A-Za-z0-9%][^\s" + WIDE + "]*")


def join_lines(source: str) -> str:
    """Lines of one paragraph become one line, except at two spaces, a backslash or <br>."""
    lines = source.split("\n")
    parts = [lines[0].lstrip()]
    joined = ""  # the end of the line so far, for a URL wrapped more than once
    for line in lines[1:]:
        before, after = parts[-1], line.lstrip()
        if before.endswith(("  ", "\\")) or _own_line.match(after):
            parts[-1] = before.removesuffix("\\").rstrip()
            parts += ["\n", after]
            joined = ""
        else:
            parts[-1] = before.rstrip()
            joined = (joined + parts[-1])[-_LONGEST_URL:]
            parts += [_glue(joined, after, source), after]
            joined += parts[-2]
    return "".join(parts)


_LONGEST_URL = 2000


def _glue(before: str, after: str, source: str) -> str:
    """What belongs where a line was wrapped: nothing or a space."""
    if not before or not after:
        return ""
    url = _url_at_end.search(before)
    if url:
        return "" if _continues(url.group(), after) else " "
    left, right = before.rstrip("*_~")[-1:], after.lstrip("*_~")[:1]
    if before[-1] == "-" and before[-2:-1].isalnum() and right.isascii() and right.isalpha():
        return ""
    sides = (bool(_wide.match(left)), bool(_wide.match(right)))
    if not any(sides):
        return " "
    one_is_latin = not all(sides) and (left + right).replace("_", "").isalnum()
    return " " if one_is_latin and _spaced(source) else ""


def _continues(url: str, after: str) -> bool:
    """Exporters wrap a URL after a hyphen or another mark, never inside a word."""
    more = _more_url.match(after)
    if not more:
        return False
    if url[-1] in "-_=&?%":
        return True
    word = more.group()
    return url[-1] in "/#+~" and (not word.isalpha()) and any(c in word for c in "/.-_=&?%")


_spaced_pair = re.compile(f"[{HAN}] [A-Za-z0-9]|[A-Za-z0-9] [{HAN}]")
_tight_pair = re.compile(f"[{HAN}][A-Za-z0-9]|[A-Za-z0-9][{HAN}]")


def _spaced(source: str) -> bool:
    """Does this paragraph put spaces between Chinese and Latin words?"""
    sample = source[:2000]
    return len(_spaced_pair.findall(sample)) > len(_tight_pair.findall(sample))


# --- marks ----------------------------------------------------------------------------------


def _without_marks(text: str) -> str:
    kept: list[str] = []

    def aside(words: str) -> str:
        kept.append(words)
        return f"\x00{len(kept) - 1}\x00"

    if "`" in text:
        text = _code_aside(text, aside)
    if "$" in text or "\\(" in text:
        text = _math.sub(lambda m: aside(m.group()), text)
    if "\\" in text:
        text = _escape.sub(lambda m: aside(m.group(1)), text)
    if "<" in text:
        text = _autolink.sub(lambda m: aside(m.group(1).removeprefix("mailto:")), text)
    if "[" in text:
        text = _without_links(text)
    if "://" in text:
        text = URL.sub(lambda m: aside(m.group()), text)
    if "<" in text:
        text = _tag.sub("", _break.sub("\n", _comment.sub("", text)))
    if "&" in text:
        text = unescape(text)
    text = _without_emphasis(text)
    text = _after_underscores.sub(_tight_or_spaced, text) if "\x01" in text else text
    while "\x00" in text and kept:
        text = _aside.sub(lambda m: kept[int(m.group(1))], text)
    return text


def unescape(text: str) -> str:
    """Character references; a no-break space written as one is an ordinary space."""
    return _entity.sub(lambda m: _character(m.group()), text)


def _character(reference: str) -> str:
    character = html.unescape(reference)
    if character == "\xa0":
        return " "
    return "" if character < " " and character not in "\t\n" else character


def _without_links(text: str) -> str:
    if "!" in text:
        text = _image.sub("", text)
    text = _wiki_link.sub(r"\1", _empty_link.sub("", text))
    return _footnote.sub("", _link.sub(r"\1", text))


def _code_aside(text: str, aside: Callable[[str], str]) -> str:
    """`code` loses its backticks; a run without a partner of its length stays."""
    runs = list(re.finditer("`+", text))
    places: dict[int, list[int]] = {}
    for i, run in enumerate(runs):
        places.setdefault(len(run.group()), []).append(i)
    parts, done, i = [], 0, 0
    while i < len(runs):
        same = places[len(runs[i].group())]
        later = bisect_right(same, i)
        if later == len(same):
            i += 1
            continue
        partner = same[later]
        code = text[runs[i].end() : runs[partner].start()]
        if code.startswith(" ") and code.endswith(" ") and code.strip():
            code = code[1:-1]
        parts += [text[done : runs[i].start()], aside(code)]
        done, i = runs[partner].end(), partner + 1
    return "".join(parts) + text[done:]


def _without_emphasis(text: str) -> str:
    if "~~" in text:
        text = _struck.sub(r"\1", text)
    if "_" in text:
        text = _underscored.sub(_without_underscores, text)
    return _without_stars(text) if "*" in text else text


_after_underscores = re.compile("\x01(?: (?=(.)))?", re.DOTALL)


def _tight_or_spaced(match: re.Match[str]) -> str:
    """\x01 stands where closing underscores stood."""
    outer = match.group(1)
    if not outer:
        return match.group()[1:]
    inner = match.string[match.start() - 1]
    return "" if _is_artefact(inner, outer) else " "


def _is_artefact(inner: str, outer: str) -> bool:
    """Did an export leave the space between the marked words and what follows?"""
    return bool(_wide.match(outer) and (_wide.match(inner) or not is_han(outer)))


def _without_underscores(match: re.Match[str]) -> str:
    whole = match.group()
    return whole if _dunder.fullmatch(whole) else match.group(2) + "\x01"


def _without_stars(text: str) -> str:
    """Pairs of * runs go, with the space that an export left outside them in Chinese.

    CommonMark's rule for which run opens and which closes fails beside Chinese punctuation
    (`**「好」**的` is not bold to it), so runs of one length are paired in order.
    """
    drop: list[tuple[int, int]] = []
    waiting: dict[int, tuple[int, int]] = {}
    for run in _stars.finditer(text):
        start, end = run.span()
        size = end - start
        before, after = text[start - 1 : start], text[end : end + 1]
        if (before.isdigit() and after.isdigit()) or _stands_alone(text, start, end):
            continue  # 2**10, a * b
        if size == 4 or (size in waiting and (size > 1 or not before.isspace())):
            opened = waiting.pop(size, (start, start))
            drop += [_with_space_before(text, *opened), _with_space_after(text, start, end)]
        elif size > 1 or (after and not after.isspace()):
            waiting[size] = (start, end)
    drop += [run for size, run in waiting.items() if size > 1 and _beside_han(text, *run)]
    return _cut_out(text, sorted(drop))


def _stands_alone(text: str, start: int, end: int) -> bool:
    """a * b is a product; ** 重點 ** is emphasis that an export set apart."""
    if not (text[start - 1 : start] or " ").isspace() or not (text[end : end + 1] or " ").isspace():
        return False
    around = text[max(0, start - 2) : start] + text[end : end + 2]
    return end - start == 1 or not _wide.search(around)


def _with_space_after(text: str, start: int, end: int) -> tuple[int, int]:
    if text[end : end + 1] != " ":
        return start, end
    inner = text[max(0, start - 8) : start].rstrip("*_ ")[-1:]
    outer = text[end + 1 : end + 9].lstrip("*_")[:1]
    return start, end + (1 if outer and _is_artefact(inner, outer) else 0)


def _with_space_before(text: str, start: int, end: int) -> tuple[int, int]:
    if start < 2 or text[start - 1] != " ":
        return start, end
    both = is_han(text[start - 2]) and is_han(text[end : end + 1] or " ")
    return (start - 1, end) if both else (start, end)


def _beside_han(text: str, start: int, end: int) -> bool:
    neighbours = text[max(0, start - 1) : start] + text[end : end + 1]
    return not neighbours or bool(_wide.search(neighbours))


def _cut_out(text: str, spans: list[tuple[int, int]]) -> str:
    parts, done = [], 0
    for start, end in spans:
        parts.append(text[done : max(done, start)])
        done = max(done, end)
    return "".join(parts) + text[done:]
