"""Where a text may be parted: sentence ends first, clauses next, anywhere last.

Sentences end at 。！？； and their Western kin together with the quotation marks that close
after them, and at line ends. What stands inside 「」『』“”《》（）() is not parted by its own
full stops; neither are URLs, decimals, abbreviations and ellipses.
"""

import re
import unicodedata
from collections.abc import Iterator
from enum import IntEnum

from corpus.inline import HAN, URL


class Rank(IntEnum):
    """The kinds of places where a text may be parted, the best first."""

    LINE = 0
    SENTENCE = 1
    ELLIPSIS = 2
    CLAUSE = 3
    INNER_SENTENCE = 4
    INNER_CLAUSE = 5
    WORD = 6


# A quotation longer than this is read sentence by sentence.
_LONG_QUOTATION = 200

_PAIRS = dict(zip("「『“‘《〈（(【〔[", "」』”’》〉）)】〕]", strict=True))
_OPENERS = {close: opener for opener, close in _PAIRS.items()}
_QUOTES = frozenset('」』”’"')
_CLOSING = '」』”’》〉）)】〕\\]"'
_ENDS = "。！？!?；;｡‼⁇⁈⁉"
_token = re.compile(
    rf"(?P<url>{URL.pattern})"
    r"|(?P<open>[「『“‘《〈（(【〔\[])|(?P<close>[」』”’》〉）)】〕\]])|(?P<straight>\")"
    rf"|(?P<end>[{_ENDS}][{_ENDS}…]*)|(?P<ellipsis>…+|\.{{3,}}|。{{3,}})|(?P<stop>\.)"
    r"|(?P<clause>[，、,：:]|——)",
    re.IGNORECASE,
)
_SHORT = (
    "mr mrs ms dr prof st jr sr vs etc eg ie e.g i.e cf al fig figs eq eqs sec no vol pp p ch "
    "ed eds inc ltd co corp dept est approx resp jan feb mar apr jun jul aug sep sept oct nov "
    "dec u.s u.k u.n ph.d m.d b.a m.a a.m p.m"
)
_ABBREVIATIONS = frozenset(_SHORT.split())
_word_before = re.compile(r"[A-Za-z0-9.]*$")
_han = re.compile(f"[{HAN}]")

Mark = tuple[int, Rank]


def sentences(text: str) -> list[tuple[int, int]]:
    """The spans of the sentences, in order, without the white space around them."""
    spans = []
    start = 0
    for position, rank in marks(text, 0, len(text), _LONG_QUOTATION):
        if rank <= Rank.SENTENCE:
            spans.append(trim(text, start, position))
            start = position
    spans.append(trim(text, start, len(text)))
    return [span for span in spans if span[0] < span[1]]


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without the white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def marks(text: str, start: int, end: int, long_quotation: int | None = None) -> Iterator[Mark]:
    """The places in [start, end) where it may be parted, ascending, with their ranks.

    A line that introduces the next one (it ends in a colon) is not parted from it as a line.
    """
    while start < end:
        newline = text.find("\n", start, end)
        stop = end if newline < 0 else newline
        yield from _in_line(text, start, stop, long_quotation)
        if newline < 0:
            return
        introduces = text[max(start, stop - 8) : stop].rstrip().endswith(("：", ":"))
        yield newline + 1, Rank.CLAUSE if introduces and long_quotation is None else Rank.LINE
        start = newline + 1


def _in_line(text: str, start: int, end: int, long_quotation: int | None) -> Iterator[Mark]:
    tokens = list(_token.finditer(text, start, end))
    partners = _partners(tokens, long_quotation)
    closes: list[int] = []  # indices of the tokens that close what is open now
    sentence = start
    for i, token in enumerate(tokens):
        place = token.end()
        if i in partners and partners[i] > i:
            closes.append(partners[i])
        elif closes and closes[-1] == i:
            closes.pop()
            rank = _after_closing(text, tokens, partners[i], i, sentence)
            if rank is None or place >= end:
                continue
            yield place, Rank.INNER_SENTENCE if closes else rank
            sentence = place if not closes else sentence
        else:
            rank = _rank(text, token, end)
            if rank is None:
                continue
            place = _past_closing(tokens, i, partners)
            if place >= end or text[place] in _OPENERS:
                continue
            if closes:
                rank = Rank.INNER_SENTENCE if rank < Rank.CLAUSE else Rank.INNER_CLAUSE
            elif rank is Rank.SENTENCE:
                sentence = place
            yield place, rank


def _partners(tokens: list[re.Match[str]], long_quotation: int | None) -> dict[int, int]:
    """Which token closes which, both ways; brackets without a partner are no brackets."""
    partners: dict[int, int] = {}
    waiting: dict[str, int] = {}
    opened: list[tuple[str, int]] = []
    straight: int | None = None
    for i, token in enumerate(tokens):
        if token.lastgroup == "open":
            opened.append((token.group(), i))
            waiting[token.group()] = waiting.get(token.group(), 0) + 1
        elif token.lastgroup == "close" and waiting.get(_OPENERS[token.group()]):
            while opened:
                opener, j = opened.pop()
                waiting[opener] -= 1
                if opener == _OPENERS[token.group()]:
                    partners[i], partners[j] = j, i
                    break
        elif token.lastgroup == "straight":
            if straight is None or tokens[i].start() - tokens[straight].start() > 300:
                straight = i
            else:
                partners[i], partners[straight] = straight, i
                straight = None
    return _without_crossing(tokens, partners, long_quotation)


