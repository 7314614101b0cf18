"""`youju doctor`: checks every part and says how to mend what is wrong."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any, Literal

from rich.text import Text

from bot.escape import printable
from bot.show import say
from rag.build import load_settings
from rag.errors import YoujuError
from rag.settings import Settings

Level = Literal["ok", "warning", "broken"]
_MARKS: Mapping[Level, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "broken": ("✗", "bold red"),
}
_LITTLE_DISK = 500_000_000  # bytes; a generation of 35,000 passages takes about this much


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `mend` says what to do, empty when all is well."""

    part: str
    level: Level
    found: str
    mend: str = ""
    exit_code: int = 0

    def form(self) -> dict[str, Any]:
        return asdict(self)


def examine(flags: Mapping[str, Any]) -> list[Finding]:
    """Run every check; one that fails does not keep the others from running."""
    try:
        settings = load_settings(flags)
    except YoujuError as error:
        return [_python(), Finding("settings", "broken", str(error), "", error.exit_code)]
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _articles,
        _data_directory,
        _model,
        _scripts,
        _aftermath,
        _chroma,
        _index,
        _language_model,
        _discord,
    )
    findings = [_python()]
    for check in checks:
        try:
            findings += check(settings)
        except YoujuError as error:
            part = check.__name__.strip("_").replace("_", " ")
            findings.append(Finding(part, "broken", str(error), "", error.exit_code))
    return findings


def show_findings(findings: list[Finding]) -> None:
    """One line a finding, and below it how to mend it."""
    for finding in findings:
        mark, style = _MARKS[finding.level]
        say(Text(printable(finding.found)), 17, Text(f"{mark} {finding.part}", style))
        if finding.mend:
            say(Text(printable(finding.mend), "yellow"), 4, Text("  →", "yellow"))


def _python() -> Finding:
    version = platform.python_version()
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    level: Level = "ok" if fits else "broken"
    return Finding(
        "python", level, version, "" if fits else "Use Python 3.11 to 3.13.", 3 * (not fits)
    )


def _articles(settings: Settings) -> Iterator[Finding]:
    from corpus.read import read_folder
    from rag.errors import CorpusEmpty, CorpusMissing

    folder = settings.corpus_dir
    if not folder.is_dir():
        raise CorpusMissing(folder)
    articles, failed = read_folder(folder)
    for file in failed:
        yield Finding("articles", "warning", f"{file.path}: {file.reason}", "Mend or remove it.")
    if not articles:
        raise CorpusEmpty(folder)
    yield Finding("articles", "ok", f"{len(articles)} can be read in {folder}")


def _data_directory(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    standing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not os.access(standing, os.W_OK) or not standing.is_dir():
        mend = "Make it writable, or set YOUJU_DATA_DIR to a folder that is."
        yield Finding("data directory", "broken", f"{folder} cannot be written", mend, 3)
        return
    free = shutil.disk_usage(standing).free
    if free < _LITTLE_DISK:
        yield Finding("disk", "warning", f"{free // 1_000_000} MB left", "Free some space.")
    yield Finding("data directory", "ok", f"{folder}, {free // 1_000_000_000} GB free")


def _model(settings: Settings) -> Iterator[Finding]:
    from rag.embed import load_embedder

    began = perf_counter()
    embedder = load_embedder(settings.embed_model)
    same = float(embedder.embed_query("什麼是對齊？") @ embedder.embed_query("什么是对齐？"))
    took = 1000 * (perf_counter() - began)
    yield Finding(
        "model", "ok", f"{embedder.name}, {embedder.dimensions} dimensions, {took:.0f} ms to load"
    )
    if same < 0.9:
        told = f"the two scripts of one question are only {same:.2f} alike to this model"
        yield Finding("model", "warning", told, "Prefer a model that knows both scripts.")


def _scripts(_: Settings) -> Iterator[Finding]:
    from rag.fold import fold
    from rag.variant import to_variant

    sample, simplified = "當模型學會隱藏", "当模型学会隐藏"
    if fold(sample) != simplified or to_variant(simplified, "hant") != sample:
        yield Finding("scripts", "broken", "OpenCC converts wrongly", "Reinstall opencc.", 3)
        return
    yield Finding("scripts", "ok", "Traditional and Simplified convert both ways")


def _aftermath(settings: Settings) -> Iterator[Finding]:
    from rag.aftermath import traces

    for trace in traces(settings.data_dir, pointed=not settings.chroma_url):
        mend = "The next `youju reindex` mends it." if trace.harm else ""
        yield Finding("index", "warning" if trace.harm else "ok", trace.told, mend)


def _chroma(settings: Settings) -> Iterator[Finding]:
    if not settings.chroma_url:
        return
    from rag.chroma_check import reach

    found = reach(settings)
    told = f"{settings.chroma_url}, {found.collections} collections, {found.milliseconds:.0f} ms"
    building = f"; a reindex is running ({found.builder})" if found.builder else ""
    yield Finding("chroma", "ok", f"{told}{building}")


def _index(settings: Settings) -> Iterator[Finding]:
    from rag.build import build_service
    from rag.verify import GOOD

    service = build_service(settings)
    try:
        needed = service.index_needed()
        if needed:
            yield Finding("index", "warning", needed, "Run `youju reindex`, or just ask.")
            return
        status = service.status()
        shelf = service.store.shelf
        for name in shelf.names():
            if (why := shelf.damage(name, thorough=True)) is not None:
                found, mend = f"{name} is damaged: {why}", "Run `youju reindex`."
                yield Finding("index", "broken", found, mend, 4)
        answered = service.search("AI", 1)
        service.why("AI")  # has the passages read too, so that a damaged reader is noticed
        articles = f"{status.articles} article{'s' if status.articles != 1 else ''}"
        held = f"{answered.generation}: {articles}, {status.passages} passages"
        yield Finding("index", "ok", held)
        nearest = shelf.manifest(answered.generation).nearest
        if nearest < GOOD:
            told = f"its vectors find {100 * nearest:.0f} % of the nearest passages"
            mend = "Another model (YOUJU_EMBED_MODEL) may find more."
            yield Finding("index", "warning", told, mend)
    finally:
        service.close()


def _language_model(settings: Settings) -> Iterator[Finding]:
    if not settings.llm_base_url:
        yield Finding("language model", "ok", "none is set; answers are taken from the articles")
        return
    from rag.errors import LanguageModelFailed
    from rag.llm_check import reach

    where = f"{settings.llm_model} at {settings.llm_base_url}"
    try:
        reached = reach(settings)
    except LanguageModelFailed as failed:
        mend = "See the table of reasons in docs/LLM.md."
        found = f"{where} gives no answer ({failed.reason})"
        yield Finding("language model", "broken", found, mend, failed.exit_code)
        return
    if reached.known is False:
        mend = f"Set YOUJU_LLM_MODEL to a model it has, such as {', '.join(reached.models)}."
        yield Finding("language model", "warning", f"{where} is not in the server's list", mend)
        return
    listed = "" if reached.known else "; the server lists no models"
    yield Finding("language model", "ok", f"{where} can be reached{listed}")


def _discord(_: Settings) -> Iterator[Finding]:
    from bot.run import invitation
    from bot.settings import load_bot_settings

    token = load_bot_settings().token.get_secret_value()
    if not token:
        yield Finding("discord", "ok", "DISCORD_TOKEN is not set; only `youju bot` needs it")
        return
    invitation(token)  # raises when it has not the form of a token
    yield Finding("discord", "ok", "DISCORD_TOKEN is set; `youju bot --invite` prints the link")
