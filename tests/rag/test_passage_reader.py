"""The default reader: question and passage read together by a small network."""

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import opencc
import pytest

from rag import embed
from rag.passage_reader import (
    LIMIT,
    QUESTION,
    READ,
    SHIPPED,
    UNREAD,
    WINDOWS,
    Network,
    Pair,
    PassageReader,
    paired,
    sentence_scores,
    windows,
)
from rag.ranker import LEAD
from rag.wordpieces import END, START, WordPieces
from tests.rag.test_word_reader import CAKE, RIVER, WHY, hits_of

REPOSITORY = Path(__file__).resolve().parents[2]
ALIKE = "這家店旁邊有一間書局，再過去是郵局和一排老榕樹。"


@pytest.fixture(scope="module")
def reader() -> PassageReader:
    return PassageReader()


@pytest.fixture(scope="module")
def cutter() -> WordPieces:
    return WordPieces((embed.SHIPPED / "vocab.txt").read_text(encoding="utf-8").splitlines())


def says(reader: PassageReader, question: str, text: str) -> float:
    said = reader.read(question, *hits_of(text))[0].read
    assert said is not None
    return said


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (WHY, "他因為腰受了傷"),
        ("麵包店哪一年開的？", "一九八七年"),
        ("一天賣掉幾個菠蘿麵包", "四百個"),
    ],
    ids=["why", "when", "how many"],
)
def test_the_answering_sentence_comes_first(
    reader: PassageReader, question: str, answer: str
) -> None:
    hits, index = hits_of(CAKE)

    best = reader.read(question, hits, index)[0]

    assert answer in best.text


@pytest.mark.parametrize(
    ("question", "text"),
    [(WHY, CAKE), ("這條河有多長？", RIVER), ("什么时候会淹水", RIVER)],
    ids=["why", "how long", "when"],
)
def test_a_passage_that_answers_says_more_than_one_on_something_else(
    reader: PassageReader, question: str, text: str
) -> None:
    other = RIVER if text is CAKE else CAKE

    assert says(reader, question, text) > says(reader, question, other)


def test_a_passage_is_as_relevant_as_it_says(reader: PassageReader) -> None:
    hits, _ = hits_of(CAKE, RIVER)

    assert reader.relevance(WHY, hits) == [says(reader, WHY, text) for text in (CAKE, RIVER)]


def test_what_was_just_read_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, runs = PassageReader(), list[object]()
    whole = Network._run
    monkeypatch.setattr(Network, "_run", lambda self, pair: runs.append(pair) or whole(self, pair))
    hits, index = hits_of(CAKE, RIVER)

    relevant = reader.relevance(WHY, hits)
    ranked = reader.read(WHY, hits, index)
    reader.read("這條河有多長？", hits, index)

    assert len(runs) == 4  # two passages, two questions
    assert {s.read for s in ranked} == set(relevant)


def test_a_passage_without_the_fact_says_less_than_the_one_with_it(reader: PassageReader) -> None:
    question = "這家麵包店在哪一年開張？"

    with_it = says(reader, question, CAKE)
    without = says(reader, question, CAKE.replace("一九八七年在台南", "在台南"))

    assert with_it > without


def test_both_scripts_are_read_alike(reader: PassageReader) -> None:
    hits, index = hits_of(CAKE)
    simplified = opencc.OpenCC("t2s").convert(WHY)

    here, there = (reader.read(question, hits, index) for question in (WHY, simplified))

    assert [(s.start, s.score) for s in here] == [(s.start, s.score) for s in there]


def test_only_the_best_passages_are_read(reader: PassageReader) -> None:
    hits, index = hits_of(*[RIVER] * READ, CAKE)

    found = reader.read(WHY, hits, index)

    assert {s.hit.passage.id for s in found} == {hit.passage.id for hit in hits[:READ]}


