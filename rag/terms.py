"""The terms bridge: Mainland, Taiwan, colloquial and English forms of one idea.

`terms_data/terms.jsonl` is what people edit; `forms.tsv` is the same, folded once, because folding
33,000 forms takes longer than a whole cold question. `python -m rag.terms` writes the second from
the first. Moderators add their own groups in a `terms.csv` beside their articles.
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import add
from pathlib import Path

from rag.errors import BadTermsFile
from rag.fold import fold
from rag.tokens import HAN, words

SHIPPED = Path(__file__).parent / "terms_data"
LOCAL_FILE = "terms.csv"
_HAN_WORD = re.compile(f"[a-z0-9]*[{HAN}][{HAN}a-z0-9]*")
HAS_HAN = re.compile(f"[{HAN}]")
LONGEST_ENGLISH = 4


@dataclass(frozen=True, eq=False)
class Terms:
    """Folded form -> the groups it belongs to. A form of Latin words is their stems and blanks."""

    groups: Mapping[str, tuple[int, ...]]
    longest: int

    def in_passage(self, folded: str) -> list[tuple[str, tuple[int, ...]]]:
        """Every form that occurs, the longest at each position, overlaps included."""
        return [*self._han(folded, self._lengths.get), *self._latin(folded)]

    def in_question(self, folded: str) -> list[tuple[str, tuple[int, ...]]]:
        """The forms of a question, each once, longest match from the left without overlaps."""
        every = range(self.longest, 1, -1)  # a cold question does not wait for `_lengths`
        found = [*self._han(folded, lambda _: every, skip=True), *self._latin(folded)]
        return list(dict(found).items())

    def _han(
        self, folded: str, lengths: Callable[[str], Iterable[int] | None], *, skip: bool = False
    ) -> Iterator[tuple[str, tuple[int, ...]]]:
        """`lengths` of the forms that may begin with two characters, the longest first."""
        for match in _HAN_WORD.finditer(folded):
            run, free = match.group(), 0
            for at, tried in enumerate(map(lengths, map(add, run, run[1:]))):
                for length in tried if tried and at >= free else ():
                    form = run[at : at + length]
                    if form in self.groups:
                        yield form, self.groups[form]
                        free = at + len(form) if skip else 0
                        break

    @cached_property
    def _lengths(self) -> Mapping[str, Sequence[int]]:
        """How long the forms are that begin with two characters, the longest first."""
        found: defaultdict[str, set[int]] = defaultdict(set)
        for form in self.groups:
            if 1 < len(form) <= self.longest and " " not in form:
                found[form[:2]].add(len(form))
        return {start: sorted(lengths, reverse=True) for start, lengths in found.items()}

    def _latin(self, folded: str) -> Iterable[tuple[str, tuple[int, ...]]]:
        stems = words(folded)
        for at in range(len(stems)):
            for length in range(min(LONGEST_ENGLISH, len(stems) - at), 0, -1):
                form = " ".join(stems[at : at + length])
                if form in self.groups:
                    yield form, self.groups[form]
                    break

    def siblings(self, form: str, ids: Iterable[int]) -> list[str]:
        """The other forms of some groups."""
        members = _members(self)
        return [o for o in dict.fromkeys(o for i in ids for o in members[i]) if o != form]

    def save(self, path: Path) -> None:
        lines = [f"{form}\t{','.join(map(str, ids))}\n" for form, ids in self.groups.items()]
        path.write_text("".join(lines), encoding="utf-8")


def load_terms(path: Path = SHIPPED / "forms.tsv") -> Terms:
    """Read folded forms, as `Terms.save` wrote them; generations with the same ones share them."""
    return _read(path.read_text(encoding="utf-8"))


@lru_cache(maxsize=2)
def _read(saved: str) -> Terms:
    cells = saved.replace("\n", "\t").split("\t")
    forms, ids = cells[:-1:2], cells[1::2]
    # Many forms share their groups, so each tuple is made once.
    tuples = {text: tuple(map(int, text.split(","))) for text in set(ids)}
    return _terms(dict(zip(forms, map(tuples.__getitem__, ids), strict=True)))


def with_local_terms(terms: Terms, corpus_dir: Path) -> Terms:
    """Add the groups of the moderators' `terms.csv`: one group a row, one form a cell."""
    return with_rows(terms, local_rows(corpus_dir / LOCAL_FILE))


def with_rows(terms: Terms, rows: Sequence[Sequence[str]]) -> Terms:
    """Add groups, one a row, one form a cell."""
    if not rows:
        return terms
    first = 1 + max((i for ids in terms.groups.values() for i in ids), default=-1)
    merged = defaultdict(list, {form: list(ids) for form, ids in terms.groups.items()})
    for number, row in enumerate(rows):
        for form in filter(None, map(normalise, row)):
            merged[form].append(first + number)
    return _terms({form: tuple(dict.fromkeys(ids)) for form, ids in merged.items()})


def normalise(form: str) -> str:
    """The key of a form, empty when it is too short to mean one thing."""
    folded = fold(form).strip()
    if HAS_HAN.search(folded):
        return folded if len(folded) > 1 else ""
    key = " ".join(words(folded))
    return key if len(key) > 1 else ""


def compile_terms(source: Path) -> Terms:
    """Fold a `terms.jsonl` of {"zh": [...], "tw": [...], "en": [...]} groups; row = group id."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        for form in (*row.get("zh", ()), *row.get("tw", ()), *row.get("en", ())):
            key = normalise(form)
            if key and number not in groups[key]:
                groups[key].append(number)
    return _terms({form: tuple(ids) for form, ids in sorted(groups.items()) if ids})


@lru_cache(maxsize=4)
def _members(terms: Terms) -> Mapping[int, Sequence[str]]:
    members: defaultdict[int, list[str]] = defaultdict(list)
    for form, ids in terms.groups.items():
        for ident in ids:
            members[ident].append(form)
    return members


def _terms(groups: Mapping[str, tuple[int, ...]]) -> Terms:
    han = (len(form) for form in groups if not form.isascii())
    return Terms(groups, max(han, default=0))


def local_rows(path: Path) -> list[list[str]]:
    """The rows of a moderators' file, blank cells and comments left out; none without a file."""
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row and not row[0].startswith("#")]
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise BadTermsFile(path, str(error)) from error
    return [[form.strip() for form in row if form.strip()] for row in rows]


if __name__ == "__main__":
    compile_terms(SHIPPED / "terms.jsonl").save(SHIPPED / "forms.tsv")
