"""Question and passage read together: the shipped reader model, or any cross-encoder by name."""

import hashlib
import json
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.split import sentences
from rag import embed
from rag.errors import BrokenModel, UnknownModel
from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.read import LinearReader, Reader, Sentence
from rag.reading_input import Row, row
from rag.result import Hit
from rag.wordpieces import WordPieces

Values = NDArray[np.float32]

SHIPPED = Path(__file__).parent / "models" / "reader"
_SETTINGS = "youju.json"
# Reading a fourth passage changes nothing on colloquial dev and costs a third more.
_READ = 3
_THREADS = 4
_NOWHERE = -12.0  # log-odds of a sentence that the model has no room for

# One scale for what the model and the linear reader say, fitted on kept-back training questions.
_MODEL, _LINEAR, _UNREAD = 1.0, 0.5, -2.0


@dataclass(frozen=True, slots=True)
class ReadSentence(Sentence):
    """A sentence that a model has read; log-odds that it answers, and that its passage does."""

    says: float = 0.0
    passage_says: float = 0.0


def load_reader(name: str = "") -> Reader:
    """The shipped reader for "", the linear one for "none", otherwise a cross-encoder.

    Raises BrokenModel when the shipped files are damaged, UnknownReader when `name` does not load.
    """
    if not name:
        return TransformerReader()
    if name == "none":
        return LinearReader()
    return PairReader(name)


class TransformerReader:
    """The small reader of this repository; the weights are read at the first question.

    Reads the best three passages whole. The others keep their place by the linear score alone.
    Any number of threads may use one object; torch is never imported.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        self._linear = LinearReader()
        self._model = ReaderModel(folder)

    def read(self, question: str, hits: Sequence[Hit], index: LexicalIndex) -> list[Sentence]:
        """All sentences of the hits, best first; those of the first three are ReadSentences."""
        linear = self._linear.read(question, hits, index)
        read = list(hits[:_READ])
        said = self._model.says(question, [hit.passage.text for hit in read])
        by_span = {
            (hit.passage.id, start): (float(value), float(passage))
            for hit, (values, passage) in zip(read, said, strict=True)
            for (start, _), value in zip(sentences(hit.passage.text), values, strict=True)
        }
        found = [_combined(sentence, by_span) for sentence in linear]
        return sorted(found, key=lambda sentence: -sentence.score)


def _combined(sentence: Sentence, said: dict[tuple[str, int], tuple[float, float]]) -> Sentence:
    hit, start, end = sentence.hit, sentence.start, sentence.end
    found = said.get((hit.passage.id, start))
    if found is None:
        return Sentence(hit, start, end, _LINEAR * sentence.score + _UNREAD)
    score = _MODEL * found[0] + _LINEAR * sentence.score
    return ReadSentence(hit, start, end, score, *found)


class ReaderModel:
    """The network: for each sentence the log-odds that it answers, and for each passage too."""

    def __init__(self, folder: Path = SHIPPED, vocabulary: Path | None = None) -> None:
        self._folder, self._lock = folder, threading.Lock()
        self._vocabulary = vocabulary or embed.SHIPPED / "vocab.txt"
        try:
            settings = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
            self._limit = int(settings["max_tokens"])
            self._likeness = float(settings["likeness"])
            self._bytes = int(settings["bytes"]["model.onnx"])
            self._digest = str(settings["vocabulary"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BrokenModel(folder, f"{_SETTINGS}: {error!r}") from error

    def says(self, question: str, passages: Sequence[str]) -> list[tuple[Values, float]]:
        """For each passage the log-odds of its sentences, shape (sentences,), and its own."""
        asked = fold(question)
        parts = [[fold(p)[a:b] for a, b in sentences(p)] for p in passages]
        windows = [list(_windows(self._cutter, asked, part, self._limit)) for part in parts]
        logits = iter(self._logits([window for found in windows for window in found]))
        return [_log_odds([next(logits) for _ in found]) for found in windows]

    def _logits(self, rows: Sequence[Row]) -> list[Values]:
        """Of each row: "nothing here", then its sentences."""
        if not rows:
            return []
        ids, kinds, mask = (
            np.zeros((len(rows), max(len(r.ids) for r in rows)), np.int32) for _ in range(3)
        )
        for place, line in enumerate(rows):
            size = len(line.ids)
            ids[place, :size], kinds[place, :size], mask[place, :size] = line.ids, line.kinds, 1
        hidden, head = self._session.run(None, {"ids": ids, "kinds": kinds, "mask": mask})
        return [
            self._scores(line, vectors, said)
            for line, vectors, said in zip(rows, hidden, head, strict=True)
        ]

    def _scores(self, line: Row, hidden: Values, head: Values) -> Values:
        found = np.empty(1 + len(line.spans), np.float32)
        found[0] = head[0, 2]
        asked = hidden[slice(*line.asked)].sum(axis=0)
        for place, span in enumerate(line.spans, 1):
            if span[0] == span[1]:
                found[place] = found[0] + _NOWHERE
                continue
            where = slice(*span)
            weights = np.exp(head[where, 0] - head[where, 0].max())
            said = float((weights * head[where, 1]).sum() / weights.sum())
            found[place] = said + self._likeness * _cosine(asked, hidden[where].sum(axis=0))
        return found

    @cached_property
    def _cutter(self) -> WordPieces:
        with self._lock:
            try:
                whole = self._vocabulary.read_bytes()
            except OSError as error:
                raise BrokenModel(self._vocabulary.parent, str(error)) from error
            if hashlib.sha256(whole).hexdigest() != self._digest:
                raise BrokenModel(self._folder, "it was trained with another vocab.txt")
            return WordPieces(whole.decode("utf-8").splitlines())

    @cached_property
    def _session(self) -> Any:
        with self._lock:
            # cached_property has no lock: whoever waited finds the session of who came first.
            return self.__dict__.get("_session") or self._open()

    def _open(self) -> Any:
        path = self._folder / "model.onnx"
        if not path.is_file():
            raise BrokenModel(self._folder, "model.onnx is missing")
        if path.stat().st_size != self._bytes:
            raise BrokenModel(self._folder, f"model.onnx has {path.stat().st_size:,} bytes")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(_THREADS, os.cpu_count() or 1)
        # As in rag.embed: the graph is fused already, and idle threads must not spin.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4
        try:
            return onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own classes, one for each kind of damage
            raise BrokenModel(self._folder, f"model.onnx: {str(error)[:200]}") from error


def _windows(cutter: WordPieces, asked: str, parts: Sequence[str], limit: int) -> Iterable[Row]:
    """Rows of whole sentences that fit; one that is longer than a row is cut."""
    first = 0
    while first < len(parts):
        room = limit - len(row(cutter, asked, [], limit).ids)
        last = first
        while last < len(parts):
            room -= len(cutter.ids(parts[last]))
            if room < 0 and last > first:
                break
            last += 1
        yield row(cutter, asked, parts[first:last], limit)
        first = last


def _log_odds(windows: Sequence[Values]) -> tuple[Values, float]:
    """Each sentence against all else in its window; of a passage its best window's."""
    if not windows:
        return np.zeros(0, np.float32), _NOWHERE
    answered = max(float(np.logaddexp.reduce(w[1:]) - w[0]) for w in windows)
    return np.concatenate([w[1:] - w[0] for w in windows]), answered