def test_a_passage_far_behind_the_first_is_not_read(reader: PassageReader) -> None:
    (first, second), index = hits_of(RIVER, CAKE)
    leading, behind = replace(first, score=0.9), replace(second, score=0.9 - LEAD)

    read = {s.hit.passage.id for s in reader.read(WHY, [leading, behind], index)}
    farther = replace(behind, score=0.89 - LEAD)
    alone = {s.hit.passage.id for s in reader.read(WHY, [leading, farther], index)}

    assert read == {first.passage.id, second.passage.id}
    assert alone == {first.passage.id}


def test_a_text_is_not_far_behind_because_metadata_leads(reader: PassageReader) -> None:
    (first, second), index = hits_of(RIVER, CAKE)
    lines = replace(first, score=2.0, passage=replace(first.passage, kind="metadata"))

    found = reader.read(WHY, [lines, second], index)

    assert {s.hit.passage.id for s in found if s.read is not None} == {second.passage.id}


def test_metadata_is_left_to_the_words(reader: PassageReader) -> None:
    hits, index = hits_of(CAKE)
    lines = replace(hits[0], passage=replace(hits[0].passage, kind="metadata"))

    found = reader.read(WHY, [lines], index)

    assert found
    assert [sentence.read for sentence in found] == [None] * len(found)


def test_nothing_found_is_nothing_read(reader: PassageReader) -> None:
    _, index = hits_of(CAKE)

    assert reader.read(WHY, [], index) == []


@pytest.mark.parametrize(
    "text", ["。", "!!!???", "😀" * 400, "字" * 5000, "a" * 5000, "\u200b", "一。" * 900]
)
def test_any_passage_can_be_read(reader: PassageReader, text: str) -> None:
    hits, index = hits_of(text)

    found = reader.read(WHY, hits, index)

    assert all(sentence.score == sentence.score for sentence in found)


def test_a_long_question_is_read_to_its_end(cutter: WordPieces) -> None:
    asked = cutter.ids("河" * 200 + "几个面包")

    pair = paired(cutter, asked, [[7, 8]])

    assert pair.ids[1 : pair.ids.index(cutter.end)] == asked[-QUESTION:]


def test_a_long_passage_is_cut_and_its_last_sentences_have_no_tokens(cutter: WordPieces) -> None:
    pair = paired(cutter, [5], [[7] * 200, [8] * 200, [9] * 200])

    assert len(pair.ids) == LIMIT
    assert [end - begin for begin, end in pair.spans] == [200, LIMIT - 1 - 203, 0]


def test_a_passage_too_long_to_be_read_at_once_is_read_to_its_end(reader: PassageReader) -> None:
    filler = ALIKE * 20
    hits, index = hits_of(f"{filler}{CAKE}", RIVER)

    best = reader.read("一天賣掉幾個菠蘿麵包", hits, index)[0]

    assert "四百個" in best.text
    assert says(reader, WHY, f"{filler}{CAKE}") > says(reader, WHY, filler)


def test_chances_of_a_passage_read_in_windows_add_up_to_one() -> None:
    reading = Network(SHIPPED).read(WHY, "這家店旁邊有一間書局，再過去是郵局。" * 30 + CAKE)

    assert sum(math.exp(chance) for chance in reading.chances) == pytest.approx(1, abs=1e-4)
    assert len(reading.chances) == len(reading.spans)


def counted(monkeypatch: pytest.MonkeyPatch) -> tuple[Network, list[Pair]]:
    network, runs = Network(SHIPPED), list[Pair]()
    run = network._run
    monkeypatch.setattr(network, "_run", lambda pair: runs.append(pair) or run(pair))
    return network, runs


