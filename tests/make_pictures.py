"""Draw docs/pictures: messages that the bot really sent in the local Discord.

    python -m tests.make_pictures [FOLDER]

Needs chromium. The index is built over the articles that ship.
"""

import asyncio
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord  # noqa: F401

from PIL import Image

from bot.picture import Frame, Json, page, png
from rag.settings import DEFAULT_CORPUS
from rag.variant import to_variant
from tests.bot.running import opened, running_bot
from tests.discord_server import DiscordServer
from tests.llm_models import best_sentence
from tests.llm_server import Call, LlmServer, Turn, says

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
LARGEST = 200_000  # bytes
EDITED = "claude-alignment-faking.md"


async def draw(folder: Path, room: Path) -> None:
    """Ask, refuse, reindex; draw each of the messages."""
    corpus = room / "articles"
    shutil.copytree(DEFAULT_CORPUS, corpus)
    service = opened(room / "data", corpus_dir=corpus)
    service.reindex()
    async with DiscordServer() as server, running_bot(server, service, room / "bot"):
        ming, hong = server.member("小明"), server.member("小红", locale="zh-CN")
        asked = await ming.slash("ask", question="為什麼思維鏈不能完全相信？")
        save(folder / "answer-traditional.png", asked.payload, "小明 使用了 **/問**", "zh-Hant")
        passage = await ming.click(asked, "看段落", nth=0)
        save(folder / "passage.png", passage.payload, "", "zh-Hant")
        asked = await hong.slash("ask", question="Claude 在实验里假装对齐的比例是多少？")
        save(folder / "answer-simplified.png", asked.payload, "小红 使用了 **/问**", "zh-Hans")
        refused = await ming.slash("ask", question="推薦台中好吃的滷肉飯")
        save(folder / "refusal.png", refused.payload, "小明 使用了 **/問**", "zh-Hant")
        edit(corpus)
        mod = server.moderator("管理員")
        report = await mod.slash("reindex")
        await report.until("索引已更新", within=120)
        save(folder / "reindex.png", report.payload, "管理員 使用了 **/重建索引**", "zh-Hant")
    service.close()
    await draw_model(folder, room, corpus)


async def draw_model(folder: Path, room: Path, corpus: Path) -> None:
    """An answer that a model wrote."""
    with LlmServer(fluent) as llm:
        address = {"llm_base_url": llm.url, "llm_model": "example-model", "llm_api_key": llm.key}
        service = opened(room / "data", corpus_dir=corpus, **address)
        async with DiscordServer() as server, running_bot(server, service, room / "model"):
            ming = server.member("小明")
            seen = await ming.slash("ask", question="思維鏈為什麼不能完全相信？")
            await seen.until("逐字核對", within=120)
            save(folder / "model-answer.png", seen.payload, "小明 使用了 **/問**", "zh-Hant")
        service.close()


def fluent(call: Call) -> Turn:
    """Three sentences of the passages, each with its quote, at the pace of a small model."""
    script = "hant" if "正體" in call.system else "hans"
    found = (best_sentence(call, place) for place in range(3))
    flat = [(number, " ".join(sentence.split())) for number, sentence in found]
    told = [f"{to_variant(text, script)}\n> [{number}] {text}\n" for number, text in flat]
    return says("".join(told), delay=0.05)


def edit(corpus: Path) -> None:
    """One article new, one changed, one that cannot be read."""
    (corpus / "notes-on-evaluation.md").write_text(
        "# 評估筆記\n\n好的評估先問：答錯的代價是什麼？\n", "utf-8"
    )
    article = corpus / EDITED
    article.write_text(article.read_text("utf-8") + "\n补记：本文于今日校订。\n", "utf-8")
    (corpus / "broken-export.md").write_bytes(b"\xff\xfe\x00")


def save(to: Path, message: Json, asked: str, lang: str) -> None:
    """Draw a message; fails when the picture is larger than it may be."""
    png(page(message, Frame(asked=asked, lang=lang)), to)
    # Text on a few flat colours: 128 of them look the same and take half of the bytes.
    with Image.open(to) as drawn:
        drawn.convert("RGB").quantize(128).save(to, optimize=True)
    size = to.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{to.name} has {size:,} bytes, more than {LARGEST:,}.")
    sys.stdout.write(f"{to.name}: {size:,} bytes\n")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as room:
        asyncio.run(draw(folder, Path(room)))


if __name__ == "__main__":
    main()
