"""What is wrong with a moderators' `terms.csv`, line by line, and what to do about it."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from rag.errors import BadTermsFile
from rag.fold import fold
from rag.generation import Generation
from rag.term_lookup import occurrence
from rag.terms import HAS_HAN, LONGEST_ENGLISH, SHIPPED, Terms, load_terms, normalise
from rag.tokens import subject, words

Level = Literal["wrong", "look"]
# Cells that were meant to be several, and blanks or marks inside Chinese, which is matched as one.
_JOINED = re.compile(r"[，、；;|｜／]|\t")
_BROKEN_HAN = re.compile(r"[^\w]", re.ASCII)
_COMMON = 0.2  # share of the passages from which a form says little
_FEW = 20  # passages; of fewer no share is taken
_SHOWN = 4  # other forms of a group that are named


@dataclass(frozen=True, slots=True)
class Finding:
    """`wrong`: it does not do what the row means; `look`: it may, but costs precision."""

    line: int
    level: Level
    form: str
    what: str
    do: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row and the line it begins in; `keys` are its forms as the search sees them."""

    number: int
    row: tuple[str, ...]
    keys: tuple[str, ...]


def check_terms(path: Path, generation: Generation | None = None) -> list[Finding]:
    """Everything that is wrong with a file, by line; with an index also what occurs too often.

    BadTermsFile when it is no text at all.
    """
    lines, findings = _read(path)
    findings += _again(lines)
    named = {finding.line for finding in findings}
    whole = [line for line in lines if line.number not in named]
    shipped = load_terms()
    for line in whole:
        findings += list(_forms(line)) or list(_row(line))
        findings += _known(line, shipped)
        findings += _frequent(line, generation)
    findings += _shared(whole)
    return sorted(findings, key=lambda finding: (finding.line, finding.level == "look"))


def _read(path: Path) -> tuple[list[Line], list[Finding]]:
    lines: list[Line] = []
    findings: list[Finding] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            before = 0
            for cells in reader:
                number, before = before + 1, reader.line_num
                if not cells or cells[0].startswith("#"):
                    continue
                if reader.line_num > number:
                    findings.append(_open_quote(number, reader.line_num))
                row = tuple(cell.strip() for cell in cells if cell.strip())
                lines.append(Line(number, row, tuple(normalise(form) for form in row)))
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise BadTermsFile(path, str(error)) from error
    return lines, findings


def _open_quote(first: int, last: int) -> Finding:
    what = f"a quotation mark joins the lines {first} to {last} into one row"
    return Finding(first, "wrong", '"', what, 'close it, or write "" for a mark that is meant')


def _forms(line: Line) -> Iterator[Finding]:
    """Forms that the search cannot use, or that say nothing."""
    for form, key in zip(line.row, line.keys, strict=True):
        if _JOINED.search(form):
            what, do = "one cell holds several words", "part them with commas: one form a cell"
        elif not key:
            what, do = "a single character says too much", "leave it out, or write a longer form"
        elif _is_function(key):
            what, do = "it stands in any sentence and finds everything", "leave it out"
        elif HAS_HAN.search(key) and _BROKEN_HAN.search(_without_han(key)):
            what = "a blank or a mark inside Chinese: it is never found"
            do = "write it in one piece"
        elif not HAS_HAN.search(key) and len(words(key)) > LONGEST_ENGLISH:
            what, do = f"more than {LONGEST_ENGLISH} words: it is never found", "write it shorter"
        else:
            continue
        yield Finding(line.number, "wrong", form, what, do)


def _row(line: Line) -> Iterator[Finding]:
    """Rows that say nothing as a whole, and cells that are there twice."""
    keys = [key for key in line.keys if key]
    if len(set(keys)) < 2:
        several = len(line.row) > 1
        what = "its forms are one to the search" if several else "one form alone widens nothing"
        hint = " (both scripts are the same to it)" if several else ""
        yield Finding(
            line.number, "wrong", line.row[0] if line.row else "", what + hint,
            "add another word for the same idea",
        )  # fmt: skip
    for form in {form for form in line.row if line.row.count(form) > 1}:
        yield Finding(line.number, "look", form, "it stands in this row twice", "remove one")


def _known(line: Line, shipped: Terms) -> Iterator[Finding]:
    """What the bridge that ships says of these words already."""
    keys = [key for key in dict.fromkeys(line.keys) if key]
    groups = {key: set(shipped.groups.get(key, ())) for key in keys}
    if len(keys) > 1 and set.intersection(*groups.values()):
        do = "the row is not needed: remove it"
        yield Finding(line.number, "look", line.row[0], "youju knows these words as one", do)
        return
    shared = {g for ids in groups.values() for g in ids if sum(g in o for o in groups.values()) > 1}
    for form, key in zip(line.row, line.keys, strict=True):
        if groups.get(key) and not groups[key] & shared:
            siblings = shipped.siblings(key, groups[key])
            # English stands there as stems: named last.
            others = sorted(siblings, key=lambda other: not HAS_HAN.search(other))[:_SHOWN]
            what = f"youju has it with {'、'.join(others)}: questions about these find it too"
            do = "keep it if that is meant, else write a longer form"
            yield Finding(line.number, "look", form, what, do)


def _frequent(line: Line, generation: Generation | None) -> Iterator[Finding]:
    size = len(generation.content) if generation is not None else 0
    if generation is None or size < _FEW:
        return
    for form, key in zip(line.row, line.keys, strict=True):
        often = _passages_with(generation, form) if key and not _is_function(key) else 0
        if often > _COMMON * size:
            what = f"it stands in {often} of {size} passages and tells little"
            yield Finding(line.number, "look", form, what, "leave it out, or be more specific")


def _passages_with(generation: Generation, form: str) -> int:
    """Passages that hold a form; those without one of its tokens need not be read."""
    scores = generation.lexical.scores(form).ngrams
    rows = [row for row, score in enumerate(scores.tolist()) if score > 0]
    texts = (passage.text for passage in generation.content.passages(rows))
    return sum(occurrence(form, fold(text)) is not None for text in texts)


def _again(lines: Sequence[Line]) -> Iterator[Finding]:
    """Rows that were there before."""
    rows: dict[frozenset[str], int] = {}
    for line in lines:
        keys = frozenset(filter(None, line.keys))
        if keys and rows.setdefault(keys, line.number) != line.number:
            what = f"the row of line {rows[keys]} again"
            yield Finding(line.number, "wrong", line.row[0], what, "remove one of them")


def _shared(lines: Sequence[Line]) -> Iterator[Finding]:
    """Words that stand in two rows."""
    where: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        for key in dict.fromkeys(filter(None, line.keys)):
            where[key].append(line)
    for key, holding in where.items():
        for line in holding[1:]:
            form = line.row[line.keys.index(key)]
            what = f"it stands in line {holding[0].number} too: the two rows find each other"
            do = "join the rows if they mean the same, else write longer forms"
            yield Finding(line.number, "look", form, what, do)


def _is_function(key: str) -> bool:
    return key in _function_words() or not subject(key).strip() or _empty(key)


@lru_cache(maxsize=1)
def _function_words() -> frozenset[str]:
    """Words that stand in most sentences; folded."""
    return frozenset((SHIPPED / "function_words.txt").read_text(encoding="utf-8").split())


def _empty(key: str) -> bool:
    """Whether a form is nothing but question words (`subject` then gives it back whole)."""
    return subject(f"{key}々").strip() == "々"


def _without_han(key: str) -> str:
    return HAS_HAN.sub("", key)
