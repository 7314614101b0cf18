"""The story of a reindex, told in the builder's process: what changed, what is new, switch."""

import logging
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from rag import passage_questions
from rag.assemble import Material, embed_all, keys_of, split_all, unembedded
from rag.cache import ROOM, EmbeddingCache, key_of
from rag.changes import any_change, changes, fingerprints, folder_stamp
from rag.difference import Difference, difference
from rag.embed import load_embedder
from rag.errors import (
    AllArticlesFailed,
    BrokenGeneration,
    ConfigurationError,
    CorpusEmpty,
    CorpusError,
    CorpusMissing,
)
from rag.full_disk import told_plainly
from rag.generation import Generation
from rag.generations import GenerationStore
from rag.index_text import dense_text
from rag.manifest import Manifest
from rag.order import Order
from rag.publish import stage_and_publish
from rag.result import ArticleChanges, Listener, Progress, ReindexReport
from rag.scene import Scene
from rag.shelf import Shelf
from rag.shelves import shelf_for
from rag.sources import Read, read_sources, unchanged_passages

CACHE = "embeddings.sqlite"
# Shares of the passages, chosen with caution: at one changed article in 10,000 a copy takes 5 %
# of the time that building afresh takes.
# `python -m benchmarks.churn` says what a share of deleted vectors costs in recall.
_MUCH, _CHURN = 0.2, 0.2
_FEW = 1000  # passages; so few are built afresh in two seconds
_log = logging.getLogger(__name__)


def rebuild(order: Order, tell: Listener) -> ReindexReport:
    """Carry out an order; the errors of `rag.ingest.reindex`."""
    started = time.monotonic()
    root, data_dir = Path(order.corpus_dir), Path(order.data_dir)
    _require_folder(root)
    shelf = shelf_for(order)
    with nullcontext() if order.dry_run else shelf.builder_lock(order.command):
        if not order.dry_run:
            shelf.mend()
            shelf.clean_half_built()  # what a builder left behind that was killed
            shelf.clean()
        before = GenerationStore(data_dir, shelf=shelf).latest()
        with closing(before) if before is not None else nullcontext():
            embedder = load_embedder(order.embed_model)
            made_by = fingerprints(root, order.passage_chars) | {"model": embedder.fingerprint}
            made_by |= passage_questions.fingerprint(order.questions)
            stamp = folder_stamp(root, leaving_out=data_dir)
            return _reindex(Scene(order, shelf, before, embedder, stamp, made_by, started, tell))


def _reindex(scene: Scene) -> ReindexReport:
    before = scene.before if scene.standing and not scene.order.full else None
    if before is not None and before.manifest.corpus == scene.stamp:
        told = before.manifest  # not a byte has changed: no need to read the articles
        found = ArticleChanges(unchanged=told.articles, failed=told.failed)
        return scene.report(told.name, found, told.passages, 0)
    read, found = _read(scene, before)
    if before is not None and not any_change(found):
        return scene.report(before.name, found, len(before.content), 0)
    known = unchanged_passages(before.content if before else None, read.sources)
    material = split_all(read.articles, scene.order.passage_chars, read.sources, known)
    if not material.passages:
        raise CorpusEmpty(Path(scene.order.corpus_dir))
    if scene.order.dry_run:
        return _foretell(scene, found, material)
    with told_plainly(Path(scene.order.data_dir)):
        material = _with_questions(scene, material)
        return _build(scene, found, material, _small_change(scene, before, material))


def _with_questions(scene: Scene, material: Material) -> Material:
    articles, passages, order = material.articles, material.passages, scene.order
    data_dir = Path(order.data_dir)
    beside = passage_questions.questions_beside(
        articles, passages, order.questions, data_dir, scene.tell
    )
    return replace(material, questions=beside)


def _read(scene: Scene, before: Generation | None) -> tuple[Read, ArticleChanges]:
    """Read the articles; those of a generation that stands only where their bytes are others."""
    from corpus.read import UnreadableFile

    root = Path(scene.order.corpus_dir)
    try:
        read = read_sources(
            root,
            before.content if before else None,
            lambda done, total: scene.tell(Progress("read", done, total)),
        )
    except UnreadableFile as error:
        raise CorpusMissing(root, error.reason) from error
    if not read.articles and read.failed:
        first = read.failed[0]
        raise AllArticlesFailed(root, len(read.failed), f"{first.path}: {first.reason}")
    if not read.articles:
        raise CorpusEmpty(root)
    old = scene.before.content if scene.before is not None else None
    return read, changes(old, read.articles, read.failed, read.sources)


def _small_change(scene: Scene, before: Generation | None, material: Material) -> Difference | None:
    """What to change in a copy of the generation before; None when building afresh is better."""
    if before is None or not scene.shelf.copies or len(material.passages) < _FEW:
        return None
    change = difference(before, material)
    if change is None:
        return None
    size = len(material.passages)
    small = len(change.gone) + len(change.new) <= _MUCH * size
    return change if small and change.churn <= _CHURN * size else None


def _foretell(scene: Scene, found: ArticleChanges, material: Material) -> ReindexReport:
    with EmbeddingCache.glance(Path(scene.order.data_dir) / CACHE) as cache:
        new = unembedded(keys_of(material, scene.embedder), cache)
    name = scene.before.name if scene.before is not None else ""
    return scene.report(name, found, len(material.passages), new)


def _build(
    scene: Scene, found: ArticleChanges, material: Material, change: Difference | None
) -> ReindexReport:
    shelf, tell = scene.shelf, scene.tell
    with closing(EmbeddingCache(Path(scene.order.data_dir) / CACHE)) as cache:
        vectors, new = embed_all(material, scene.embedder, cache, tell)
        try:
            name, worse = stage_and_publish(scene, found, material, vectors, change)
        except Exception as error:
            if change is None or isinstance(error, ConfigurationError | CorpusError):
                raise
            _log.warning("The copied index was not good (%s): it is built afresh.", error)
            name, worse = stage_and_publish(scene, found, material, vectors, None)
        tell(Progress("switch", 1, 1))
        if scene.before is not None:
            scene.before.close()  # else we would keep it from being swept away
        shelf.clean()
        _prune(cache, shelf)
    return scene.report(name, found, len(material.passages), new, worse)


def _prune(cache: EmbeddingCache, shelf: Shelf) -> None:
    """Forget embeddings that no kept generation uses, once they are many."""
    if len(cache) > ROOM:
        with suppress(BrokenGeneration):
            cache.prune(key for manifest in shelf.manifests() for key in _keys(shelf, manifest))


def _keys(shelf: Shelf, manifest: Manifest) -> Iterator[bytes]:
    with closing(shelf.open(manifest.name)) as generation:
        for passage in generation.content.all_passages():
            text = dense_text(generation.content.article(passage.article_id), passage)
            yield key_of(manifest.fingerprints["model"], text)


def _require_folder(root: Path) -> None:
    try:
        next(root.iterdir(), None)
    except FileNotFoundError:
        raise CorpusMissing(root) from None
    except NotADirectoryError:
        raise CorpusMissing(root, "it is a file") from None
    except OSError as error:
        raise CorpusMissing(root, error.strerror or str(error)) from error
