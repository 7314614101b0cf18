"""Questions written for passages are found by, written once, and never stop an index."""

from pathlib import Path

from corpus.article import Article, Passage
from rag.lexical import LexicalIndex
from rag.passage_questions import fingerprint, questions_beside, wanted
from rag.result import Progress
from rag.settings import Settings
from tests.llm_server import KEY, Call, LlmServer, Turn, says

TEXT = (
    "港務局每年三月檢查燈塔的煤油燈，並把結果寫進一本藍色的冊子，"
    "放在塔底的木箱裡，任何人都可以翻閱。"
)


def article(name: str, text: str = TEXT) -> tuple[Article, Passage]:
    made = Article(name, f"{name}.md", "燈塔", text)
    return made, Passage(f"{name}#0", name, 0, 0, len(text), text)


def asked_for(server: LlmServer, count: int = 2) -> dict[str, object]:
    return wanted(
        Settings(
            _env_file=None,  # type: ignore[call-arg]
            llm_base_url=server.url, llm_model="scripted", llm_api_key=KEY,  # type: ignore[arg-type]
            llm_passage_questions=count,
        )
    )  # fmt: skip


def colloquial(_: Call) -> Turn:
    return says("1. 誰在顧那盞油燈啊？\n2. 想看檢查紀錄去哪找？\n3. 多出來的一個")


def unheard(_: Progress) -> None:
    return


def test_a_passage_is_found_by_its_questions_and_keeps_its_text(tmp_path: Path) -> None:
    (one, passage), (other, another) = (
        article("a"),
        article("b", "白沙島上沒有燈塔，只有一座氣象站。" * 3),
    )
    articles = {"a": one, "b": other}
    with LlmServer(colloquial) as server:
        order = asked_for(server)
        beside = questions_beside(articles, [passage], order, tmp_path, unheard)

    plain = LexicalIndex.build(articles, [passage, another])
    helped = LexicalIndex.build(articles, [passage, another], beside=beside)

    assert beside == {"a#0": "誰在顧那盞油燈啊？\n想看檢查紀錄去哪找？"}
    question = "檢查紀錄去哪找"
    assert helped.scores(question).ngrams[0] > plain.scores(question).ngrams[0]
    assert passage.text == TEXT


def test_questions_are_written_once(tmp_path: Path) -> None:
    made, passage = article("a")
    steps: list[Progress] = []
    with LlmServer(colloquial) as server:
        order = asked_for(server)
        first = questions_beside({"a": made}, [passage], order, tmp_path, steps.append)
        again = questions_beside({"a": made}, [passage], order, tmp_path, steps.append)
        calls = len(server.calls)
        questions_beside({"a": made}, [passage], asked_for(server, 1), tmp_path, unheard)

    assert first == again
    assert calls == 1
    assert len(server.calls) == 2
    assert steps == [Progress("ask", 1, 1)]


def test_a_model_that_fails_leaves_passages_without_questions(tmp_path: Path) -> None:
    made, passage = article("a")
    with LlmServer(lambda _: Turn(status=404)) as server:
        beside = questions_beside({"a": made}, [passage], asked_for(server), tmp_path, unheard)

    assert beside == {}


def test_nothing_is_asked_unless_the_settings_want_it(tmp_path: Path) -> None:
    made, passage = article("a")
    with LlmServer(colloquial) as server:
        order = asked_for(server, 0)
        beside = questions_beside({"a": made}, [passage], order, tmp_path, unheard)

    assert (order, beside, fingerprint(order), server.calls) == ({}, {}, {}, [])
    assert not list(tmp_path.iterdir())
