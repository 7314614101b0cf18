"""True and false claims made from questions whose answers are known, for honest and lying models.

`python -m tests.llm_claims [MOST [SET...]]` prints how many of each the grounding lets through:
over DRCD, CMRC2018 and RGB in ../shared: MOST questions of each, or all, which takes half an hour.
"""

import gzip
import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.article import Article, Passage
from corpus.split import sentences
from rag.fold import fold
from rag.grounding import Grounding
from rag.reply import Claim, Quote
from rag.result import Hit
from rag.terms import load_terms
from rag.variant import to_variant

_WIDE = str.maketrans("0123456789%", "０１２３４５６７８９％")
_MARKS = str.maketrans("，。、；：“”", ",.,;:「」")
_ASKED = re.compile(
    r"哪[一個个些位名座種种類类項项年月日天地區区裡里兒儿國国家市省]{0,3}|什[麼么]|甚麼|何[時时地處处人事物種种]|誰|谁|多少|幾[年月日個名位歲人]?|几[年月日个名位岁人]?"
)
_NEGATED = re.compile(r"不(?=[是會会能再被可想願愿應应])|沒有|没有|未(?=[曾能被])|無法|无法")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Gold:
    """A question, an answer to it, and the passages given; the first holds the answer."""

    question: str
    answer: str
    passages: tuple[str, ...]
    sentence: str

    def hits(self) -> list[Hit]:
        return [_hit(n, text) for n, text in enumerate(self.passages)]

    @property
    def kind(self) -> str:
        """The questioning word, so that answers are exchanged for answers of their kind."""
        match = _ASKED.search(self.question)
        return fold(match.group()) if match else "?"


@dataclass(frozen=True)
class Case:
    """A claim, how it was made, and what it was made from."""

    kind: str
    claim: Claim
    gold: Gold


def gold_of(questions: Sequence[Mapping[str, Any]], texts: Mapping[str, str]) -> list[Gold]:
    """Questions of DRCD or CMRC2018 whose answer stands in one sentence of their passage."""
    ids = list(texts)
    place = {ident: n for n, ident in enumerate(ids)}
    found = []
    for row in questions:
        ident, answer = row["passage_id"], row["answers"][0]
        sentence = _holding(texts[ident], answer)
        if sentence is not None:
            others = [ids[(place[ident] + n) % len(ids)] for n in range(1, 5)]
            passages = tuple(texts[i] for i in (ident, *others))
            found.append(Gold(row["question"], answer, passages, sentence))
    return found


def gold_of_rgb(rows: Sequence[Mapping[str, Any]]) -> list[Gold]:
    """RGB questions with the documents that answer them."""
    found = []
    for row in rows:
        for answer in _flat(row["answers"]):
            holding = [text for text in row["positive"] if _holding(text, answer)]
            if holding:
                rest = [text for text in row["positive"] if text not in holding]
                sentence = _holding(holding[0], answer)
                assert sentence is not None
                passages = tuple([*holding, *rest][:5])
                found.append(Gold(row["question"], answer, passages, sentence))
                break
    return found


def _flat(answers: Sequence[Any]) -> list[str]:
    """RGB's answers: alternatives, some of them lists of alternatives."""
    return [a for answer in answers for a in (answer if isinstance(answer, list) else [answer])]


