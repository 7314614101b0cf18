"""Golden questions: what the answer to a question must stand on, or that it must be refused.

They lie in `golden.jsonl` among the articles; the canary of a reindex and `youju eval` ask them.
"""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rag.errors import BuilderBusy, DuplicateGolden, NoPlaceForGolden, QuoteNotFound
from rag.evaluation import plain
from rag.fold import fold
from rag.generation import Generation
from rag.settings import DEFAULT_CORPUS, REPOSITORY, Settings
from rag.variant import detect
from rag.wordpieces import HAN

Row = dict[str, Any]
FILE = "golden.jsonl"
_NEAR = 50  # passages that are searched for a quote
_HAN = re.compile(f"[{HAN}]")


def golden_files(corpus_dir: Path) -> list[Path]:
    """The files that are read: among the articles, then beside their folder."""
    places = (corpus_dir / FILE, corpus_dir.parent / FILE)
    return [place for place in places if place.is_file()]


def golden_row(
    ident: str, question: str, history: Sequence[str], quotes: Sequence[str], article: str
) -> Row:
    """A golden question; without quotes it must be refused."""
    return {
        "id": ident,
        "question": question,
        "q_variant": detect(question) or ("hant" if _HAN.search(question) else "en"),
        "kind": "feedback",
        "article": article if quotes else "none",
        "gold_quotes": list(quotes),
        "answer_must": [],
        "answer_must_not": [],
        "all_required": False,
        "history": list(history),
        "tags": ["feedback"],
    }


def check_quotes(generation: Generation, quotes: Sequence[str]) -> list[str]:
    """The paths of the articles that hold the quotes, as an evaluation compares them.

    Raises QuoteNotFound for one that lies in no passage.
    """
    return [_holding(generation, quote) for quote in quotes]


def add_golden(settings: Settings, row: Row) -> Path:
    """Append a golden question, whole or not at all; the file it went into.

    Raises DuplicateGolden when it is asked already, NoPlaceForGolden when it cannot be written.
    """
    path = settings.corpus_dir / FILE
    if settings.corpus_dir == DEFAULT_CORPUS and not (REPOSITORY / "pyproject.toml").is_file():
        raise NoPlaceForGolden(path, "the articles are those that ship with youju")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.data_dir / "golden.lock", timeout=10):
            _check_new(settings.corpus_dir, row)
            _append(path, json.dumps(row, ensure_ascii=False))
    except Timeout:
        raise BuilderBusy("another program writes a golden question") from None
    except OSError as error:
        raise NoPlaceForGolden(path, error.strerror or str(error)) from error
    return path


def _holding(generation: Generation, quote: str) -> str:
    scores = generation.lexical.scores(quote).ngrams
    best = [int(row) for row in (-scores).argsort(kind="stable")[:_NEAR] if scores[row] > 0]
    wanted = plain(quote)
    for passage in generation.content.passages(best):
        if wanted and wanted in plain(passage.text):
            return generation.content.article(passage.article_id).path
    raise QuoteNotFound(quote)


def _check_new(corpus_dir: Path, row: Row) -> None:
    """In either script and with any marks a question is the same; its history belongs to it."""
    own = _words(row)
    for path in golden_files(corpus_dir):
        for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines():
            there = _row(line)
            if there is not None and _words(there) == own:
                raise DuplicateGolden(row["question"], path, str(there.get("id", "?")))


def _words(row: Row) -> tuple[str, ...]:
    asked = (*(row.get("history") or ()), row["question"])
    return tuple(re.sub(r"[\W_]+", "", fold(str(part))) for part in asked)


def _row(line: str) -> Row | None:
    """A golden question; None for a damaged line, which the canary names."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and isinstance(row.get("question"), str) else None


def _append(path: Path, line: str) -> None:
    """Write aside, then replace: a reader sees the old file or the new one."""
    before = path.read_bytes() if path.exists() else b""
    if before and not before.endswith(b"\n"):
        before += b"\n"
    aside = path.with_name(f".{path.name}.new")
    try:
        with aside.open("wb") as file:
            file.write(before + line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            aside.chmod(path.stat().st_mode & 0o777)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
