"""Draw docs/pictures: messages that the bot really sent in the local Discord, and a report.

    python -m tests.make_pictures [FOLDER]

Needs chromium, matplotlib (the extra `report`), and fonts with Chinese characters and with emoji:
without them boxes are drawn. The index is built over the articles that ship.
"""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord  # noqa: F401

from PIL import Image

from bot.page import write_page
from bot.picture import FLAGS, Frame, Json, page, png
from rag.evaluation import read_rows
from rag.service import Service
from rag.settings import DEFAULT_CORPUS
from rag.variant import to_variant
from tests.bot.running import opened, running_bot
from tests.discord_server import DiscordServer
from tests.llm_models import best_sentence
from tests.llm_server import Call, LlmServer, Turn, says

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
GOLDEN = DEFAULT_CORPUS.parent / "golden.jsonl"
LARGEST = 200_000  # bytes
EDITED = "claude-alignment-faking.md"


async def draw(folder: Path, room: Path) -> None:
    """Evaluate; ask, refuse, reindex; draw the report and each of the messages."""
    corpus = room / "articles"
    shutil.copytree(DEFAULT_CORPUS, corpus)
    service = opened(room / "data", corpus_dir=corpus)
    service.reindex()
    draw_report(folder / "report.png", room, service)
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


def draw_report(to: Path, room: Path, service: Service) -> None:
    """The page that `youju eval --report` writes over the golden questions, without its tables
    by script and kind.
    """
    evaluation = service.examine(read_rows(GOLDEN, "question"))
    report = room / "report.html"
    write_page(report, GOLDEN.name, service.settings, evaluation)
    report.write_text(abridged(report.read_text("utf-8")), "utf-8")
    size = ["--force-device-scale-factor=1", "--window-size=1000,1885"]
    profile = f"--user-data-dir={room}/profile"
    command = ["chromium", *FLAGS, *size, profile, f"--screenshot={to}", report.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    shrink(to)


def abridged(written: str) -> str:
    """The page with what its caption names, short enough for a picture."""
    for left_out in (r"<h3>.*?</table>", r"<h2>Latency</h2>.*?(?=<h2>)"):
        written = re.sub(left_out, "", written, flags=re.DOTALL)
    retrieval = written.index("<h2>Retrieval</h2>")
    table = slice(written.index("<table", retrieval), written.index("</table>", retrieval))
    return written.replace(written[table], "<table>", 1)


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
    opening, *rest = article.read_text("utf-8").split("\n## ")  # below its last line all is chrome
    corrected = "\n## ".join([f"{opening}\n补记：本文于今日校订。\n", *rest])
    article.write_text(corrected, "utf-8")
    (corpus / "broken-export.md").write_bytes(b"\xff\xfe\x00")


def save(to: Path, message: Json, asked: str, lang: str) -> None:
    """Draw a message."""
    png(page(message, Frame(asked=asked, lang=lang)), to)
    shrink(to)


def shrink(to: Path) -> None:
    """Fails when the picture is larger than it may be."""
    # Text on a few flat colours: 128 of them look the same and take half of the bytes.
    with Image.open(to) as drawn:
        drawn.convert("RGB").quantize(128).save(to, optimize=True)
    size = to.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{to.name} has {size:,} bytes, more than {LARGEST:,}.")
    sys.stdout.write(f"{to.name}: {size:,} bytes\n")


def check_fonts() -> None:
    """End where no font has what the pictures show, as far as fontconfig can tell."""
    if not shutil.which("fc-list"):
        return
    for what, pattern in (("Chinese characters", ":lang=zh"), ("emoji", ":lang=und-zsye")):
        if not subprocess.run(["fc-list", pattern], capture_output=True, check=True).stdout:
            sys.exit(f"No font with {what} is installed (fc-list {pattern} names none): add one.")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    check_fonts()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as room:
        asyncio.run(draw(folder, Path(room)))


if __name__ == "__main__":
    main()