def test_where_two_sentences_are_as_likely_a_passage_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, runs = counted(monkeypatch)

    reading = network.read("這家店旁邊有什麼？", ALIKE * 12)

    whole, *windows_of_it = [len(pair.ids) for pair in runs]
    assert len(windows_of_it) == 2
    assert max(windows_of_it) < whole
    assert sum(math.exp(chance) for chance in reading.chances) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("一天賣掉幾個菠蘿麵包", f"{CAKE}{ALIKE * 6}"),
        ("這家店旁邊有什麼？", ALIKE * 5),
        (WHY, ALIKE * 12),
    ],
    ids=["sure", "short", "no answer"],
)
def test_any_other_passage_is_read_once(
    monkeypatch: pytest.MonkeyPatch, question: str, text: str
) -> None:
    network, runs = counted(monkeypatch)

    network.read(question, text)

    assert len(runs) == 1


def test_of_an_endless_passage_only_so_much_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    network, runs = counted(monkeypatch)

    reading = network.read(WHY, ALIKE * 1_000)

    assert len(runs) == WINDOWS
    assert reading.chances[-1] == UNREAD


@pytest.mark.parametrize(
    ("lengths", "found"),
    [
        ([], [(0, 0)]),
        ([5, 5], [(0, 2)]),
        ([4, 4, 4], [(0, 2), (2, 3)]),
        ([6, 6, 6], [(0, 1), (1, 2), (2, 3)]),
        ([2, 30, 2], [(0, 1), (1, 2), (2, 3)]),
        ([0, 0, 0], [(0, 3)]),
    ],
    ids=["nothing", "short", "even halves", "one each", "a sentence too long", "no tokens"],
)
def test_windows_hold_whole_sentences(lengths: list[int], found: list[tuple[int, int]]) -> None:
    assert [(w.start, w.stop) for w in windows(lengths, 10)] == found


def test_words_that_both_have_are_marked(cutter: WordPieces) -> None:
    asked, passage = cutter.ids("河里有鱼吗"), cutter.ids("鱼在河流里")
    begin = len(asked) + 2

    pair = paired(cutter, asked, [passage])

    kinds = list(zip((cutter.tokens[number] for number in pair.ids), pair.types, strict=True))
    assert kinds[0] == (START, 0)
    assert ("有", 0) in kinds[:begin]
    assert ("鱼", 2) in kinds[:begin]
    assert ("河", 2) in kinds[:begin]
    assert kinds[begin - 1] == (END, 0)
    assert ("鱼", 3) in kinds[begin:]
    assert ("里", 3) in kinds[begin:]
    assert ("河流", 1) in kinds[begin:]
    assert kinds[-1] == (END, 1)


def test_letters_inside_another_word_are_not_the_same_word(cutter: WordPieces) -> None:
    pair = paired(cutter, cutter.ids("art"), [cutter.ids("party")])

    assert max(pair.types) == 1


def test_a_sentence_says_what_its_weightiest_tokens_say() -> None:
    import numpy as np

    columns = np.array([[0, 0, 0], [9, 2, 0], [0, -5, 0], [0, 1, 0], [0, 3, 0]], np.float32)

    first, second, third = sentence_scores(columns, [(1, 3), (3, 5), (5, 5)])

    assert first == pytest.approx(2, abs=0.01)
    assert second == pytest.approx(2)
    assert third == -10


def test_threads_share_one_reader() -> None:
    fresh = PassageReader()
    hits, index = hits_of(CAKE, RIVER)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: fresh.read(WHY, hits, index)[0].score, range(16)))

    assert found == pytest.approx([found[0]] * 16, abs=1e-4)


def test_reading_imports_no_torch() -> None:
    program = (
        "import sys\n"
        "from tests.rag.test_passage_reader import CAKE, WHY, PassageReader, hits_of\n"
        "PassageReader().read(WHY, *hits_of(CAKE))\n"
        "sys.exit('torch' in sys.modules or 'sentence_transformers' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY).returncode == 0


def test_all_models_together_take_at_most_60_mb() -> None:
    files = [path for path in SHIPPED.parent.rglob("*") if path.is_file()]

    assert sum(path.stat().st_size for path in files) <= 60_000_000
