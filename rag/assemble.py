"""Articles become a generation: split, embed what is new, write."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article, FailedFile, Passage
from rag.cache import EmbeddingCache, Vector, key_of
from rag.content import Source, write_content
from rag.embed import Embedder
from rag.entries import Entries, metadata_of
from rag.errors import BuilderFailed
from rag.filling import fill, take_out, writable
from rag.generation import CHROMA
from rag.index_text import dense_text
from rag.local_shelf import staged_name
from rag.manifest import Manifest, stored_files, write_manifest
from rag.result import Listener, Progress

if TYPE_CHECKING:
    from rag.difference import Difference
    from rag.lexical import LexicalIndex

Vectors = NDArray[np.float32]
_EMBED_BATCH = 256


@dataclass(frozen=True, slots=True)
class Material:
    """What a generation is made of; `passages` stand in article order, `sources` by article."""

    articles: Mapping[str, Article]
    passages: Sequence[Passage]
    sources: Mapping[str, Source] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)  # by passage, see passage_questions

    def dense_texts(self) -> list[str]:
        return [dense_text(self.articles[p.article_id], p) for p in self.passages]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a generation comes from, for its manifest."""

    parent: str | None
    corpus: str
    fingerprints: Mapping[str, str]
    failed: tuple[FailedFile, ...]
    churn: int = 0
    nearest: float = 1.0


def split_all(
    articles: Sequence[Article],
    passage_chars: int,
    sources: Mapping[str, Source] | None = None,
    known: Mapping[str, Sequence[Passage]] | None = None,
) -> Material:
    """Split what is not among the passages that are known, by article, already."""
    from corpus.split import split

    known = known or {}
    passages = [p for a in articles for p in known.get(a.id) or split(a, max_chars=passage_chars)]
    return Material({article.id: article for article in articles}, passages, sources or {})


def keys_of(material: Material, embedder: Embedder) -> list[bytes]:
    """The cache keys of the passages, by row."""
    return [key_of(embedder.fingerprint, text) for text in material.dense_texts()]


def unembedded(keys: Sequence[bytes], cache: EmbeddingCache | None) -> int:
    """How many passages would have to be embedded."""
    known = cache.get_many(list(dict.fromkeys(keys))) if cache is not None else {}
    return sum(key not in known for key in keys)


def embed_all(
    material: Material, embedder: Embedder, cache: EmbeddingCache, tell: Listener
) -> tuple[Vectors, int]:
    """The vectors of the passages, by row, and how many passages had to be embedded."""
    texts = material.dense_texts()
    keys = [key_of(embedder.fingerprint, text) for text in texts]
    known = _known(keys, embedder, cache)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    todo = list(missing.items())
    for start in range(0, len(todo), _EMBED_BATCH):
        tell(Progress("embed", start, len(todo)))
        fresh = _embedded(embedder, todo[start : start + _EMBED_BATCH])
        cache.put_many(fresh)
        known.update(fresh)
    tell(Progress("embed", len(todo), len(todo)))
    embedded = sum(key in missing for key in keys)
    return np.stack([known[key] for key in keys]), embedded


def write_generation(
    staged: Path,
    material: Material,
    vectors: Vectors,
    tell: Listener,
    terms_from: Path,
    collection: AbstractContextManager[Any] | None = None,
    change: "Difference | None" = None,
) -> None:
    """Write content and words into a staged directory, and the vectors into a collection.

    Without a collection, into one in the staged directory. With a change, the collection holds
    what the generation before held.
    """
    articles, passages = material.articles, material.passages
    new = range(len(passages)) if change is None else change.new
    tell(Progress("store", 0, len(new)))
    write_content(staged / "content.sqlite", list(articles.values()), passages, material.sources)
    _words(material, terms_from, change).save(staged / "lexical")
    with collection or writable(staged / CHROMA, len(passages)) as opened:
        if change is not None:
            take_out(opened, change.gone)
        fill(
            opened,
            new,
            lambda rows: _entries(material, vectors, rows),
            lambda done: tell(Progress("store", done, len(new))),
        )


def _words(material: Material, terms_from: Path, change: "Difference | None") -> "LexicalIndex":
    from rag.lexical import LexicalIndex
    from rag.terms import load_terms, with_local_terms

    articles, passages = material.articles, material.passages
    if change is not None:
        return change.before.lexical.changed(
            change.moves, articles, passages, change.new, material.questions
        )
    terms = with_local_terms(load_terms(), terms_from)
    return LexicalIndex.build(articles, passages, terms, material.questions)


def seal(staged: Path, origin: Origin, material: Material, vectors: Vectors, model: str) -> None:
    """Write the manifest, the last file of a generation."""
    (staged / "lock").touch()
    manifest = Manifest(
        name=staged_name(staged),
        built_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        parent=origin.parent,
        articles=len(material.articles),
        passages=len(material.passages),
        dimensions=int(vectors.shape[1]),
        model=model,
        corpus=origin.corpus,
        fingerprints=origin.fingerprints,
        failed=origin.failed,
        files=stored_files(staged),
        churn=origin.churn,
        nearest=origin.nearest,
    )
    write_manifest(staged, manifest)


def _known(keys: Sequence[bytes], embedder: Embedder, cache: EmbeddingCache) -> dict[bytes, Vector]:
    found = cache.get_many(list(dict.fromkeys(keys)))
    return {key: vector for key, vector in found.items() if vector.shape == (embedder.dimensions,)}


def _embedded(embedder: Embedder, batch: Sequence[tuple[bytes, str]]) -> dict[bytes, Vector]:
    vectors = np.asarray(embedder.embed_passages([text for _, text in batch]), dtype=np.float32)
    if vectors.shape != (len(batch), embedder.dimensions) or not np.isfinite(vectors).all():
        raise BuilderFailed(f"the model {embedder.name} gave vectors that are unusable")
    return {key: vector for (key, _), vector in zip(batch, vectors, strict=True)}


def _entries(material: Material, vectors: Vectors, rows: Sequence[int]) -> Entries:
    passages = [material.passages[row] for row in rows]
    metadata = [metadata_of(material.articles[p.article_id], p) for p in passages]
    return Entries([p.id for p in passages], vectors[list(rows)], metadata)
