"""Golden questions are asked of a staged generation before it may serve.

What serves is asked the same; a staged generation that answers fewer of them rightly, beyond a
tolerance, does not take its place. Questions come from `rag.golden.golden_files`.
"""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.answer import Answerer
from rag.embed import Embedder, load_embedder
from rag.errors import BrokenGeneration, CanaryFell, ConfigurationError
from rag.evaluate_articles import evaluate_articles
from rag.evaluation import Row
from rag.examined import Examined
from rag.generation import Generation
from rag.golden import golden_files
from rag.result import Worse
from rag.retrieve import Retriever

_MOST = 200  # questions asked; of more, every second, third, ...
_FOUND = 5  # the rank by which a gold passage counts as found
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Canary:
    """How questions are answered, and how much worse a new generation may be: a share of them."""

    answerer: Answerer
    embedder: Embedder
    tolerance: float

    def compare(
        self, before: Generation, staged: Generation, questions: Sequence[Row]
    ) -> tuple[Worse, ...]:
        """The questions that got worse; CanaryFell when they are too many.

        Nothing is compared, with a warning, when what serves cannot be asked any more.
        """
        embedder = self._embedder_of(before)
        if embedder is None or not questions:
            return ()
        try:
            old = self._asked(before, embedder, questions)
        except BrokenGeneration as error:
            _log.warning("The golden questions are not compared: %s", error)
            return ()
        new = self._asked(staged, self.embedder, questions)
        worse = tuple(_worse(o, n) for o, n in zip(old, new, strict=True) if _fell(o, n))
        fall = max(_count(old, good) - _count(new, good) for good in (_fine, _found))
        if fall > self.tolerance * len(questions):
            raise CanaryFell(fall, len(questions), worse)
        return worse

    def _asked(
        self, generation: Generation, embedder: Embedder, questions: Sequence[Row]
    ) -> tuple[Examined, ...]:
        retriever = Retriever(embedder, reader=self.answerer.reader)
        return evaluate_articles(generation, retriever, self.answerer, questions).examined

    def _embedder_of(self, generation: Generation) -> Embedder | None:
        """The model that a generation was made by, if it is still there."""
        wanted = generation.manifest.fingerprints.get("model")
        for name in (None, "", generation.manifest.model):
            try:
                found = self.embedder if name is None else load_embedder(name)
            except ConfigurationError:
                continue
            if found.fingerprint == wanted:
                return found
        _log.warning("The golden questions are not compared: the model of before is not there.")
        return None


def read_questions(corpus_dir: Path) -> list[Row]:
    """The golden questions of a folder of articles; a line that is none is named and left out."""
    rows: dict[str, Row] = {}
    for path in golden_files(corpus_dir):
        for number, line in enumerate(_lines(path), 1):
            row = _row(line) if line.strip() else {}
            if row is None:
                _log.warning("%s, line %d is no golden question: left out.", path, number)
            elif row:
                rows.setdefault(str(row.get("id") or f"{path}:{number}"), row)
    questions = list(rows.values())
    return questions[:: -(-len(questions) // _MOST)] if questions else []


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        _log.warning("The golden questions in %s cannot be read: %s", path, error)
        return []


def _row(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and str(row.get("question", "")).strip() else None


def _fine(examined: Examined) -> bool:
    return examined.fine


def _found(examined: Examined) -> bool:
    return examined.to_refuse or (examined.rank is not None and examined.rank <= _FOUND)


def _count(examined: Sequence[Examined], good: Callable[[Examined], bool]) -> int:
    return sum(map(good, examined))


def _fell(old: Examined, new: Examined) -> bool:
    return (_fine(old) and not _fine(new)) or (_found(old) and not _found(new))


def _worse(old: Examined, new: Examined) -> Worse:
    return Worse(new.id, new.question, _told(old), _told(new))


def _told(examined: Examined) -> str:
    """What became of a question, in a few words."""
    if examined.to_refuse:
        return "refused as it must be" if examined.fine else "answered, though it must be refused"
    place = f"passage found at {examined.rank}" if examined.rank else "passage not found"
    outcome = "right" if examined.fine else "wrong" if examined.status == "answered" else "refused"
    return f"{outcome}, {place}"
