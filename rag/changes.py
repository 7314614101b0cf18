"""What has changed since a generation was built: the folder's bytes, the articles, our own code."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import corpus
from corpus.article import Article, FailedFile
from rag.content import Content, Source
from rag.result import ArticleChanges
from rag.terms import LOCAL_FILE, SHIPPED

_CORPUS_CODE = Path(corpus.__file__).parent


def folder_stamp(root: Path, leaving_out: Path) -> str:
    """SHA-256 over the path and the bytes of every file below a folder that may be an article.

    Contents, not times of change: a clock may be set back, and a checkout touches every file.
    """
    return _sha256(_entries(root, leaving_out.resolve()))


def fingerprints(corpus_dir: Path, passage_chars: int) -> dict[str, str]:
    """One value for each thing besides articles and model that makes a generation stale."""
    from rag import content, filling, fold, index_text, lexical

    terms = [SHIPPED / "forms.tsv", corpus_dir / LOCAL_FILE]
    return {
        "reading": _sha256(_files(sorted(_CORPUS_CODE.glob("*.py")))),
        "passage_chars": str(passage_chars),
        "content": content.FINGERPRINT,
        "folding": fold.FINGERPRINT,
        "text": index_text.FINGERPRINT,
        "lexical": lexical.FINGERPRINT,
        "terms": _sha256(_files(path for path in terms if path.is_file())),
        "vectors": filling.FINGERPRINT,
    }


def changes(
    before: Content | None,
    articles: Sequence[Article],
    failed: Iterable[FailedFile],
    sources: Mapping[str, Source],
) -> ArticleChanges:
    """Compare with the articles of the generation before, by path and by every field."""
    old = {a.path: a.digest for a in before.articles()} if before is not None else {}
    new = {article.path: sources[article.id].digest for article in articles}
    return ArticleChanges(
        added=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(sorted(path for path in new.keys() & old.keys() if new[path] != old[path])),
        removed=tuple(sorted(old.keys() - new.keys())),
        unchanged=_same(old, new),
        failed=tuple(failed),
    )


def any_change(found: ArticleChanges) -> bool:
    return bool(found.added or found.changed or found.removed)


def _same(old: Mapping[str, str], new: Mapping[str, str]) -> int:
    return sum(old.get(path) == digest for path, digest in new.items())


def _entries(root: Path, leaving_out: Path) -> Iterator[bytes]:
    from corpus.read import SUFFIXES

    visited = set()
    for directory, inner, names in os.walk(root, followlinks=True):
        here = Path(directory).resolve()
        if here in visited or here == leaving_out or here.name == ".git":
            inner.clear()  # a link that leads back, our own data, or history
            continue
        visited.add(here)
        inner.sort()
        for path in sorted(Path(directory, name) for name in names):
            if path.suffix.lower() not in SUFFIXES:
                continue
            yield os.fsencode(path.relative_to(root))
            yield _digest(path)


def _files(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        yield path.name.encode()
        yield _digest(path)


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        return f"unreadable: {error.errno}".encode()


def _sha256(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
