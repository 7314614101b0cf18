"""Questions that a passage answers, written by a model when indexing and searched beside it.

Each is written once: they are kept by the passage's text, the model and the words it was asked in.
A model that fails leaves passages without questions, never without an index.
"""

import hashlib
import logging
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from corpus.article import Article, Passage
from prompts import load
from rag.errors import LanguageModelFailed
from rag.llm_budget import Budget
from rag.result import Listener, Progress, Usage
from rag.settings import Settings
from rag.variant import detect

if TYPE_CHECKING:
    from rag.llm import LanguageModel

CACHE = "questions.sqlite"
_TOKENS = 256
_FEWEST_CHARACTERS = 40  # a heading or a link answers nothing
_log = logging.getLogger(__name__)
Wanted = Mapping[str, Any]


def wanted(settings: Settings) -> dict[str, Any]:
    """What a builder must know to have questions written; empty when none are wanted."""
    if not (settings.llm_base_url and settings.llm_passage_questions):
        return {}
    names = ("base_url", "model", "deadline", "concurrency", "passage_questions")
    told = {f"llm_{name}": getattr(settings, f"llm_{name}") for name in names}
    return told | {"llm_api_key": settings.llm_api_key.get_secret_value()}


def fingerprint(order: Wanted) -> dict[str, str]:
    """What makes an index stale when it changes; nothing where no questions are wanted."""
    if not order:
        return {}
    return {"questions": f"{order['llm_model']}/{order['llm_passage_questions']}/{_prompts()}"}


def questions_beside(
    articles: Mapping[str, Article],
    passages: Sequence[Passage],
    order: Wanted,
    data_dir: Path,
    tell: Listener,
) -> dict[str, str]:
    """The questions of each passage, by its id, one a line; those that are new are written now."""
    if not order:
        return {}
    keys = {p.id: _key(order, articles[p.article_id].title, p) for p in passages if _asks(p)}
    with closing(_opened(data_dir / CACHE)) as kept:
        known = dict(_known(kept, set(keys.values())))
        missing = [p for p in passages if p.id in keys and keys[p.id] not in known]
        if missing:
            for done, (passage, said) in enumerate(_written(articles, missing, order), 1):
                known[keys[passage.id]] = said
                with kept:
                    row = (keys[passage.id], said)
                    kept.execute("INSERT OR REPLACE INTO questions VALUES (?, ?)", row)
                tell(Progress("ask", done, len(missing)))
    return {ident: known[key] for ident, key in keys.items() if known.get(key)}


def _written(
    articles: Mapping[str, Article], passages: Sequence[Passage], order: Wanted
) -> Iterator[tuple[Passage, str]]:
    """Each passage with its questions; those that the model fails at are left out."""
    from rag.llm import LanguageModel

    given = dict(order) | {"llm_api_key": SecretStr(order["llm_api_key"])}
    settings = Settings.model_construct(**given)
    model, spent, failed = LanguageModel(settings), Usage(), 0

    def ask(passage: Passage) -> tuple[Passage, str | None, Usage]:
        return _asked(model, settings, articles[passage.article_id].title, passage)

    with ThreadPoolExecutor(settings.llm_concurrency) as pool:
        for passage, said, usage in pool.map(ask, passages):
            spent = _sum(spent, usage)
            failed += said is None
            if said is not None:
                yield passage, said
    _log.warning(
        "Questions for %d passages: %d calls, %d + %d tokens; %d passages got none%s.",
        len(passages) - failed,
        spent.calls,
        spent.prompt_tokens,
        spent.completion_tokens,
        failed,
        ", `youju reindex --full` tries again" if failed else "",
    )


def _asked(
    model: "LanguageModel", settings: Settings, title: str, passage: Passage
) -> tuple[Passage, str | None, Usage]:
    from rag.prompting import questions_messages
    from rag.rephrase import lines_of

    budget = Budget(settings.llm_deadline)
    script = detect(passage.text) or "hant"
    count = settings.llm_passage_questions
    messages = questions_messages(title, passage.text, count, script)
    try:
        said = model.reply(messages, budget, _TOKENS)
    except LanguageModelFailed:
        return passage, None, budget.usage
    return passage, "\n".join(lines_of(said)[:count]), budget.usage


def _asks(passage: Passage) -> bool:
    return passage.kind == "body" and len(passage.text) >= _FEWEST_CHARACTERS


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
        one.calls + other.calls,
        one.estimated or other.estimated,
    )


def _key(order: Wanted, title: str, passage: Passage) -> bytes:
    told = f"{fingerprint(order)['questions']}\0{title}\0{passage.text}"
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()


def _prompts() -> str:
    words = "\0".join("\0".join(load("questions", script)) for script in ("hant", "hans"))
    return hashlib.sha256(words.encode()).hexdigest()[:12]


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=10)
    database.execute("CREATE TABLE IF NOT EXISTS questions (key BLOB PRIMARY KEY, said TEXT)")
    return database


def _known(database: sqlite3.Connection, keys: set[bytes]) -> Iterator[tuple[bytes, str]]:
    for key, said in database.execute("SELECT key, said FROM questions"):
        if key in keys:
            yield key, said
