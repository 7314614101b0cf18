"""The training material: pairs, dictionary and thesaurus, without what the measurements use."""

import csv
import gzip
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.fold import fold
from rag.terms import SHIPPED

TERMS = SHIPPED / "terms.jsonl"
# Written for this project: each question in English and in other Chinese words, by its digest.
VARIANTS = Path(__file__).parent / "data" / "variants.tsv"
HEADINGS = ("msdocs_zhtw_vs", "msdocs_zhtw_other", "msdocs_zhtw_dotnet", "msdocs_zhtw_more")
MEASURED = ("colloquial_dev", "drcd_dev", "cmrc2018_dev")
_SHINGLE = 24
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_FILLERS = re.compile(r"^(?:to|a|an|the|to be|sb|sth) +", re.IGNORECASE)
_POINTERS = re.compile(
    r"^(?:CL:|(?:old |erhua )?variant of|see |surname |abbr\. |also written|used in |same as )"
)


@dataclass(frozen=True)
class Pair:
    """A question and the passage that answers it, both folded; `answer` is its verbatim clause."""

    question: str
    passage: str
    answer: str = ""


def lines(path: Path) -> Iterator[Any]:
    """The objects of a JSON-lines file, packed or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def plain_pairs(shared: Path, name: str) -> list[Pair]:
    """One of the packed sets of `shared/train`."""
    found = lines(shared / "train" / f"{name}.jsonl.gz")
    return [Pair(fold(row["q"]), fold(row["p"])) for row in found]


def colloquial_pairs(shared: Path) -> list[Pair]:
    """Questions as people type them, both sets, with the clause that answers."""
    train, measured = shared / "train", shared / "eval"
    sets = (
        (train / "colloquial_train.questions.jsonl", measured / "colloquial.passages.jsonl"),
        (train / "colloquial_train2.questions.jsonl", train / "colloquial_train2.passages.jsonl"),
    )
    return [pair for questions, passages in sets for pair in _answered(questions, passages)]


def _answered(questions: Path, passages: Path) -> Iterator[Pair]:
    texts = {row["id"]: row["text"] for row in lines(passages)}
    for row in lines(questions):
        if row["passage_id"]:
            answer = row["answers"][0] if row["answers"] else ""
            yield Pair(fold(row["question"]), fold(texts[row["passage_id"]]), fold(answer))


def variants() -> dict[str, tuple[str, ...]]:
    """Other wordings of a question, folded, by its `digest`."""
    with VARIANTS.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {key: tuple(fold(wording) for wording in wordings) for key, *wordings in rows}


def digest(text: str) -> str:
    """How the files in `data/` name a passage of the training sets, or a folded question."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def varied(pairs: Iterable[Pair], variants: Mapping[str, tuple[str, ...]]) -> list[Pair]:
    """The pairs, each followed by the same in the question's other wordings."""
    return [
        replace(pair, question=question)
        for pair in pairs
        for question in (pair.question, *variants.get(digest(pair.question), ()))
    ]


class Held:
    """Knows the passages that measurements ask for, so that no training pair holds one."""

    def __init__(self, shared: Path) -> None:
        self._shingles: set[str] = set()
        for name in MEASURED:
            self._add(shared / "eval", name)

    def _add(self, folder: Path, name: str) -> None:
        passages = name.removesuffix("_dev") if name.startswith("colloquial") else name
        wanted = {row["passage_id"] for row in lines(folder / f"{name}.questions.jsonl")}
        for row in lines(folder / f"{passages}.passages.jsonl"):
            if row["id"] in wanted:
                text = _bare(fold(row["text"]))
                starts = range(0, max(1, len(text) - _SHINGLE), 8)
                self._shingles.update(text[i : i + _SHINGLE] for i in starts)

    def holds(self, folded: str) -> bool:
        """Whether the text shares 24 characters in a row, beginning at any place, with one."""
        text = _bare(folded)
        return any(
            text[i : i + _SHINGLE] in self._shingles
            for i in range(max(1, len(text) - _SHINGLE + 1))
        )

    def without(self, pairs: Iterable[Pair]) -> list[Pair]:
        """The pairs whose passage is not held; each passage is looked at once."""
        seen: dict[str, bool] = {}
        kept = []
        for pair in pairs:
            if pair.passage not in seen:
                seen[pair.passage] = self.holds(pair.passage)
            if not seen[pair.passage]:
                kept.append(pair)
        return kept


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def dictionary(shared: Path) -> dict[str, list[str]]:
    """Simplified word -> its English glosses, clean, the dictionary's order (CC-CEDICT)."""
    found: dict[str, list[str]] = defaultdict(list)
    with gzip.open(shared / "train" / "cc-cedict.txt.gz", "rt", encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                head, _, senses = line.partition("/")
                found[fold(head.split()[1])] += clean_glosses(senses)
    return {word: list(dict.fromkeys(glosses)) for word, glosses in found.items()}


def clean_glosses(senses: str) -> list[str]:
    """English words of one entry: no pointers to other entries, brackets, articles or "to"."""
    found = []
    for sense in re.split(r"[/;]", senses):
        sense = sense.strip()
        if not sense or _POINTERS.match(sense):
            continue
        words = _BRACKETS.sub(" ", sense).strip()
        words = _FILLERS.sub("", words).strip().lower()
        if words and words.isascii():
            found.append(" ".join(words.split()))
    return found


@dataclass(frozen=True)
class Group:
    """Forms of one idea: Chinese (both regions, folded) and English."""

    chinese: tuple[str, ...]
    english: tuple[str, ...]


def thesaurus(source: Path) -> list[Group]:
    """The groups of a file like `rag/terms_data/terms.jsonl`."""
    return [
        Group(
            tuple(dict.fromkeys(fold(form) for form in row["zh"] + row["tw"])),
            tuple(dict.fromkeys(fold(form) for form in row["en"])),
        )
        for row in lines(source)
    ]
