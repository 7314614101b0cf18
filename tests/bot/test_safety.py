"""Nothing that people or articles write pings, links or formats; no person's data leaks."""

import html
import logging
import re
from pathlib import Path

import pytest

from bot.client import INTENTS
from bot.escape import clipped, code_block, line, plain, quoted, units, within
from bot.picture import markdown
from rag.service import Service
from tests.bot.conftest import Run
from tests.bot.running import bot_settings, opened
from tests.discord_server import DiscordServer, Member, Seen

HOSTILE = {
    "everyone": "@everyone 誰是 Izmailov",
    "here": "@here 誰是 Izmailov",
    "user": "{user} 誰是 Izmailov",
    "nickname": "<@!{id}> 誰是 Izmailov",
    "role": "{role} 誰是 Izmailov",
    "channel": "{channel} 誰是 Izmailov",
    "code": "`@everyone` ```@here {user}``` 誰是 Izmailov",
    "backslash": "\\@everyone \\{user} 誰是 Izmailov",
    "masked link": "[點這裡](https://evil.example/{id}) 誰是 Izmailov",
    "link": "https://evil.example/@everyone 誰是 Izmailov",
    "formatting": "# @everyone\n> {role}\n||{user}|| 誰是 Izmailov",
    "command": "</ask:1> <t:1> <:a:1> <id:home> @everyone 誰是 Izmailov",
    "reversed": "\u202e@everyone 誰是 Izmailov",
}


def hostile(text: str, server: DiscordServer, victim: Member) -> str:
    """The text with the ids of people, roles and channels that exist."""
    role = server.guild["roles"][1]["id"]
    return text.format(
        user=victim.mention, id=victim.id, role=f"<@&{role}>", channel=f"<#{server.home['id']}>"
    )


def assert_harmless(seen: Seen) -> None:
    """No mention, no link that Discord would draw, in any text of a message."""
    drawn = markdown(seen.text)
    assert 'class="at"' not in drawn, seen.text
    assert 'class="url"' not in drawn, seen.text
    assert "@everyone" not in seen.text
    assert "@here" not in seen.text
    assert "\u202e" not in seen.text
    assert len(seen.pings) == 0


@pytest.mark.parametrize("case", HOSTILE)
async def test_a_hostile_question_pings_nobody_and_links_nowhere(
    run: Run, server: DiscordServer, alice: Member, refusing: Service, case: str
) -> None:
    question = hostile(HOSTILE[case], server, server.member("victim"))
    async with run(refusing):
        by_command = await alice.slash("ask", question=question)
        by_mention = await alice.ask(question)
        searched = await alice.slash("search", query=question)
        why = await alice.slash("why")
        checked = await alice.message_menu("核對來源", alice.say(question))

    for seen in (by_command, by_mention, searched):
        assert_harmless(seen)
    assert isinstance(checked, Seen)
    assert "@everyone" not in checked.text + why.text
    assert server.pings == 0


async def test_a_hostile_article_pings_nobody_and_links_nowhere(
    run: Run, server: DiscordServer, alice: Member, tmp_path: Path
) -> None:
    corpus = tmp_path / "articles"
    corpus.mkdir()
    victim = server.member("victim")
    for number, text in enumerate(HOSTILE.values()):
        body = hostile(text, server, victim)
        (corpus / f"{number}.md").write_text(
            f"# 標題 @everyone {victim.mention} [x](https://evil.example)\n\n{body}第{number}號。\n",
            "utf-8",
        )
    service = opened(tmp_path / "data", corpus_dir=corpus, support=0.0)
    service.reindex()
    async with run(service):
        for number in range(len(HOSTILE)):
            answer = await alice.slash("ask", question=f"誰是 Izmailov 第{number}號？")
            assert_harmless(answer)
            assert_harmless(await alice.click(answer, "看段落", nth=0))
        assert_harmless(await alice.slash("sources"))
    service.close()

    assert server.pings == 0


async def test_a_hostile_thread_name_and_reason_ping_nobody(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run():
        answer = await alice.slash("ask", question="@everyone " + "長" * 200)
        await alice.click(answer, "開討論串")
        modal = await alice.click_modal(answer, "沒幫助")
        thanks = await alice.submit(modal, kind="other", why="@everyone")

    assert len(server.world.channels[answer.id]["name"]) == 100
    assert "@everyone" not in thanks.text
    assert server.pings == 0


def test_no_intent_is_privileged() -> None:
    assert INTENTS.value & (1 << 1 | 1 << 8 | 1 << 15) == 0


async def test_the_token_is_in_no_log_and_no_repr(
    run: Run, alice: Member, caplog: pytest.LogCaptureFixture
) -> None:
    token = "MTE.very.secret"
    settings = bot_settings(token=token)
    with caplog.at_level(logging.DEBUG):
        async with run(token=token):
            await alice.slash("help")

    assert token not in caplog.text
    assert token not in repr(settings)
    assert token not in str(settings.model_dump())


# escaping


@pytest.mark.parametrize(
    "text",
    [
        "**粗** _斜_ ~~刪~~ `碼` ||藏|| [字](https://a.example) <https://a.example>",
        "# 標題\n> 引言\n- 項\n1. 項\n-# 小字\n+ 項",
        "https://example.org/a_b*c",
        "1 < 2 > 0 [1] (2) #3 \\* a_b",
        "```\ncode\n```",
    ],
)
def test_escaped_text_is_drawn_as_it_was_written(text: str) -> None:
    drawn = re.sub(r"<br>", "", re.sub(r"</div><div>", "\n", markdown(plain(text))))
    assert html.unescape(re.sub(r"<[^>]+>", "", drawn)).replace("\u200b", "") == text


def test_lines_quotes_and_lengths() -> None:
    assert line("甲\n  乙\t丙") == "甲 乙 丙"
    assert line("長" * 10, 4) == "長長長…"
    assert clipped("短", 4) == "短"
    assert quoted("甲\n\n乙") == "> 甲\n> \u200b\n> 乙"
    assert units("甲😀") == 3
    assert units(within("😀" * 60, 80)) <= 80
    assert "```\n" in code_block("a```b")
    assert code_block("a```b").count("```") == 2
