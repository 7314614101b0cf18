"""Articles become a generation: split, embed what is new, write, verify."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article, FailedFile, Passage
from rag.cache import EmbeddingCache, Vector, key_of
from rag.collection import write_collection
from rag.content import write_content
from rag.embed import Embedder
from rag.errors import BuilderFailed
from rag.generation import Generation
from rag.generations import staged_name
from rag.index_text import dense_text, heading_of
from rag.manifest import Manifest, stored_files, write_manifest
from rag.result import Progress

Vectors = NDArray[np.float32]
Listener = Callable[[Progress], None]
_EMBED_BATCH = 256
_SAMPLE = 50  # passages that must find themselves before a generation serves


@dataclass(frozen=True, slots=True)
class Material:
    """What a generation is made of; `passages` stand in article order."""

    articles: Mapping[str, Article]
    passages: Sequence[Passage]

    def dense_texts(self) -> list[str]:
        return [dense_text(self.articles[p.article_id], p) for p in self.passages]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a generation comes from, for its manifest."""

    parent: str | None
    corpus: str
    fingerprints: Mapping[str, str]
    failed: tuple[FailedFile, ...]


def split_all(articles: Sequence[Article], passage_chars: int) -> Material:
    from corpus.split import split

    passages = [p for article in articles for p in split(article, max_chars=passage_chars)]
    return Material({article.id: article for article in articles}, passages)


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
    staged: Path, material: Material, vectors: Vectors, tell: Listener, terms_from: Path
) -> None:
    """Write content, words and vectors into a staged directory."""
    from rag.lexical import LexicalIndex
    from rag.terms import load_terms, with_local_terms

    total = len(material.passages)
    tell(Progress("store", 0, total))
    write_content(staged / "content.sqlite", list(material.articles.values()), material.passages)
    terms = with_local_terms(load_terms(), terms_from)
    LexicalIndex.build(material.articles, material.passages, terms).save(staged / "lexical")
    write_collection(
        staged / "chroma",
        total,
        lambda start, end: list(_nodes(material, vectors, range(start, end))),
        lambda done: tell(Progress("store", done, total)),
    )


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
    )
    write_manifest(staged, manifest)


def verify(staged: Path, material: Material, vectors: Vectors, tell: Listener) -> None:
    """Open the generation as a reader does; BuilderFailed unless all is there and findable."""
    generation = Generation.open(staged)
    try:
        _verify_counts(generation, len(material.passages))
        rows = np.linspace(0, len(vectors) - 1, min(_SAMPLE, len(vectors)), dtype=int).tolist()
        for done, row in enumerate(rows):
            tell(Progress("verify", done, len(rows)))
            _verify_vector(generation, row, vectors)
            _verify_words(generation, row, material.passages[row])
        tell(Progress("verify", len(rows), len(rows)))
    finally:
        generation.close()


def _known(keys: Sequence[bytes], embedder: Embedder, cache: EmbeddingCache) -> dict[bytes, Vector]:
    found = cache.get_many(list(dict.fromkeys(keys)))
    return {key: vector for key, vector in found.items() if vector.shape == (embedder.dimensions,)}


def _embedded(embedder: Embedder, batch: Sequence[tuple[bytes, str]]) -> dict[bytes, Vector]:
    vectors = np.asarray(embedder.embed_passages([text for _, text in batch]), dtype=np.float32)
    if vectors.shape != (len(batch), embedder.dimensions) or not np.isfinite(vectors).all():
        raise BuilderFailed(f"the model {embedder.name} gave vectors that are unusable")
    return {key: vector for (key, _), vector in zip(batch, vectors, strict=True)}


def _nodes(material: Material, vectors: Vectors, rows: range) -> Iterator[Any]:
    """LlamaIndex's form of the passages: what its own readers of the collection expect."""
    from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

    for row in rows:
        passage = material.passages[row]
        article = material.articles[passage.article_id]
        yield TextNode(
            id_=passage.id,
            text=passage.text,
            embedding=vectors[row].tolist(),
            start_char_idx=passage.start,
            end_char_idx=passage.end,
            metadata={
                "row": row,
                "article_id": article.id,
                "title": article.title,
                "heading": heading_of(article, passage),
            },
            relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=article.id)},
        )


def _verify_counts(generation: Generation, passages: int) -> None:
    counts = {
        "texts": len(generation.content),
        "words": len(generation.lexical),
        "vectors": generation.vectors(),
    }
    if set(counts.values()) != {passages}:
        raise BuilderFailed(f"{passages} passages were to be stored, found {counts}")


def _verify_vector(generation: Generation, row: int, vectors: Vectors) -> None:
    """The nearest to a passage is itself, or one with the same vector."""
    own = vectors[row]
    if not 0.99 < float(own @ own) < 1.01:
        return  # a text without a known word has no direction to be found by
    found = generation.nearest(own, 1)
    if not found or float(vectors[found[0][0]] @ own) < 0.999 or abs(found[0][1] - 1) > 0.001:
        raise BuilderFailed(f"passage {row} does not find itself by its vector (found {found})")


def _verify_words(generation: Generation, row: int, passage: Passage) -> None:
    scores = generation.lexical.scores(passage.text[:200]).ngrams
    if scores[row] <= 0 and any(char.isalnum() for char in passage.text[:200]):
        raise BuilderFailed(f"passage {row} does not find itself by its words")
