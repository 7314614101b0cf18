"""Grounded claims become the text and the citations that a reader sees."""

import re
from collections.abc import Sequence

from rag.grounding import Grounded, Span
from rag.locate import locate
from rag.result import Citation, Variant
from rag.variant import purity, to_variant
from rag.wording import DOUBT, DOUBTFUL

_END = re.compile(r"[。．.！!？?…」』”）)]$")
_QUOTED = re.compile(r"[「『“]([^「」『』“”\n]{2,80})[」』”]")
_PURE = 0.9
_FEW_LETTERS = 20
_SOME_HAN = 0.3


def draft_text(kept: Sequence[Grounded], variant: Variant) -> str:
    """The sentences without marks, as they are shown while others are being written."""
    return _joined([(g, _sentence(g, variant)) for g in kept]).strip()


def compose(kept: Sequence[Grounded], variant: Variant) -> tuple[str, tuple[Citation, ...]]:
    """The text with its marks, numbered as they come, and the quotes that they point to."""
    spans = [span for grounded in kept for span in grounded.spans]
    wide = list(dict.fromkeys(_widest(span, spans) for span in spans))
    shown = []
    for grounded in kept:
        numbers = sorted({1 + wide.index(_widest(span, spans)) for span in grounded.spans})
        marks = "".join(f"[{n}]" for n in numbers)
        doubt = DOUBT if grounded.verdict == "doubtful" else ""
        shown.append((grounded, _sentence(grounded, variant) + marks + doubt))
    text = _joined(shown).strip()
    if any(g.verdict == "doubtful" for g in kept):
        text += "\n" + DOUBTFUL[variant]
    return text, tuple(
        Citation.of(n, s.hit, s.start, s.end, s.hit.score) for n, s in enumerate(wide, 1)
    )


def is_in_script(text: str, variant: Variant, spans: Sequence[Span]) -> bool:
    """Whether our own words are in the asker's script; quotations may be in any."""
    sources = "\n".join(span.hit.passage.text for span in spans)
    own = _QUOTED.sub(lambda m: "" if m.group(1) in sources else m.group(), text)
    for name in _names(spans):
        own = own.replace(name, "")
    wanted, bearing = purity(own, variant)
    return wanted >= _PURE * bearing


def is_chinese(text: str) -> bool:
    """Whether a text of some length is Chinese at all."""
    letters = [char for char in text if char.isalpha()]
    han = sum(char >= "㐀" for char in letters)
    return len(letters) < _FEW_LETTERS or han >= _SOME_HAN * len(letters)


def _sentence(grounded: Grounded, variant: Variant) -> str:
    """The claim in the asker's script; what it quotes and names, as the source has it."""
    spans = grounded.spans
    restored = _QUOTED.sub(lambda m: _as_in_source(m, spans), grounded.claim.text)
    kept = {m.group(1) for m in _QUOTED.finditer(restored) if _stands(m.group(1), spans)}
    text = to_variant(restored, variant, (*sorted(kept, key=len, reverse=True), *_names(spans)))
    text = text.rstrip("，、；：,;: ")
    return text if _END.search(text) else text + "。"


def _as_in_source(match: re.Match[str], spans: Sequence[Span]) -> str:
    words = match.group(1)
    for span in spans:
        for start, end in locate(words, span.hit.passage.text):
            return match.group().replace(words, span.hit.passage.text[start:end])
    return match.group()


def _stands(words: str, spans: Sequence[Span]) -> bool:
    return any(words in span.hit.passage.text for span in spans)


def _names(spans: Sequence[Span]) -> tuple[str, ...]:
    """Names that no conversion may touch. A title may be an ordinary word: only 《》 marks it."""
    authors = dict.fromkeys(span.hit.article.author for span in spans)
    return tuple(author for author in authors if author)


def _joined(shown: Sequence[tuple[Grounded, str]]) -> str:
    return "".join(f"\n- {text}\n" if g.claim.bullet else text for g, text in shown).replace(
        "\n\n", "\n"
    )


def _widest(span: Span, spans: Sequence[Span]) -> Span:
    """The longest quote that holds a quote: what stands in another is not cited twice."""
    holding = [other for other in spans if _inside(span, other)]
    return max(holding, key=lambda other: other.end - other.start, default=span)


def _inside(span: Span, other: Span) -> bool:
    return (
        span != other
        and span.hit is other.hit
        and other.start <= span.start
        and span.end <= other.end
    )