def _without_crossing(
    tokens: list[re.Match[str]], partners: dict[int, int], long_quotation: int | None
) -> dict[int, int]:
    """Straight marks may cross brackets; then the pair that closes later is none."""
    kept: dict[int, int] = {}
    ends: list[int] = []
    for i in sorted(partners):
        j = partners[i]
        if j < i:
            if kept.get(i) is not None:
                ends.pop()
            continue
        length = tokens[j].end() - tokens[i].start()
        if (ends and j > ends[-1]) or (long_quotation and length > long_quotation):
            continue
        kept[i], kept[j] = j, i
        ends.append(j)
    return kept


def _after_closing(
    text: str, tokens: list[re.Match[str]], opener: int, closer: int, sentence: int
) -> Rank | None:
    """Does a sentence end with this closing mark? 他說：「好。」他走了。

    A full stop inside a quotation ends the sentence around it. After ？」 and ！」 it does where a
    colon introduced the quotation or the quotation is all of it; 「好嗎？」他問 goes on.
    """
    before, after = tokens[closer].start(), tokens[closer].end()
    last = text[before - 1]
    following = text[after : after + 1]
    if last not in _ENDS + ".…" or following in "，、。！？；：,.;:!?…" or following in _OPENERS:
        return None
    opening = tokens[opener].start()
    lead = text[max(sentence, opening - 8) : opening].strip()
    introduced, alone = lead.endswith(("：", ":")), not lead
    if tokens[closer].group() in _QUOTES:
        if last in "。｡" or (last in "！？!?…." and introduced):
            return Rank.SENTENCE
        return Rank.INNER_SENTENCE
    return Rank.SENTENCE if alone and last in "。！？!?" else Rank.INNER_SENTENCE


def _past_closing(tokens: list[re.Match[str]], i: int, partners: dict[int, int]) -> int:
    """Closing marks without a partner (an unbalanced 」) stay with the stop before them."""
    place = tokens[i].end()
    for j in range(i + 1, len(tokens)):
        token = tokens[j]
        if token.start() != place or token.lastgroup != "close" or j in partners:
            break
        place = token.end()
    return place


def _rank(text: str, token: re.Match[str], end: int) -> Rank | None:
    kind, place = token.lastgroup, token.end()
    following = text[place : min(place + 1, end)]
    if kind == "end":
        if token.group()[-1] in "!?;" and following and not _parts_words(following):
            return None
        return Rank.SENTENCE
    if kind == "ellipsis":
        return Rank.ELLIPSIS
    if kind == "stop":
        return Rank.SENTENCE if _is_full_stop(text, token.start(), end) else None
    if kind == "clause":
        if token.group() in ",:" and following and not _parts_words(following):
            return None
        return Rank.CLAUSE
    return None


def _parts_words(following: str) -> bool:
    """Western punctuation counts before a space or a Chinese character, not in a?b=c or 1,000."""
    return following.isspace() or following > "\u2e80" or following in '“‘「『（("'


def _is_full_stop(text: str, at: int, end: int) -> bool:
    following = text[at + 1 : min(at + 2, end)]
    before = text[max(0, at - 24) : at]
    if following and _han.match(following):
        return bool(_han.match(before[-1:]))
    if following and not following.isspace():
        return False
    found = _word_before.search(before)
    word = found.group() if found else ""
    if word.lower().strip(".") in _ABBREVIATIONS or (len(word) == 1 and word.isupper()):
        return False
    if word.isdigit() and len(word) < 3 and not before.rpartition("\n")[2].strip(" " + word):
        return False  # "3. 配置" at the beginning of a line
    later = text[at + 1 : at + 8].lstrip()[:1]
    return not later.islower()


# --- anywhere -------------------------------------------------------------------------------

_LOOK_BACK = 40  # characters given up for a better place
_NEVER_FIRST = frozenset("，。、；：？！）》」』】〉〕”’…—～·,.;:?!)]}%％℃")
_NEVER_LAST = frozenset("「『“‘《〈（(【〔[{")


def cut_anywhere(text: str, start: int, end: int, size: int) -> list[tuple[int, int]]:
    """Pieces of at most `size` where nothing better offers; characters stay whole if they can."""
    count = -(-(end - start) // size)
    goal = -(-(end - start) // count)
    pieces = []
    while end - start > size:
        place = _safe_place(text, start, start + goal)
        pieces.append((start, place))
        start = place
    return [*pieces, (start, end)]


def _safe_place(text: str, start: int, place: int) -> int:
    floor = max(start + 1, place - _LOOK_BACK, start + (place - start) // 2)
    for careful in (True, False):
        for candidate in range(place, floor - 1, -1):
            if not _splits_character(text, candidate) and not (
                careful and _splits_word(text, candidate)
            ):
                return candidate
    return place


def _splits_character(text: str, place: int) -> bool:
    """Inside an emoji sequence, before a combining mark, between the halves of a flag."""
    before, after = text[place - 1], text[place]
    if after < "\u0300" and before != "\u200d":
        return False
    return (
        before == "\u200d"
        or after in "\u200d\ufe0e\ufe0f\u20e3"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or "\U000e0020" <= after <= "\U000e01ef"
        or unicodedata.category(after) in ("Mn", "Me", "Mc")
        or (_is_flag_half(before) and _is_flag_half(after) and _odd_flags(text, place))
        or "\udc00" <= after <= "\udfff"
    )


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _odd_flags(text: str, place: int) -> bool:
    first = place
    while first > max(0, place - 64) and _is_flag_half(text[first - 1]):
        first -= 1
    return (place - first) % 2 == 1


def _splits_word(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place]
    if before in _NEVER_LAST or after in _NEVER_FIRST:
        return True
    return before.isascii() and after.isascii() and before.isalnum() and after.isalnum()
