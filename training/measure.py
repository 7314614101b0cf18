"""How often the dense leg alone finds the passage that answers, on the held-out sets.

python -m training.measure --shared DIR --model FOLDER
"""

import argparse
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.fold import fold
from training.texts import lines

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def main() -> None:
    from rag.embed import ShippedModel

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--shared", type=Path, required=True)
    arguments.add_argument("--model", type=Path, required=True)
    options = arguments.parse_args()
    model = ShippedModel(options.model)
    print(json.dumps(measure(options.shared, model.embed_passages), indent=1))


def measure(shared: Path, encode: Encode, share: int = 1) -> dict[str, float]:
    """All figures; `share` 4 asks every fourth DRCD and CMRC2018 question only."""
    found = colloquial(shared / "eval", encode)
    for name in ("drcd_dev", "cmrc2018_dev"):
        found |= pairs(shared / "eval", name, encode, share)
    return found | seeds(shared, encode)


def colloquial(folder: Path, encode: Encode) -> dict[str, float]:
    """300 questions over 1,500 passages: first and in five, all and English."""
    passages = list(lines(folder / "colloquial.passages.jsonl"))
    questions = list(lines(folder / "colloquial_dev.questions.jsonl"))
    places = _places(passages, questions, encode)
    english = np.array([row["variant"] == "en" for row in questions])
    return {
        "colloquial@1": float((places < 1).mean()),
        "colloquial@5": float((places < 5).mean()),
        "colloquial_mrr": float((1 / (1 + places)).mean()),
        "english@1": float((places[english] < 1).mean()),
        "english@5": float((places[english] < 5).mean()),
    }


def pairs(folder: Path, name: str, encode: Encode, share: int) -> dict[str, float]:
    """DRCD or CMRC2018: first."""
    passages = list(lines(folder / f"{name}.passages.jsonl"))
    questions = list(lines(folder / f"{name}.questions.jsonl"))[::share]
    return {f"{name}@1": float((_places(passages, questions, encode) < 1).mean())}


def seeds(shared: Path, encode: Encode) -> dict[str, float]:
    """40 members' questions over the paragraphs of the two articles."""
    paragraphs = [
        _plain(part)
        for path in sorted((shared / "seeds").glob("*.txt"))
        for part in re.split(r"\n\s*\n", path.read_text(encoding="utf-8"))
        if len(_plain(part)) >= 12
    ]
    rows = [
        row for row in lines(shared / "eval" / "dev_questions.jsonl") if row["article"] != "none"
    ]
    wanted = [
        {i for i, text in enumerate(paragraphs) if any(_plain(q) in text for q in _quotes(row))}
        for row in rows
    ]
    kept = [place for place, gold in enumerate(wanted) if gold]
    questions = [" ".join([*rows[place]["history"], rows[place]["question"]]) for place in kept]
    scores = encode(questions) @ encode(paragraphs).T
    order = np.argsort(-scores, axis=1)
    first = [
        next(i for i, passage in enumerate(row) if passage in wanted[place])
        for row, place in zip(order, kept, strict=True)
    ]
    found = np.array(first)
    return {
        "seeds_questions": float(len(kept)),
        "seeds@1": float((found < 1).mean()),
        "seeds@5": float((found < 5).mean()),
        "seeds_mrr": float((1 / (1 + found)).mean()),
    }


def _quotes(row: dict[str, list[str]]) -> list[str]:
    groups: list[str] = [q for group in row.get("gold_groups", []) for q in group]
    return [*row["gold_quotes"], *groups]


def _plain(text: str) -> str:
    return re.sub(r"[\s*_`>#]+", "", fold(text))


def _places(
    passages: list[dict[str, str]], questions: list[dict[str, str]], encode: Encode
) -> NDArray[np.int64]:
    """The place of each question's passage among all, 0 is first."""
    numbers = {row["id"]: place for place, row in enumerate(passages)}
    gold = np.array([numbers[row["passage_id"]] for row in questions])
    rows = encode([row["text"] for row in passages])
    scores = encode([row["question"] for row in questions]) @ rows.T
    best = scores[np.arange(len(gold)), gold]
    places: NDArray[np.int64] = (scores > best[:, None]).sum(axis=1)
    return places


if __name__ == "__main__":
    main()
