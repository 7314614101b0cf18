"""How well a question is answered that leans on the one before it; and one that does not.

python -m training.measure_follow_ups --shared DIR --work DIR [--every N] [--half 0|1]

Of two questions about one paragraph that both name its subject the first is asked before, and in
the second a pronoun takes the subject's place, or nothing does. Beside them the same questions
whole, whole ones after a question about another paragraph, and shortened ones after a question
about another subject, which nothing answers. `--half` takes the paragraphs of one half: what was
tuned was tuned on half 1.
"""

import argparse
import random
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rag.answer import Answerer
from rag.build import load_reader
from rag.embed import load_embedder
from rag.evaluate import best_holds, cited_holds, throwaway
from rag.evaluation import Row, read_rows
from rag.generation import Generation
from rag.retrieve import Retriever
from rag.settings import Settings
from rag.support import Support

SETS = ("cmrc2018_dev", "drcd_dev")
PRONOUNS = ("它", "他", "这个")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question after others; `passage` is empty where nothing answers it."""

    passage: str
    earlier: tuple[str, ...]
    question: str
    answers: tuple[str, ...]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--shared", type=Path, required=True)
    arguments.add_argument("--work", type=Path, required=True)
    arguments.add_argument("--every", type=int, default=1, help="take every N-th question only")
    arguments.add_argument("--half", type=int, choices=(0, 1), help="of the paragraphs")
    options = arguments.parse_args()
    embedder = load_embedder()
    reader = load_reader("")
    retriever = Retriever(embedder, reader=reader)
    answerer = Answerer(reader, Support(), Settings().support)
    print(
        "| set | questions | first | best sentence | cited | refused |\n|---|---|---|---|---|---|"
    )
    for name in SETS:
        passages = read_rows(options.shared / "eval" / f"{name}.passages.jsonl", "id", "text")
        asked = read_rows(options.shared / "eval" / f"{name}.questions.jsonl", "question")
        with throwaway(passages, embedder, options.work / "embeddings.sqlite") as generation:
            for kind, rows in kinds(passages, asked, options.half).items():
                taken = rows[:: options.every]
                told = [answered(generation, retriever, answerer, row) for row in taken]
                shares = " | ".join(f"{sum(t) / len(told):.3f}" for t in zip(*told, strict=True))
                print(f"| {name}, {kind} | {len(told)} | {shares} |", flush=True)


def kinds(
    passages: Sequence[Row], asked: Sequence[Row], half: int | None
) -> dict[str, list[Asked]]:
    """The four kinds of questions, in the same order."""
    follow_ups, whole = [], []
    for follow_up, full in pairs(passages, asked, half):
        follow_ups.append(follow_up)
        whole.append(full)
    chance = random.Random(5)
    others = [chance.choice(follow_ups) for _ in follow_ups]
    return {
        "whole": whole,
        "follow-up": follow_ups,
        "whole, after another subject": [
            replace(full, earlier=other.earlier)
            for full, other in zip(whole, others, strict=True)
            if full.passage != other.passage
        ],
        "follow-up, after another subject": [
            replace(row, passage="", earlier=other.earlier, answers=())
            for row, other in zip(follow_ups, others, strict=True)
            if row.passage != other.passage
        ],
    }


def pairs(
    passages: Sequence[Row], asked: Sequence[Row], half: int | None
) -> Iterator[tuple[Asked, Asked]]:
    """Two questions about each paragraph: the second shortened after the first, and whole."""
    about: dict[str, list[Row]] = defaultdict(list)
    for row in asked:
        about[row["passage_id"]].append(row)
    for passage in passages:
        name = re.sub(r"[(（].*", "", passage.get("title") or "").strip("《》「」 ")
        naming = [row for row in about[passage["id"]] if name in row["question"]]
        number = zlib.crc32(passage["id"].encode())
        if len(name) < 2 or len(naming) < 2 or half not in (None, number % 2):
            continue
        first, second = random.Random(number).sample(naming, 2)
        question = shortened(second["question"], name, number // 2)
        if name not in question:
            follow_up = Asked(
                passage["id"], (first["question"],), question, tuple(second["answers"])
            )
            yield follow_up, replace(follow_up, earlier=(), question=second["question"])


def shortened(question: str, name: str, number: int) -> str:
    """The question with a pronoun, 那 or nothing in place of a name; `number` decides which."""
    named = re.compile(f"[《「“]?{re.escape(name)}[》」”]?")
    pronoun = PRONOUNS[number % len(PRONOUNS)]
    at = named.match(question)
    if at and number % 4 < 2:
        rest = question[at.end() :].removeprefix("的")
        return named.sub(pronoun, rest if number % 4 else f"那{rest}")
    return named.sub(pronoun, question)


def answered(
    generation: Generation, retriever: Retriever, answerer: Answerer, row: Asked
) -> tuple[bool, bool, bool, bool]:
    """The passage first, the answer in the best sentence, in what is cited; refused."""
    found = retriever.retrieve(generation, row.question, row.earlier)
    draft = answerer.answer(generation, found, "hans")
    return (
        found.hits[0].article.id == row.passage,
        best_holds(draft, row.answers),
        cited_holds(draft, row.answers),
        draft.status == "refused",
    )


if __name__ == "__main__":
    main()