def _cosine(one: Values, other: Values) -> float:
    return float(one @ other / max(1e-8, float(np.linalg.norm(one) * np.linalg.norm(other))))


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

    torch is imported when one is made. Reads the best three passages, like the shipped reader.
    """

    def __init__(self, name: str) -> None:
        self._linear, self._lock = LinearReader(), threading.Lock()
        self._model = _cross_encoder(name)

    def read(self, question: str, hits: Sequence[Hit], index: LexicalIndex) -> list[Sentence]:
        """All sentences of the hits, best first; the model's logit where it has read them."""
        linear = self._linear.read(question, hits, index)
        read = {hit.passage.id for hit in hits[:_READ]}
        first = [sentence for sentence in linear if sentence.hit.passage.id in read]
        logits = self._predict([(question, sentence.text) for sentence in first])
        lowest = min(logits, default=0.0)
        scored = [
            Sentence(s.hit, s.start, s.end, logit) for s, logit in zip(first, logits, strict=True)
        ]
        rest = [s for s in linear if s.hit.passage.id not in read]
        top = max((s.score for s in rest), default=0.0)
        scored += [Sentence(s.hit, s.start, s.end, lowest - 1 + s.score - top) for s in rest]
        return sorted(scored, key=lambda sentence: -sentence.score)

    def _predict(self, pairs: list[tuple[str, str]]) -> list[float]:
        if not pairs:
            return []
        from torch.nn import Identity

        with self._lock:  # fast tokenizers refuse two threads at once
            found = self._model.predict(pairs, activation_fn=Identity(), show_progress_bar=False)
        return [float(value) for value in found]


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
