"""The only place where the parts are put together."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from rag.answer import Answerer
from rag.cross_reader import load_reader
from rag.embed import load_embedder
from rag.errors import BadSetting
from rag.generations import GenerationStore
from rag.retrieve import Retriever
from rag.service import Service
from rag.settings import Settings
from rag.support import Support


def load_settings(flags: Mapping[str, Any]) -> Settings:
    """Settings from flags, then YOUJU_* variables, then `.env`; BadSetting names a wrong one."""
    try:
        return Settings(**flags)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "?"
        raise BadSetting(f"YOUJU_{name.upper()}", first.get("input"), first["msg"]) from None


def build_service(settings: Settings) -> Service:
    """The Service over a data directory; loads no model and opens no index yet."""
    embedder = load_embedder(settings.embed_model)
    store = GenerationStore(settings.data_dir, settings.keep_generations)
    retriever = Retriever(embedder)
    answerer = Answerer(load_reader(settings.rerank_model), Support(), settings.support)
    return Service(settings, store, embedder, retriever, answerer)
