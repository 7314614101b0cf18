"""The reply of a model becomes claims: a sentence, and below it the quotes it stands on.

The form asked for is a line of answer followed by lines `> [2] words of passage 2`. Models also
think aloud, fence their output, number, embolden and chat: all that is borne. What is no sentence
with quotes ends as a claim without quotes, which nothing supports.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_THINKS = re.compile(r"<(think|thinking|reasoning|thought|analysis)>", re.IGNORECASE)
_THOUGHT = re.compile(r"</(?:think|thinking|reasoning|thought|analysis)>", re.IGNORECASE)
_FENCE = re.compile(r"\s*(?:```|~~~)")
_NOTHING = re.compile(r"\W*none\W*", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*•·‧–]\s+|\d{1,2}[.)、．]\s*(?!\d))")
_NUMBERS = r"\d{1,3}(?:\s*[,，、;；]\s*\d{1,3})*"
_QUOTE = re.compile(rf"^\s*[>＞»]+\s*(?:[\[【(（]\s*({_NUMBERS})\s*[\]】)）])?\s*[:：]?\s*(.*)$")
# A quote on the line of its sentence, as small models write it.
_INLINE_QUOTE = re.compile(rf"\s*[>＞]\s*(?=[\[【]\s*{_NUMBERS}\s*[\]】])")
_MARK = re.compile(rf"\s*(?:\[\^?|【)\s*({_NUMBERS})\s*(?:\]|】)")
_LAST_MARK = re.compile(rf"\s*[\[【(（]\s*({_NUMBERS})\s*[\]】)）]\s*$")
_EMPHASIS = re.compile(r"\*\*|__|^#+\s*")
_LABEL = re.compile(r"^(?:答案?|回答|答句|answer)\s*[:：]\s*", re.IGNORECASE)
_ELISION = re.compile(r"…+|\.{3,}|\[\s*\]|〔…〕")
_AROUND = "「」『』“”\"'‘’«»《》〈〉 \t"
_MOST_CLAIMS = 8
_LONGEST_CLAIM = 400


@dataclass(frozen=True, slots=True)
class Quote:
    """Words that a model says stand in a passage; numbers count from 1, none when it said none."""

    numbers: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of a model's answer and the quotes that it gives for it."""

    text: str
    quotes: tuple[Quote, ...] = ()
    bullet: bool = False


class ReplyReader:
    """Reads a reply as it comes; `claims` are those that are complete."""

    def __init__(self) -> None:
        self.claims: list[Claim] = []
        self.says_nothing = False
        self._line, self._thinking = "", False
        self._open: Claim | None = None

    def feed(self, text: str) -> bool:
        """Take more of the reply; whether anything was read that may change the answer."""
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._read(line.rstrip())
        return bool(lines)

    def close(self) -> None:
        """The reply has ended."""
        self._read(self._line.rstrip())
        self._line = ""
        self._end_claim()

    def so_far(self) -> list[Claim]:
        """The claims and the one that may still get quotes."""
        return [*self.claims, self._open] if self._open is not None else list(self.claims)

    def _read(self, line: str) -> None:
        for spoken in self._spoken(line):
            if _FENCE.match(spoken) or not spoken.strip():
                continue
            for part in _INLINE_QUOTE.sub("\n> ", spoken).split("\n"):
                self._take(part)

    def _spoken(self, line: str) -> Iterator[str]:
        """What of a line is not thought. A thought that ends without beginning began before."""
        if not self._thinking and (ends := _THOUGHT.search(line)) and not _THINKS.search(line):
            self.claims, self._open, self.says_nothing = [], None, False
            line = line[ends.end() :]
        while line:
            if self._thinking:
                ended = _THOUGHT.search(line)
                if ended is None:
                    return
                self._thinking, line = False, line[ended.end() :]
                continue
            begins = _THINKS.search(line)
            yield line[: begins.start()] if begins else line
            if begins is None:
                return
            self._thinking, line = True, line[begins.end() :]

    def _take(self, line: str) -> None:
        quote = _QUOTE.match(line)
        if quote:
            self._add_quotes(quote.group(1), quote.group(2))
        elif _NOTHING.fullmatch(line):
            self.says_nothing = True
        else:
            self._begin_claim(line)

    def _begin_claim(self, line: str) -> None:
        bullet = _BULLET.match(line)
        text = _EMPHASIS.sub("", line[bullet.end() :] if bullet else line)
        text = _MARK.sub("", _LABEL.sub("", text.strip())).strip()
        if not text:
            return
        self._end_claim()
        self._open = Claim(text[:_LONGEST_CLAIM], bullet=bullet is not None)

    def _add_quotes(self, numbers: str | None, text: str) -> None:
        if self._open is None:
            return
        if numbers is None and (last := _LAST_MARK.search(text)):
            numbers, text = last.group(1), text[: last.start()]
        cited = tuple(int(n) for n in re.findall(r"\d+", numbers or ""))
        parts = [part.strip(_AROUND) for part in _ELISION.split(_EMPHASIS.sub("", text))]
        quotes = tuple(Quote(cited, part) for part in parts if part)
        self._open = Claim(self._open.text, self._open.quotes + quotes, self._open.bullet)

    def _end_claim(self) -> None:
        if self._open is not None and len(self.claims) < _MOST_CLAIMS:
            self.claims.append(self._open)
        self._open = None