def honest_claims(gold: Gold, seed: int = 1) -> Iterator[Case]:
    """What an honest model would say: the sentence in another dress, a clause, a statement."""
    chance = random.Random(f"{seed}{gold.question}{gold.answer}")
    flat = " ".join(gold.sentence.split())
    quote = (Quote((1,), flat),)
    other = to_variant(flat, chance.choice(["hant", "hans"]))
    yield Case("sentence, other script", Claim(other, quote), gold)
    yield Case("quote in other script", Claim(flat, (Quote((1,), other),)), gold)
    dressed = (
        re.sub(r"(?<![a-zA-Z0-9]) | (?![a-zA-Z0-9])", "", flat).translate(_WIDE).translate(_MARKS)
    )
    yield Case("width and marks", Claim(dressed, (Quote((1,), dressed),)), gold)
    clause = _clause(flat, gold.answer)
    yield Case("clause", Claim(clause, quote), gold)
    yield Case("clause as quote", Claim(clause, (Quote((1,), clause),)), gold)
    yield Case("bare answer", Claim(f"答案是{gold.answer}。", quote), gold)
    yield Case("wrong number", Claim(flat, (Quote((3,), flat),)), gold)


def stated(gold: Gold) -> Case | None:
    """The question made a statement: its words are the asker's, not the passage's."""
    if len(_ASKED.findall(gold.question)) != 1:
        return None
    answer = gold.answer
    asked = _ASKED.search(gold.question)
    assert asked is not None
    if answer[-1] == gold.question[asked.end() : asked.end() + 1]:
        answer = answer[:-1]  # 幾公里 and 42 公里
    text = _ASKED.sub(answer, gold.question.rstrip("？? "))
    return Case("question as statement", Claim(text, (Quote((1,), gold.sentence),)), gold)


def lies(golds: Sequence[Gold], seed: int = 1) -> Iterator[Case]:
    """What a lying model would say of each: as far as it has what to bend."""
    chance = random.Random(seed)
    by_kind: defaultdict[str, list[Gold]] = defaultdict(list)
    for gold in golds:
        by_kind[gold.kind].append(gold)
    for gold in golds:
        flat = " ".join(gold.sentence.split())
        quote = (Quote((1,), flat),)
        for kind, text in _bent(gold, flat, by_kind, chance):
            yield Case(kind, Claim(text, quote), gold)
        yield from _misquoted(gold, flat, golds, chance)


def _bent(
    gold: Gold, flat: str, by_kind: Mapping[str, Sequence[Gold]], chance: random.Random
) -> Iterator[tuple[str, str]]:
    """False sentences over a true quote."""
    other = _another_answer(gold, by_kind[gold.kind], chance)
    if other:
        yield "other answer", flat.replace(gold.answer, other)
        yield (
            "other answer, other script",
            to_variant(flat.replace(gold.answer, other), chance.choice(["hant", "hans"])),
        )
        clause = _clause(flat, gold.answer)
        yield "other answer, clause", clause.replace(gold.answer, other)
        yield "other answer, bare", f"答案是{other}。"
        statement = stated(gold)
        if statement:
            yield "other answer, statement", statement.claim.text.replace(gold.answer, other)
    digits = list(_DIGITS.finditer(flat))
    if digits:
        at = chance.choice(digits)
        changed = str(int(at.group()) + chance.choice([1, 2, 10, 100]))
        yield "changed number", flat[: at.start()] + changed + flat[at.end() :]
    negated = list(_NEGATED.finditer(flat))
    if negated:
        at = chance.choice(negated)
        yield "dropped no", flat[: at.start()] + flat[at.end() :]
    verb = re.search(r"(?<=\w)(?=是[^否])", flat)
    if verb:
        yield "added no", flat[: verb.start()] + "不" + flat[verb.start() :]


def _misquoted(
    gold: Gold, flat: str, golds: Sequence[Gold], chance: random.Random
) -> Iterator[Case]:
    stranger = chance.choice(golds)
    if stranger.passages[0] not in gold.passages:
        theirs = " ".join(stranger.sentence.split())
        yield Case("another claim, true quote", Claim(theirs, (Quote((1,), flat),)), gold)
        yield Case("invented quote", Claim(theirs, (Quote((1,), theirs),)), gold)
    spans = [gold.passages[1][a:b] for a, b in sentences(gold.passages[1])]
    if spans:
        elsewhere = (Quote((2,), chance.choice(spans)),)
        if gold.answer not in gold.passages[1]:
            yield Case("quote from another passage", Claim(flat, elsewhere), gold)
    other = _another_answer(gold, golds, chance)
    if other:
        bent = (Quote((1,), flat.replace(gold.answer, other)),)
        yield Case("quote with a word changed", Claim(flat, bent), gold)


