"""The story of a reindex, told in the builder's process: what changed, what is new, switch."""

import errno
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from corpus.article import Article
from rag.assemble import (
    Material,
    Origin,
    embed_all,
    keys_of,
    seal,
    split_all,
    unembedded,
    verify,
    write_generation,
)
from rag.cache import ROOM, EmbeddingCache, key_of
from rag.changes import any_change, changes, fingerprints, folder_stamp
from rag.content import Content
from rag.embed import Embedder, load_embedder
from rag.errors import (
    AllArticlesFailed,
    BrokenGeneration,
    CorpusEmpty,
    CorpusMissing,
    DataDirUnusable,
    YoujuError,
)
from rag.generation import Generation
from rag.generations import GenerationStore
from rag.index_text import dense_text
from rag.lock import builder_lock
from rag.manifest import Manifest
from rag.order import Order
from rag.result import ArticleChanges, Progress, ReindexReport

CACHE = "embeddings.sqlite"
_FULL = ("no space left", "disk is full", "quota exceeded", "os error 28", "file too large")
_NEXT_TO_NOTHING = 4 * 1024 * 1024
_log = logging.getLogger(__name__)
Listener = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a reindex finds before it begins."""

    order: Order
    store: GenerationStore
    before: Generation | None
    embedder: Embedder
    stamp: str
    fingerprints: Mapping[str, str]
    started: float
    tell: Listener

    @property
    def standing(self) -> bool:
        """Whether what serves was made by the same code, model and settings, and is undamaged."""
        before = self.before
        if before is None or before.manifest.fingerprints != self.fingerprints:
            return False
        return before.name == self.store.serving() and (
            self.order.dry_run or _sound(self.store, before)  # opening Chroma writes to its files
        )

    def report(self, name: str, found: ArticleChanges, passages: int, new: int) -> ReindexReport:
        seconds = round(time.monotonic() - self.started, 3)
        return ReindexReport(name, found, passages, new, seconds, self.order.dry_run)


def rebuild(order: Order, tell: Listener) -> ReindexReport:
    """Carry out an order; the errors of `rag.ingest.reindex`."""
    started = time.monotonic()
    root, data_dir = Path(order.corpus_dir), Path(order.data_dir)
    _require_folder(root)
    with nullcontext() if order.dry_run else builder_lock(data_dir, order.command):
        store = GenerationStore(data_dir, order.keep)
        if not order.dry_run:
            store.mend()
        before = store.latest()
        with closing(before) if before is not None else nullcontext():
            embedder = load_embedder(order.embed_model)
            made_by = fingerprints(root, order.passage_chars) | {"model": embedder.fingerprint}
            stamp = folder_stamp(root, leaving_out=data_dir)
            return _reindex(_Scene(order, store, before, embedder, stamp, made_by, started, tell))


def _reindex(scene: _Scene) -> ReindexReport:
    before = scene.before if scene.standing and not scene.order.full else None
    if before is not None and before.manifest.corpus == scene.stamp:
        told = before.manifest  # not a byte has changed: no need to read the articles
        found = ArticleChanges(unchanged=told.articles, failed=told.failed)
        return scene.report(told.name, found, told.passages, 0)
    articles, found = _read(scene)
    if before is not None and not any_change(found):
        return scene.report(before.name, found, len(before.content), 0)
    material = split_all(articles, scene.order.passage_chars)
    if not material.passages:
        raise CorpusEmpty(Path(scene.order.corpus_dir))
    if scene.order.dry_run:
        return _foretell(scene, found, material)
    with _told_plainly(Path(scene.order.data_dir)):
        return _build(scene, found, material)


def _read(scene: _Scene) -> tuple[list[Article], ArticleChanges]:
    from corpus.read import UnreadableFile, read_folder

    root = Path(scene.order.corpus_dir)
    try:
        articles, failed = read_folder(
            root, lambda done, total: scene.tell(Progress("read", done, total))
        )
    except UnreadableFile as error:
        raise CorpusMissing(root, error.reason) from error
    if not articles and failed:
        raise AllArticlesFailed(root, len(failed), f"{failed[0].path}: {failed[0].reason}")
    if not articles:
        raise CorpusEmpty(root)
    old = scene.before.content if scene.before is not None else None
    return articles, changes(old, articles, failed)


def _foretell(scene: _Scene, found: ArticleChanges, material: Material) -> ReindexReport:
    with EmbeddingCache.glance(Path(scene.order.data_dir) / CACHE) as cache:
        new = unembedded(keys_of(material, scene.embedder), cache)
    name = scene.before.name if scene.before is not None else ""
    return scene.report(name, found, len(material.passages), new)


def _build(scene: _Scene, found: ArticleChanges, material: Material) -> ReindexReport:
    store, tell, root = scene.store, scene.tell, Path(scene.order.corpus_dir)
    store.clean_half_built()
    parent = scene.before.name if scene.before is not None else None
    with closing(EmbeddingCache(Path(scene.order.data_dir) / CACHE)) as cache:
        vectors, new = embed_all(material, scene.embedder, cache, tell)
        # Told before the staged files are removed: afterwards the disk is not full any more.
        with store.staging() as staged, _told_plainly(Path(scene.order.data_dir)):
            write_generation(staged, material, vectors, tell, terms_from=root)
            origin = Origin(parent, scene.stamp, scene.fingerprints, found.failed)
            seal(staged, origin, material, vectors, scene.embedder.name)
            verify(staged, material, vectors, tell)
            tell(Progress("switch", 0, 1))
            name = store.publish(staged)
        tell(Progress("switch", 1, 1))
        if scene.before is not None:
            scene.before.close()  # else we would keep it from being swept away
        store.clean()
        _prune(cache, store)
    return scene.report(name, found, len(material.passages), new)


def _prune(cache: EmbeddingCache, store: GenerationStore) -> None:
    """Forget embeddings that no kept generation uses, once they are many."""
    if len(cache) > ROOM:
        cache.prune(key for manifest in store.list() for key in _keys(store, manifest))


def _keys(store: GenerationStore, manifest: Manifest) -> Iterator[bytes]:
    with closing(Content.open(store.directory / manifest.name / "content.sqlite")) as content:
        for passage in content.all_passages():
            text = dense_text(content.article(passage.article_id), passage)
            yield key_of(manifest.fingerprints["model"], text)


def _sound(store: GenerationStore, generation: Generation) -> bool:
    if store.whole(generation.name, thorough=True) is None:
        return False
    try:
        generation.warm()
    except BrokenGeneration as error:
        _log.warning("%s", error)
        return False
    return True


def _require_folder(root: Path) -> None:
    try:
        next(root.iterdir(), None)
    except FileNotFoundError:
        raise CorpusMissing(root) from None
    except NotADirectoryError:
        raise CorpusMissing(root, "it is a file") from None
    except OSError as error:
        raise CorpusMissing(root, error.strerror or str(error)) from error


@contextmanager
def _told_plainly(data_dir: Path) -> Iterator[None]:
    """Turn what a full or unwritable disk makes of SQLite, Chroma and NumPy into one error."""
    try:
        yield
    except YoujuError:
        raise
    except Exception as error:
        if _is_full(data_dir, error):
            why = "the disk is full; the index was left as it was"
            raise DataDirUnusable(data_dir, why) from error
        if isinstance(error, PermissionError) or getattr(error, "errno", None) == errno.EROFS:
            raise DataDirUnusable(data_dir, str(error)) from error
        raise


def _is_full(data_dir: Path, error: Exception) -> bool:
    # NumPy and Chroma do not say why a write failed.
    return (
        any(sign in str(error).lower() for sign in _FULL)
        or shutil.disk_usage(data_dir).free < _NEXT_TO_NOTHING
    )
