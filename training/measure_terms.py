"""What the terms bridge is worth: the lexical leg with it, by set, domain and group.

python -m training.measure_terms --shared DIR [--terms FILE.jsonl] [--effects 40] [--final]

`helped` and `hurt` count the questions whose right passage moves up or down because of a group.
`--final` adds the sets that nothing may be decided on.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus.article import Article, Passage
from rag.fold import fold
from rag.lexical import LexicalIndex, Scores
from rag.retrieve import Fusion
from rag.terms import SHIPPED, Terms, compile_terms
from rag.tokens import subject
from training.texts import lines

_SETS = {
    "drcd_dev": ("eval/drcd_dev.passages.jsonl", "eval/drcd_dev.questions.jsonl"),
    "cmrc2018_dev": ("eval/cmrc2018_dev.passages.jsonl", "eval/cmrc2018_dev.questions.jsonl"),
    "colloquial_train": (
        "eval/colloquial.passages.jsonl",
        "train/colloquial_train.questions.jsonl",
    ),
    "colloquial_train2": (
        "train/colloquial_train2.passages.jsonl",
        "train/colloquial_train2.questions.jsonl",
    ),
}
_FINAL = {
    "colloquial_dev": ("eval/colloquial.passages.jsonl", "eval/colloquial_dev.questions.jsonl")
}


@dataclass(frozen=True)
class Asked:
    """A question, the row of its passage, and the scores it gave."""

    variant: str
    folded: str
    gold: int
    scores: Scores


@dataclass
class Effect:
    """What one group, or all of a domain, did to the questions it fired in."""

    fired: int = 0
    helped: int = 0
    hurt: int = 0
    gain: float = 0.0

    def add(self, gain: float) -> None:
        """Count a question whose reciprocal rank changed by this much."""
        self.fired += 1
        self.helped += gain > 0
        self.hurt += gain < 0
        self.gain += gain


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--shared", type=Path, required=True)
    arguments.add_argument("--terms", type=Path, default=SHIPPED / "terms.jsonl")
    arguments.add_argument("--effects", type=int, default=0)
    arguments.add_argument("--final", action="store_true")
    options = arguments.parse_args()
    terms, groups = compile_terms(options.terms), list(lines(options.terms))
    effects: defaultdict[str, Effect] = defaultdict(Effect)
    for name, paths in (_SETS | (_FINAL if options.final else {})).items():
        index, asked = _ask(terms, *(options.shared / path for path in paths))
        print(name, json.dumps(figures(asked)))
        if options.effects and name in _SETS:
            _count(index, asked, groups, effects)
    worst = sorted(effects.items(), key=lambda item: item[1].gain)
    for label, effect in worst[: options.effects]:
        print(f"{effect.gain:+.2f} {effect.helped}/{effect.hurt} of {effect.fired}: {label}")


def figures(asked: Sequence[Asked]) -> dict[str, tuple[float, float]]:
    """Shares of questions whose passage comes first and in five: all, and by variant."""
    ranks: defaultdict[str, list[int]] = defaultdict(list)
    for one in asked:
        for name in {"all", one.variant}:
            ranks[name].append(_rank(one.scores, one.gold))
    return {
        name: (round(float(np.mean(np.less(r, 1))), 4), round(float(np.mean(np.less(r, 5))), 4))
        for name, r in sorted(ranks.items())
    }


def _ask(terms: Terms, passages: Path, questions: Path) -> tuple[LexicalIndex, list[Asked]]:
    rows = list(lines(passages))
    articles = {r["id"]: Article(r["id"], r.get("title", ""), "", r["text"]) for r in rows}
    pieces = [Passage(n, n, 0, 0, len(a.text), a.text) for n, a in articles.items()]
    index = LexicalIndex.build(articles, pieces, terms)
    numbers = {row["id"]: number for number, row in enumerate(rows)}
    answerable = (row for row in lines(questions) if row["passage_id"])
    return index, [_asked(index, row, numbers[row["passage_id"]]) for row in answerable]


def _asked(index: LexicalIndex, row: Mapping[str, str], gold: int) -> Asked:
    found = index.scores(row["question"])
    scores = found.ngrams + Fusion().ideas * found.ideas
    return Asked(row.get("variant", "all"), subject(fold(row["question"])), gold, scores)


def _count(
    index: LexicalIndex,
    asked: Sequence[Asked],
    groups: Sequence[Mapping[str, object]],
    effects: Mapping[str, Effect],
) -> None:
    for one in asked:
        for group, lost in _without_each(index, one.folded):
            before = 1 / (1 + _rank(one.scores, one.gold))
            after = 1 / (1 + _rank(one.scores - Fusion().ideas * lost, one.gold))
            row = groups[group]
            effects[f"domain {row['domain']}"].add(before - after)
            effects[f"{row['zh']} {row['tw']} {row['en']}"].add(before - after)


def _without_each(index: LexicalIndex, folded: str) -> Iterator[tuple[int, Scores]]:
    """Each group that fires in a question, and what every passage's score would lose without it."""
    found = index.terms.in_question(folded)
    for group in {group for _, groups in found for group in groups}:
        lost: Scores = np.zeros(len(index), dtype=np.float32)
        for form, groups in found:
            if group in groups:
                others = tuple(g for g in groups if g != group)
                lost += index.idea_scores(form, groups) - index.idea_scores(form, others)
        yield group, lost


def _rank(scores: Scores, gold: int) -> int:
    """How many passages come before the right one; of equals the earlier one comes first."""
    return int((scores > scores[gold]).sum() + (scores[:gold] == scores[gold]).sum())


if __name__ == "__main__":
    main()