def _another_answer(gold: Gold, others: Sequence[Gold], chance: random.Random) -> str | None:
    for _ in range(8):
        other = chance.choice(others).answer
        strange = fold(other) not in fold(" ".join(gold.passages))
        if strange and fold(gold.answer) not in fold(other) and len(other) < 20:
            return other
    return None


def _clause(sentence: str, answer: str) -> str:
    parts = re.split(r"(?<=[，,；;])", sentence)
    return next((part.rstrip("，,；;") for part in parts if answer in part), sentence)


def _holding(text: str, answer: str) -> str | None:
    for start, end in sentences(text):
        if answer in text[start:end] and end - start <= 300:
            return text[start:end]
    return None


def _hit(number: int, text: str) -> Hit:
    article = Article(f"a{number}", f"a{number}.md", "", text)
    return Hit(Passage(f"a{number}#0", article.id, 0, 0, len(text), text), article, 1.0)


def judged(cases: Sequence[Case]) -> Iterator[tuple[Case, str]]:
    """Each case with its verdict; dropped where it says neither carried nor doubtful."""
    terms = load_terms()
    for case in cases:
        grounding = Grounding(case.gold.question, case.gold.hits(), terms)
        yield case, grounding.judge(case.claim).verdict


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def shared_golds(folder: Path) -> dict[str, list[Gold]]:
    """The golds of each set in ../shared/eval."""
    found = {}
    for name in ("drcd_dev", "cmrc2018_dev"):
        texts = {r["id"]: r["text"] for r in read_jsonl(folder / f"{name}.passages.jsonl")}
        found[name] = gold_of(read_jsonl(folder / f"{name}.questions.jsonl"), texts)
    found["rgb"] = gold_of_rgb(read_jsonl(folder / "rgb_zh_a.jsonl.gz"))
    return found


def _print_table(title: str, verdicts: Sequence[tuple[Case, str]], show: str = "") -> None:
    by_kind: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for case, verdict in verdicts:
        by_kind[case.kind][verdict] += 1
    print(f"\n{title}", flush=True)
    for kind, counts in by_kind.items():
        total = sum(counts.values())
        told = ", ".join(f"{v} {n / total:.3f}" for v, n in counts.most_common())
        print(f"  {kind:<28} {total:6}  {told}")
    total = len(verdicts)
    carried = sum(v == "carried" for _, v in verdicts)
    doubtful = sum(v == "doubtful" for _, v in verdicts)
    rest = total - carried - doubtful
    print(f"  all {total}: carried {carried}, doubtful {doubtful}, dropped {rest}")
    shown = [(c, v) for c, v in verdicts if show and (v == "carried") == (show == "carried")]
    for case, verdict in random.Random(0).sample(shown, min(25, len(shown))):
        print(f"   [{case.kind}] {verdict} | {case.claim.text[:120]} | {case.gold.sentence[:150]}")


def main() -> None:
    folder = Path(__file__).resolve().parents[2] / "shared" / "eval"
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    wanted = sys.argv[2:]
    for name, golds in shared_golds(folder).items():
        if wanted and name not in wanted:
            continue
        golds = random.Random(1).sample(golds, min(most, len(golds)))
        honest = [case for gold in golds for case in honest_claims(gold)]
        _print_table(f"{name}: honest", list(judged(honest)), "dropped")
        statements = [case for gold in golds if (case := stated(gold))]
        _print_table(f"{name}: honest, free", list(judged(statements)), "dropped")
        _print_table(f"{name}: lies", list(judged(list(lies(golds)))), "carried")


if __name__ == "__main__":
    main()
