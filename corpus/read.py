"""Files become articles; a file that cannot is named with its reason, and the others go on."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from corpus.article import Article, FailedFile, Form
from corpus.clean import (
    Block,
    assemble,
    looks_like_markdown,
    markdown_blocks,
    plain_blocks,
    without_controls,
    without_tail,
)
from corpus.decode import decode
from corpus.errors import UnreadableFile
from corpus.metadata import Head, read_head
from corpus.page import has_tags, is_page, read_page

__all__ = ["LIMIT", "SUFFIXES", "UnreadableFile", "read_article", "read_folder"]

SUFFIXES = frozenset([".md", ".markdown", ".txt", ".html", ".htm"])
LIMIT = 20 * 1024 * 1024  # bytes of one file

Progress = Callable[[int, int], None]
Known = Callable[[str, bytes], Article | None]


def read_folder(
    root: Path, progress: Progress | None = None, known: Known | None = None
) -> tuple[list[Article], list[FailedFile]]:
    """All articles under a folder and the files that failed, both in the order of their paths.

    Drafts and empty section pages are left out of both. `progress(done, total)` is called after
    each file; `known(path, bytes)` may give what was read from the same bytes before. Raises
    UnreadableFile only where `root` itself is no readable folder.
    """
    root = Path(root)
    failed: list[FailedFile] = []
    paths = sorted(_files(root, failed), key=lambda path: _shown(path, root))
    articles: dict[str, Article] = {}
    for done, path in enumerate(paths, start=1):
        try:
            article = read_article(path, root, known)
            if article and article.id in articles:
                other = articles[article.id].path
                raise UnreadableFile(article.path, f"has the same id as {other}")
        except UnreadableFile as error:
            failed.append(FailedFile(error.path, error.reason))
        else:
            if article:
                articles[article.id] = article
        if progress:
            progress(done, len(paths))
    return list(articles.values()), sorted(failed, key=lambda file: file.path)


def read_article(path: Path, root: Path, known: Known | None = None) -> Article | None:
    """One article; None for a draft or for a section page (`_index.md`) without words.

    Raises UnreadableFile, which says which file and why.
    """
    path, root = Path(path), Path(root)
    if not path.is_absolute() and not path.is_relative_to(root):
        path = root / path
    shown = _shown(path, root)
    try:
        shown.encode()
        content = _bytes(path)
        return (known and known(shown, content)) or _article(decode(content), shown)
    except UnicodeEncodeError as error:
        printable = shown.encode(errors="surrogateescape").decode(errors="replace")
        raise UnreadableFile(printable, "its name is not valid UTF-8") from error
    except UnreadableFile as error:
        raise UnreadableFile(shown, error.reason) from error
    except RecursionError as error:
        raise UnreadableFile(shown, "nested too deeply") from error


# --- finding files --------------------------------------------------------------------------


def _files(root: Path, failed: list[FailedFile]) -> Iterator[Path]:
    """Files with a known suffix, hidden ones and the second way into a folder left out."""
    if not root.is_dir():
        raise UnreadableFile(str(root), "no such folder")
    seen: set[tuple[int, int]] = set()
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            status = folder.stat()
            entries = sorted(folder.iterdir(), reverse=True)
        except OSError as error:
            if folder == root:
                raise UnreadableFile(str(root), _why(error)) from error
            failed.append(FailedFile(_shown(folder, root), _why(error)))
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                folders.append(entry)
            elif entry.suffix.lower() in SUFFIXES:
                yield entry


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _shown(path: Path, root: Path) -> str:
    """The path below the root, with forward slashes."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _bytes(path: Path) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableFile("", "is a folder, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile("", "is not an ordinary file")
        if status.st_size > LIMIT:
            size, limit = status.st_size / 2**20, LIMIT // 2**20
            raise UnreadableFile("", f"is {size:.1f} MB large; the limit is {limit} MB")
        with path.open("rb") as file:
            return file.read(LIMIT + 1)[:LIMIT]
    except OSError as error:
        raise UnreadableFile("", _why(error)) from error


def _why(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, FileNotFoundError):
        return "is gone, or a link to nothing"
    return os.strerror(error.errno) if error.errno else "cannot be read"


# --- reading one ----------------------------------------------------------------------------


def _article(source: str, shown: str) -> Article | None:
    source = without_controls(source)
    if not source.strip():
        raise UnreadableFile("", "is empty")
    head, blocks, form = _parts(source, PurePosixPath(shown).suffix.lower())
    if head.draft:
        return None
    blocks = [block for block in without_tail(blocks) if block.text.strip()]
    if not any(block.level == 0 for block in blocks):
        if PurePosixPath(shown).name.startswith("_index."):
            return None
        if not blocks or head.lines:
            raise UnreadableFile("", "has no text" + (" after its metadata" if head.lines else ""))
    text, body_start, headings = assemble(head.lines, blocks)
    return Article(
        id=shown.removesuffix(".md"),
        path=shown,
        title=head.title or _title(blocks, form, shown),
        text=text,
        body_start=body_start,
        headings=headings,
        url=head.url,
        author=head.author,
        date=head.date,
        tags=head.tags,
        form=form,
    )


def _parts(source: str, suffix: str) -> tuple[Head, list[Block], Form]:
    """The form is decided by the content; the suffix only where that says nothing."""
    if is_page(source):
        return *read_page(source), "html"
    head = read_head(source)
    if suffix in (".html", ".htm") and has_tags(head.body):
        page, blocks = read_page(head.body)
        return (head if head.lines else page), blocks, "hugo" if head.is_front_matter else "html"
    if head.is_front_matter or head.is_export:
        return head, markdown_blocks(head.body), "hugo" if head.is_front_matter else "wechat"
    if suffix == ".txt" and not looks_like_markdown(head.body):
        return head, plain_blocks(head.body), "text"
    return head, markdown_blocks(head.body), "markdown"


def _title(blocks: list[Block], form: Form, shown: str) -> str:
    """The first heading of the first level, else the heading or line it opens with, else a name."""
    main = next((block.text for block in blocks if block.level == 1), None)
    if main:
        return main
    first, _, rest = blocks[0].text.partition("\n")
    opens = blocks[0].level or (form == "text" and (rest or len(blocks) > 1))
    if opens and len(first) <= 60 and not first.endswith(tuple("。！？；，：.,;:")):
        return first
    path = PurePosixPath(shown)
    return path.parent.name if path.stem in ("index", "_index") and path.parent.name else path.stem
