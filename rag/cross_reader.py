"""Which reader: the shipped one, the linear one, or a cross-encoder that reads pairs."""

import os
import threading
from collections.abc import Sequence
from typing import Any

from rag.errors import UnknownModel
from rag.lexical import LexicalIndex
from rag.passage_reader import PassageReader
from rag.read import LinearReader, Reader, Sentence
from rag.result import Hit

# A cross-encoder takes some 20 ms a sentence on a CPU; the rest keep the order of the linear one.
_READ = 3


def load_reader(name: str = "") -> Reader:
    """The shipped reader for "", the linear one for "none", otherwise a CrossEncoder.

    Raises BrokenModel when the shipped files are damaged, UnknownReader when `name` does not load.
    """
    if not name:
        return PassageReader()
    if name == "none":
        return LinearReader()
    return PairReader(name)


class UnknownReader(UnknownModel):
    def __init__(self, name: str, why: str) -> None:
        Exception.__init__(
            self,
            f"The reader {name!r} could not be loaded ({why}): set YOUJU_RERANK_MODEL to a "
            'CrossEncoder\'s name or folder, to "none", or unset it for the default.',
        )
        self.name, self.why = name, why


class PairReader:
    """Any sentence-transformers CrossEncoder that scores (question, sentence) with one number.

    torch is imported when one is made. Reads the three best passages.
    """

    def __init__(self, name: str) -> None:
        self._first, self._lock = LinearReader(), threading.Lock()
        self._model = _cross_encoder(name)

    def read(self, question: str, hits: Sequence[Hit], index: LexicalIndex) -> list[Sentence]:
        """All sentences of the hits, best first; below those that were read come the others."""
        linear = self._first.read(question, hits, index)
        near = {hit.passage.id for hit in hits[:_READ]}
        first = [sentence for sentence in linear if sentence.hit.passage.id in near]
        rest = [sentence for sentence in linear if sentence.hit.passage.id not in near]
        logits = self._predict([(question, sentence.text) for sentence in first])
        read = [_scored(sentence, logit) for sentence, logit in zip(first, logits, strict=True)]
        below = min(logits, default=0.0) - 1 - max((s.score for s in rest), default=0.0)
        read += [_scored(sentence, below + sentence.score) for sentence in rest]
        return sorted(read, key=lambda sentence: -sentence.score)

    def _predict(self, pairs: list[tuple[str, str]]) -> list[float]:
        if not pairs:
            return []
        from torch.nn import Identity

        with self._lock:  # fast tokenizers refuse two threads at once
            found = self._model.predict(pairs, activation_fn=Identity(), show_progress_bar=False)
        return [float(value) for value in found]


def _scored(sentence: Sentence, score: float) -> Sentence:
    return Sentence(sentence.hit, sentence.start, sentence.end, score)


def _cross_encoder(name: str) -> Any:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from sentence_transformers import CrossEncoder

    try:
        model = CrossEncoder(name, local_files_only=True)
    except Exception as error:  # OSError, ValueError, huggingface_hub's and safetensors' own
        why = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise UnknownReader(name, why) from error
    if model.num_labels != 1:
        raise UnknownReader(name, f"it gives {model.num_labels} scores for a pair, not one")
    return model
