"""Whether the passages support an answer: the probability, and what it is made of."""

import math
from dataclasses import replace

import opencc
import pytest

from rag.passage_reader import PassageReader
from rag.read import LinearReader, Sentence
from rag.retrieve import Retrieval
from rag.support import FEATURES, Support, among_many, features
from rag.word_reader import WordReader, WordSentence
from tests.rag.test_word_reader import CAKE, RIVER, WHY, hits_of


def retrieval_of(*scores: tuple[float, float]) -> Retrieval:
    """Hits with these fused scores and cosines, best first."""
    hits, _ = hits_of(*[CAKE] * len(scores))
    found = [replace(h, score=s, dense=d) for h, (s, d) in zip(hits, scores, strict=True)]
    return Retrieval(WHY, tuple(found))


def sentence_of(retrieval: Retrieval, place: int, says: float) -> WordSentence:
    return WordSentence(retrieval.hits[place], 0, 5, 1.0, says)


def only(feature: str, weight: float) -> tuple[float, ...]:
    """Weights of which one counts."""
    return tuple(weight * (name == feature) for name in FEATURES)


def test_features_are_what_their_names_say() -> None:
    retrieval = retrieval_of((0.6, 0.5), (0.4, 0.7))
    ranked = [sentence_of(retrieval, 0, -4 * math.atanh(0.5)), sentence_of(retrieval, 1, 0.0)]

    values = dict(zip(FEATURES, features(retrieval, ranked), strict=True))

    assert values["cosine"] == pytest.approx(0.7)
    assert values["cosine lead"] == pytest.approx(0.1)
    assert values["fused"] == pytest.approx(0.6)
    assert values["fused lead"] == pytest.approx(0.2)
    assert values["passage says"] == pytest.approx(-0.5)
    assert values["best passage says"] == 0
    assert values["network"] == values["quantity missing"] == 0


def test_what_a_network_read_is_counted_once_a_passage() -> None:
    retrieval = retrieval_of((0.6, 0.5), (0.4, 0.7))
    ranked = [
        replace(sentence_of(retrieval, place, 0.0), start=start, read=math.log(3.0 + place))
        for place in (0, 1)
        for start in (0, 1)
    ]

    values = dict(zip(FEATURES, features(retrieval, ranked), strict=True))

    assert values["network"] == pytest.approx(math.log(3 + 4) / 4)


def test_the_best_sentence_is_looked_at() -> None:
    retrieval = replace(retrieval_of((0.6, 0.5), (0.4, 0.7)), searched="老闆為什麼改行？")
    best = replace(sentence_of(retrieval, 1, 0.0), read=2.0)
    second = replace(sentence_of(retrieval, 0, 0.0), score=1.0 - 4 * math.atanh(0.25))

    values = dict(zip(FEATURES, features(retrieval, [best, second]), strict=True))

    assert values["network, of the best sentence's passage"] == 0.5
    assert values["lead"] == pytest.approx(0.25)
    assert values["first passage"] == 0
    assert values["asks why"] == 1


def test_among_many_passages_it_takes_more_to_answer() -> None:
    retrieval, support = retrieval_of((0.6, 0.5)), Support(weights=only("cosine", 0.0), bias=0.0)
    ranked = [replace(sentence_of(retrieval, 0, 0.0), read=0.0)]
    plain = [Sentence(retrieval.hits[0], 0, 5, 1.0)]
    few, some, many = (replace(retrieval, among=n) for n in (0, 300, 100_000))

    found = [support.probability(each, ranked) for each in (few, some, many)]

    assert found[0] == 0.5
    assert found == sorted(found, reverse=True)
    assert found[2] == pytest.approx(1 / (1 + math.exp(among_many(100_000))))
    # Nothing was learnt of readers that say nothing of a whole passage.
    assert support.probability(many, plain) == support.probability(few, plain)


def test_a_name_that_no_passage_knows_is_looked_at() -> None:
    retrieval = retrieval_of((0.6, 0.5))
    ranked = [sentence_of(retrieval, 0, 0.0)]

    unknown = replace(retrieval, unknown=("mongo",), among=30)
    far = replace(unknown, among=3000)
    values = [
        dict(zip(FEATURES, features(found, ranked), strict=True))[
            "a name unknown, among few passages"
        ]
        for found in (retrieval, unknown, far)
    ]

    assert values == pytest.approx([0, math.exp(-0.1), math.exp(-10)])


def test_the_probability_is_the_logistic_of_the_weighted_sum() -> None:
    retrieval = retrieval_of((0.6, 0.5))
    support = Support(weights=only("fused", 5), bias=-2)

    chance = support.probability(retrieval, [replace(sentence_of(retrieval, 0, 0.0), read=0.0)])

    assert chance == pytest.approx(1 / (1 + math.exp(-1)))


def test_where_no_network_read_only_both_legs_count() -> None:
    retrieval = retrieval_of((0.6, 0.5))
    support = Support(weights=only("passage says", 9.0), linear=only("fused", 5), linear_bias=-2)

    for says in (-3.0, 3.0):
        chance = support.probability(retrieval, [sentence_of(retrieval, 0, says)])

        assert chance == pytest.approx(1 / (1 + math.exp(-1)))


def test_a_reader_that_says_nothing_of_passages_has_its_own_weights() -> None:
    retrieval = retrieval_of((0.6, 0.5))
    support = Support(linear=only("cosine lead", 2), linear_bias=0)

    chance = support.probability(retrieval, [Sentence(retrieval.hits[0], 0, 5, 1.0)])

    assert chance == pytest.approx(0.5)


def test_without_passages_or_sentences_there_is_no_support() -> None:
    retrieval = retrieval_of((0.6, 0.5))

    assert Support().probability(Retrieval(WHY, ()), []) == 0
    assert Support().probability(retrieval, []) == 0


def test_a_passage_that_no_vector_found_counts_as_far_away() -> None:
    retrieval = retrieval_of((0.6, 0.0))
    unseen = Retrieval(WHY, (replace(retrieval.hits[0], dense=None),))

    ranked = [sentence_of(retrieval, 0, 0.0)]

    assert features(unseen, ranked) == features(retrieval, ranked)


@pytest.mark.parametrize(
    "reader", [PassageReader(), WordReader(), LinearReader()], ids=["passages", "words", "linear"]
)
def test_a_question_about_something_else_has_less_support(
    reader: WordReader | LinearReader,
) -> None:
    hits, index = hits_of(CAKE, RIVER)
    near = Retrieval(WHY, tuple(replace(h, dense=0.7, score=0.6) for h in hits))
    other = "火星上有幾座火山？"
    far = Retrieval(other, tuple(replace(h, dense=0.2, score=0.1) for h in hits))

    here = Support().probability(near, reader.read(WHY, near.hits, index))
    nowhere = Support().probability(far, reader.read(other, far.hits, index))

    assert nowhere < 0.3 < here - 0.2


def test_both_scripts_have_the_same_support() -> None:
    hits, index = hits_of(CAKE, RIVER)
    simplified = opencc.OpenCC("t2s").convert(WHY)
    reader = WordReader()

    chances = [
        Support().probability(Retrieval(asked, tuple(hits)), reader.read(asked, hits, index))
        for asked in (WHY, simplified)
    ]

    assert chances[0] == pytest.approx(chances[1], abs=1e-6)
