"""An article becomes passages: stretches of its text of a size to find, to read and to quote.

Passages follow paragraphs. Short neighbours under one heading are put together, long paragraphs
are parted at sentence ends (corpus/sentence.py says where). Linear in the length of the text.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from corpus.article import Article, Heading, Passage, PassageKind
from corpus.sentence import Mark, Rank, cut_anywhere, marks, sentences, trim

__all__ = ["sentences", "split"]

Span = tuple[int, int]

_blank_line = re.compile(r"\n[^\S\n]*\n\s*")


def split(article: Article, max_chars: int = 320, target_chars: int = 240) -> list[Passage]:
    """Passages in order; `article.text[p.start:p.end] == p.text`, at most `max_chars` long.

    Every character but white space and headings is in exactly one passage. Paragraphs are put
    together up to `target_chars`, and never above `max_chars`.
    """
    if max_chars < 1:
        raise ValueError(f"max_chars must be at least 1, not {max_chars}")
    target = min(target_chars, max_chars)
    passages: list[Passage] = []
    for start, end, path, kind in _stretches(article):
        part = _metadata if kind == "metadata" else _body
        for first, last in part(article.text, start, end, max_chars, target):
            number = len(passages)
            passages.append(
                Passage(
                    id=f"{article.id}#{number}",
                    article_id=article.id,
                    ordinal=number,
                    start=first,
                    end=last,
                    text=article.text[first:last],
                    headings=path,
                    kind=kind,
                )
            )
    return passages


# --- what belongs together ------------------------------------------------------------------


def _stretches(article: Article) -> Iterator[tuple[int, int, tuple[str, ...], PassageKind]]:
    """The metadata, then what stands under each heading."""
    if article.body_start:
        yield 0, article.body_start, (), "metadata"
    path: list[Heading] = []
    start = article.body_start
    for heading in article.headings:
        yield start, heading.start, _titles(path, article.title), "body"
        while path and path[-1].level >= heading.level:
            path.pop()
        path.append(heading)
        start = heading.end
    yield start, len(article.text), _titles(path, article.title), "body"


def _titles(path: Sequence[Heading], title: str) -> tuple[str, ...]:
    """The article's own title, as its first heading, says nothing about the place."""
    own = title.strip()
    return tuple(h.title for h in path if h.level > 1 or h.title.strip() != own)


def _metadata(text: str, start: int, end: int, max_chars: int, target: int) -> list[Span]:
    pieces = [
        piece
        for line in _lines(text, start, end)
        for piece in _pieces(text, line[0], line[1], max_chars)
    ]
    return _together(pieces, target)


def _lines(text: str, start: int, end: int) -> Iterator[Span]:
    for match in re.compile(r"[^\n]+").finditer(text, start, end):
        line = trim(text, *match.span())
        if line[0] < line[1]:
            yield line


def _body(text: str, start: int, end: int, max_chars: int, target: int) -> list[Span]:
    pieces = [
        piece
        for first, last in _introduced(text, _paragraphs(text, start, end))
        for piece in _pieces(text, first, last, max_chars)
    ]
    return _without_crumbs(_together(pieces, target), max_chars, target // 3)


def _paragraphs(text: str, start: int, end: int) -> Iterator[Span]:
    start, end = trim(text, start, end)
    for gap in _blank_line.finditer(text, start, end):
        yield start, gap.start()
        start = gap.end()
    if start < end:
        yield start, end


def _introduced(text: str, paragraphs: Iterator[Span]) -> Iterator[Span]:
    """A paragraph that ends in a colon stays with the list or quotation it introduces."""
    held: int | None = None
    last = 0
    for start, end in paragraphs:
        held, last = start if held is None else held, end
        if text[end - 1] not in "：:":
            yield held, end
            held = None
    if held is not None:
        yield held, last


def _together(pieces: Sequence[Span], target: int) -> list[Span]:
    """Neighbours become one as long as it stays within the target."""
    spans: list[Span] = []
    for start, end in pieces:
        if spans and end - spans[-1][0] <= target:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _without_crumbs(spans: Sequence[Span], max_chars: int, crumb: int) -> list[Span]:
    """What is too short to be found on its own joins its shorter neighbour, if there is room."""
    kept: list[Span] = []
    i = 0
    while i < len(spans):
        start, end = spans[i]
        if end - start < crumb:
            before = end - kept[-1][0] if kept else max_chars + 1
            after = spans[i + 1][1] - start if i + 1 < len(spans) else max_chars + 1
            if min(before, after) <= max_chars:
                if before <= after:
                    kept[-1] = (kept[-1][0], end)
                else:
                    kept.append((start, spans[i + 1][1]))
                    i += 1
                i += 1
                continue
        kept.append((start, end))
        i += 1
    return kept


# --- parting what is too long ---------------------------------------------------------------


def _pieces(text: str, start: int, end: int, max_chars: int) -> list[Span]:
    start, end = trim(text, start, end)
    if end - start <= max_chars:
        return [(start, end)] if start < end else []
    places: dict[Rank, list[int]] = {rank: [] for rank in Rank}
    for place, rank in _all_marks(text, start, end):
        places[rank].append(place)
    return _part(text, start, end, places, Rank.LINE, max_chars)


_gap = re.compile(r"\s+")


def _all_marks(text: str, start: int, end: int) -> Iterator[Mark]:
    yield from marks(text, start, end)
    for gap in _gap.finditer(text, start, end):
        yield gap.end(), Rank.WORD


def _part(
    text: str, start: int, end: int, places: dict[Rank, list[int]], rank: Rank, max_chars: int
) -> list[Span]:
    """Part at the best places; only what is still too long is parted at the next best."""
    start, end = trim(text, start, end)
    if end - start <= max_chars:
        return [(start, end)] if start < end else []
    found = places[rank][bisect_right(places[rank], start) : bisect_left(places[rank], end)]
    if not found:
        if rank < Rank.WORD:
            return _part(text, start, end, places, Rank(rank + 1), max_chars)
        cut = (trim(text, *piece) for piece in cut_anywhere(text, start, end, max_chars))
        return [piece for piece in cut if piece[0] < piece[1]]
    atoms = [trim(text, a, b) for a, b in zip([start, *found], [*found, end], strict=True)]
    return [
        piece
        for first, last in _balanced([atom for atom in atoms if atom[0] < atom[1]], max_chars)
        for piece in _part(text, first, last, places, rank, max_chars)
    ]


def _balanced(atoms: Sequence[Span], max_chars: int) -> Iterator[Span]:
    """Atoms put together into spans of about equal length; one that is too long stays alone."""
    run: list[Span] = []
    for atom in atoms:
        if atom[1] - atom[0] > max_chars:
            yield from _even(run, max_chars)
            yield atom
            run = []
        else:
            run.append(atom)
    yield from _even(run, max_chars)


def _even(run: Sequence[Span], max_chars: int) -> Iterator[Span]:
    if not run:
        return
    length = run[-1][1] - run[0][0]
    goal = length / -(-length // max_chars)
    start, end = run[0]
    for first, last in run[1:]:
        # nearer to the goal with it than without it?
        better = abs(last - start - goal) <= abs(end - start - goal)
        if last - start <= max_chars and better:
            end = last
        else:
            yield start, end
            start, end = first, last
    yield start, end
