"""The only place where the parts are put together."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rag.answer import Answerer
from rag.cross_reader import load_reader
from rag.embed import load_embedder
from rag.errors import BadSetting
from rag.generations import GenerationStore
from rag.retrieve import Retriever
from rag.service import Service
from rag.settings import Settings
from rag.shelves import shelf_of
from rag.support import Support

if TYPE_CHECKING:
    from rag.author import Author

# An address may carry a key, however much we advise against it.
_SECRET = frozenset({"llm_api_key", "llm_base_url", "chroma_token", "chroma_url"})


def load_settings(flags: Mapping[str, Any]) -> Settings:
    """Settings from flags, then YOUJU_* variables, then `.env`; BadSetting names a wrong one."""
    try:
        return Settings(**flags)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "?"
        shown = "…" if name in _SECRET else first.get("input")
        why = first["msg"].removeprefix("Value error, ")
        raise BadSetting(f"YOUJU_{name.upper()}", shown, why) from None


def build_service(settings: Settings) -> Service:
    """The Service over a data directory; loads no model and opens no index yet."""
    embedder = load_embedder(settings.embed_model)
    store = GenerationStore(settings.data_dir, shelf=shelf_of(settings))
    reader = load_reader(settings.rerank_model)
    retriever = Retriever(embedder, reader=reader)
    answerer = Answerer(reader, Support(), settings.support)
    author = _author(settings, retriever, answerer) if settings.llm_base_url else None
    return Service(settings, store, embedder, retriever, answerer, author)


def _author(settings: Settings, retriever: Retriever, answerer: Answerer) -> "Author":
    from rag.author import Author
    from rag.llm import LanguageModel

    return Author(settings, LanguageModel(settings), retriever, answerer)
