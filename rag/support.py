"""Whether the passages support an answer at all: a calibrated probability.

training/calibrate_support.py fits the weights and prints the curve of rejection against
over-refusal; a bias puts the operating point at a probability of one half.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rag.addressed import addresses_the_bot
from rag.cues import asks, lacks_quantity
from rag.fold import fold
from rag.metadata_questions import asks_link_of_cited, names_articles
from rag.pointers import points, tells
from rag.question import is_bare
from rag.read import Sentence
from rag.retrieve import Retrieval
from rag.sections import asks_for_section
from rag.word_reader import WordSentence

FEATURES = (
    "cosine",
    "cosine lead",
    "fused",
    "fused lead",
    "passage says",
    "best passage says",
    "network",
    "quantity missing",
    "network, of the best sentence's passage",
    "lead",
    "first passage",
    "asks why",
    "a name unknown, among few passages",
)
_COUNTED_IN = 4  # sentences
# Passages. Whoever asks a few articles about a name that they lack asks about something else; in a
# large collection passages often leave out the name of what they are about.
_FEW = 300
# Log-odds. Among many passages one always resembles the question: there it takes more to answer.
_AMONG_MANY = 1.0
# What is said to the bot, or names no subject, is not asked of the articles, whatever words they
# share.
_ASIDE = 0.3
# Log-odds: metadata that holds what a question about an article asks for does answer it.
_METADATA = 2.5
# Log-odds: so does a passage of the section that a question names and says no more.
_SECTION = 4.0


@dataclass(frozen=True, slots=True)
class Support:
    """A logistic model over both legs' scores and what the reader says; weights as FEATURES.

    `linear` and its bias serve where no network read a passage; they weigh only what both legs say.
    """

    weights: tuple[float, ...] = (
        *(1.24, 0.15, 4.22, 1.02, 0.57, -0.49, 0.37, -0.21),
        *(1.62, 0.34, 1.04, 0.13, -0.86),
    )
    bias: float = -2.34
    linear: tuple[float, ...] = (4.78, 0.85, 2.9, 2.44, *(0.0,) * 9)
    linear_bias: float = -2.84

    def probability(self, retrieval: Retrieval, ranked: Sequence[Sentence]) -> float:
        """The probability, 0 to 1, that the passages answer the question."""
        if not ranked or not retrieval.hits:
            return 0.0
        read = bool(_readings(ranked))
        weights, bias = (self.weights, self.bias) if read else (self.linear, self.linear_bias)
        values = features(retrieval, ranked)
        logit = bias + sum(w * v for w, v in zip(weights, values, strict=True))
        logit -= read * among_many(retrieval.among)
        question = fold(retrieval.searched)
        logit += _METADATA * _told_by_metadata(question, ranked[0])
        first = retrieval.hits[0]
        logit += _SECTION * asks_for_section(question, first.article, first.passage)
        found = 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))
        # An aside that is as likely none changes nothing, a certain one is never answered.
        found *= 2 * (1 - max(0.5, retrieval.aside))
        aside = addresses_the_bot(question) or is_bare(retrieval.searched)
        return _ASIDE * found if aside else found


def among_many(passages: int) -> float:
    """The log-odds that are taken off where so many passages were searched, 0 to _AMONG_MANY."""
    return _AMONG_MANY * (1 - math.exp(-passages / _FEW))


def features(retrieval: Retrieval, ranked: Sequence[Sentence]) -> tuple[float, ...]:
    """See FEATURES; about -1 to 1, the network's to 2. What no reader says is 0."""
    hits, asked = retrieval.hits, fold(retrieval.searched)
    cosines = [hit.dense or 0.0 for hit in hits]
    worded = [s for s in ranked if isinstance(s, WordSentence)]
    says = [s.says for s in worded] or [0.0]
    read = _readings(ranked)
    # Nothing was learnt of lines of metadata, which no network reads.
    best = worded[0] if worded and worded[0].hit.passage.kind == "body" else None
    return (
        max(cosines),
        max(cosines) - sum(cosines) / len(cosines),
        hits[0].score,
        hits[0].score - (hits[1].score if len(hits) > 1 else 0.0),
        _bounded(says[0]),
        _bounded(max(says)),
        math.log(sum(map(math.exp, read.values()))) / 4 if read else 0.0,
        float(lacks_quantity(asked, (fold(s.text) for s in ranked[:_COUNTED_IN]))),
        (best.read or 0.0) / 4 if best else 0.0,
        _bounded(ranked[0].score - ranked[1].score) if len(ranked) > 1 else 0.0,
        float(ranked[0].hit.passage.id == hits[0].passage.id),
        float("why" in asks(asked)),
        bool(retrieval.unknown) * math.exp(-retrieval.among / _FEW),
    )


def _readings(ranked: Sequence[Sentence]) -> dict[str, float]:
    """What a network says of each passage that it read, by the passage's id."""
    return {
        s.hit.passage.id: s.read
        for s in ranked
        if isinstance(s, WordSentence) and s.read is not None
    }


def _told_by_metadata(folded_question: str, best: Sentence) -> bool:
    if asks_link_of_cited(folded_question):
        return points(best) and tells(best, folded_question)
    if best.hit.passage.kind != "metadata" or not names_articles(folded_question):
        return False
    return tells(best, folded_question)


def _bounded(log_odds: float) -> float:
    """Between -1 and 1: a reader that is very sure should not outvote all else."""
    return math.tanh(log_odds / 4)
