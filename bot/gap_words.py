"""Gaps in words: the line of their counts, and all of them as Markdown."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from bot.escape import line
from bot.gaps import Gap
from bot.texts import text

_LONG = 500


def counts_of(gap: Gap, language: str) -> str:
    """How often, by how many, what became of it, when last; on one line."""
    kinds = {"refused": gap.refused, "weak": gap.weak, "unhelpful": gap.unhelpful}
    told = [text(language, "gaps.asked", count=gap.count, people=gap.people)]
    told += [text(language, f"gaps.{kind}", count=count) for kind, count in kinds.items() if count]
    told.append(text(language, "gaps.last", day=day(gap.last)))
    return " · ".join(told)


def day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def places_of(gap: Gap, most: int = 3) -> list[str]:
    """Where its nearest passages stand, each once; an article is named before its first only."""
    told: dict[str, None] = {}
    titles: set[str] = set()
    for near in gap.nearest:
        known = near.title in titles
        titles.add(near.title)
        told[near.heading if known else " › ".join(filter(None, (near.title, near.heading)))] = None
    return [place for place in told if place and not _again(place, told)][:most]


def _again(place: str, told: Iterable[str]) -> bool:
    return any(other.endswith(f" › {place}") for other in told)


def markdown(gaps: Sequence[Gap], language: str = "en") -> str:
    """A list to work through. Nothing in a question formats, links or pings."""
    return "\n".join([f"# {text(language, 'gaps.export')}", "", *_items(gaps, language)]) + "\n"


def _items(gaps: Sequence[Gap], language: str) -> Iterator[str]:
    if not gaps:
        yield text(language, "gaps.none")
    for gap in gaps:
        done = " " if gap.state == "open" else "x"
        yield f"- [{done}] **{line(gap.question, _LONG)}** ({gap.number}, {gap.state})"
        yield f"  - {counts_of(gap, language)}"
        if gap.wordings:
            also = " / ".join(line(wording, _LONG) for wording in gap.wordings)
            yield f"  - {text(language, 'gaps.also', wordings=also)}"
        for near in gap.nearest:
            where = " › ".join(filter(None, (near.title, near.heading)))
            told = f"{line(where, _LONG)} ({line(near.path, _LONG)})"
            yield f"  - {told}: {line(near.excerpt, _LONG)}"
