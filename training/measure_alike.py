"""From which cosine on two questions ask the same: the figures behind `rag.alike.ALIKE`.

    python -m training.measure_alike FOLDER

FOLDER holds colloquial_train*.questions.jsonl. Alike are the paraphrases in alike_paraphrases.jsonl
and each question in the other script and region's words; not alike are an answered and an
unanswered question about one passage.
"""

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import opencc

from rag.alike import group_of
from rag.embed import ShippedModel

PARAPHRASES = Path(__file__).parent / "alike_paraphrases.jsonl"
_THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
_CONVERTED = 800

Pairs = list[tuple[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    files = sorted(folder.glob("colloquial_train*.questions.jsonl"))
    if not files:
        parser.error(f"{folder} holds no colloquial_train*.questions.jsonl")
    rows = [row for file in files for row in _read(file)]
    sets = {
        "paraphrases": paraphrases(rows),
        "other script": converted(rows),
        "one passage, other question": near(rows),
    }
    model = ShippedModel()
    cosines = {name: _cosines(model, pairs) for name, pairs in sets.items()}
    print("cosine", *(f"{name} ({len(pairs)})" for name, pairs in sets.items()), sep="\t")
    for threshold in _THRESHOLDS:
        shares = (f"{(found >= threshold).mean():.4f}" for found in cosines.values())
        print(threshold, *shares, sep="\t")
    show_clusters(model, rows)


def show_clusters(model: ShippedModel, rows: Sequence[dict[str, Any]], most: int = 1400) -> None:
    """Different questions one after the other, as a bot meets them; then others alike."""
    answered = [row["question"] for row in rows if row["passage_id"]]
    random.Random(2).shuffle(answered)
    again = paraphrases(rows)
    asked = list(dict.fromkeys([*(question for question, _ in again), *answered[:most]]))
    vectors = model.embed_passages(asked)
    clusters: list[int] = []
    for at, vector in enumerate(vectors):
        found = group_of(vector, vectors[:at], clusters)
        clusters.append(max(clusters, default=0) + 1 if found is None else found)
    own = dict(zip(asked, clusters, strict=True))
    print(f"{len(asked)} different questions in {max(clusters)} clusters")
    other = [pair for pair in converted(rows) if pair[0] in own]
    for name, pairs in (("other script", other), ("paraphrases", again)):
        places = [
            group_of(v, vectors, clusters) for v in model.embed_passages([b for _, b in pairs])
        ]
        right = [place == own[a] for place, (a, _) in zip(places, pairs, strict=True)]
        strange = [p is not None and not r for p, r in zip(places, right, strict=True)]
        shares = f"{np.mean(right):.3f} with their own, {np.mean(strange):.3f} elsewhere"
        print(f"{name} ({len(pairs)}): {shares}")


def paraphrases(rows: Sequence[dict[str, Any]]) -> Pairs:
    questions = {row["id"]: row["question"] for row in rows}
    return [(questions[row["id"]], row["paraphrase"]) for row in _read(PARAPHRASES)]


def converted(rows: Sequence[dict[str, Any]]) -> Pairs:
    """A sample of the Chinese questions with themselves, as the other side would write them."""
    ways = {"hans": opencc.OpenCC("s2twp"), "hant": opencc.OpenCC("tw2sp")}
    chinese = [row for row in rows if row["variant"] in ways]
    sample = random.Random(1).sample(chinese, _CONVERTED)
    return [(row["question"], ways[row["variant"]].convert(row["question"])) for row in sample]


def near(rows: Sequence[dict[str, Any]]) -> Pairs:
    questions = {row["id"]: row["question"] for row in rows}
    unanswered = [row for row in rows if row["id"].endswith("-n")]
    answered = {row["id"]: questions.get(f"{row['id'][:-2]}-q") for row in unanswered}
    return [(row["question"], other) for row in unanswered if (other := answered[row["id"]])]


def _cosines(model: ShippedModel, pairs: Pairs) -> Any:
    left, right = (model.embed_passages(list(side)) for side in zip(*pairs, strict=True))
    return np.sum(left * right, axis=1)


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
