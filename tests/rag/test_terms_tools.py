"""Moderators' words: looked up, checked, found in the articles, tried before they are taken."""

from pathlib import Path

import pytest

from corpus.article import Article
from rag.build import build_service
from rag.errors import BadTermsFile
from rag.evaluation import Row
from rag.service import Service
from rag.settings import Settings
from rag.terms import load_terms
from rag.terms_check import Finding, check_terms
from rag.terms_mine import mine

ARTICLES = {
    "hant.md": "# 茶\n\n沖茶師傅說的回甘，是喝完之後喉嚨裡的甜味。\n\n茶單（menu）每季更換。\n",
    "hans.md": "# 咖啡\n\n手冲咖啡要用九十度的水。\n\n烘豆师（roaster）决定一支豆子的风味。\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Service:
    corpus = tmp_path / "articles"
    corpus.mkdir()
    for name, text in ARTICLES.items():
        (corpus / name).write_text(text, "utf-8")
    (corpus / "terms.csv").write_text("# 我們的說法\n回甘,喉韻,after taste\n", "utf-8")
    settings = Settings(data_dir=tmp_path / "data", corpus_dir=corpus, _env_file=None)  # type: ignore[call-arg]
    service = build_service(settings)
    service.reindex()
    return service


def findings(tmp_path: Path, *lines: str) -> list[Finding]:
    path = tmp_path / "terms.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return check_terms(path)


# looking up


def test_a_word_is_found_in_its_other_forms_and_scripts(shop: Service) -> None:
    found = shop.look_up("喉韵")
    shop.close()

    assert [(group.own, group.indexed) for group in found.groups] == [(True, True)]
    assert found.groups[0].forms == ("回甘", "喉韻", "after taste")
    assert found.count == 1
    place = found.places[0]
    assert place.article.path == "hant.md"
    assert place.passage.text[place.start : place.end] == "回甘"


def test_a_new_row_is_shown_as_not_indexed_yet(shop: Service) -> None:
    with (shop.settings.corpus_dir / "terms.csv").open("a", encoding="utf-8") as file:
        file.write("沖茶師傅,茶藝師\n")
    before = shop.look_up("茶藝師")
    shop.reindex()
    after = shop.look_up("茶藝師")
    shop.close()

    assert [group.indexed for group in before.groups] == [False]
    assert [group.indexed for group in after.groups] == [True]
    assert before.places[0].forms == ("沖茶師傅",)


def test_english_is_found_as_whole_words_with_their_endings(shop: Service) -> None:
    found = shop.look_up("roasters")
    nothing = shop.look_up("roast beef")
    shop.close()

    assert [place.passage.text[place.start : place.end] for place in found.places] == ["roaster"]
    assert (nothing.groups, nothing.places, nothing.count) == ((), (), 0)


# checking


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("茶,紅茶", "a single character"),
        ("我們,咱們圈", "stands in any sentence"),
        ("什麼,喉韻", "stands in any sentence"),
        ("回甘，喉韻,尾韻", "one cell holds several words"),
        ("回 甘,喉韻", "a blank or a mark inside Chinese"),
        ("喉韻,a taste that stays in the throat", "more than 4 words"),
        ("喉韻", "one form alone"),
        ("喉韻,喉韵", "its forms are one to the search"),
        ('"喉韻,回甘', "a quotation mark joins"),
    ],
)
def test_what_does_not_work_is_named_by_its_line(tmp_path: Path, row: str, what: str) -> None:
    found = findings(tmp_path, "# 我們的", "冷泡茶,冷萃", row, "")

    wrong = [finding for finding in found if finding.level == "wrong"]
    assert [finding.line for finding in wrong] == [3]
    assert what in wrong[0].what
    assert wrong[0].do


def test_rows_and_words_that_stand_twice_are_named(tmp_path: Path) -> None:
    found = findings(tmp_path, "喉韻,回甘", "回甘,喉韵", "回甘,尾勁")

    assert [(f.line, f.level) for f in found] == [(2, "wrong"), (3, "look")]
    assert "line 1 again" in found[0].what
    assert "line 1 too" in found[1].what


def test_words_that_the_bridge_has_already_are_named(tmp_path: Path) -> None:
    found = findings(tmp_path, "強化學習,RL", "求生本能,喉韻")

    assert [(f.line, f.level, f.form) for f in found] == [
        (1, "look", "強化學習"), (2, "look", "求生本能")
    ]  # fmt: skip
    assert "not needed" in found[0].do
    assert "youju has it with" in found[1].what


def test_a_good_file_has_no_findings_and_one_that_is_no_text_is_refused(tmp_path: Path) -> None:
    assert findings(tmp_path, "# 註解", "回甘,喉韻,after taste", "") == []

    (tmp_path / "terms.csv").write_bytes("回甘,喉韻".encode("big5"))
    with pytest.raises(BadTermsFile):
        check_terms(tmp_path / "terms.csv")


# finding


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("這種連貫性錯位（coherent misalignment）還沒有人見過。",
         [("連貫性錯位", "coherent misalignment")]),
        ("他在「回甘」（after taste）上很講究。", [("回甘", "after taste")]),
        ("我们采用生产者分组（producer group）来管理。", [("生产者分组", "producer group")]),
        ("VAD（Voice Activity Detection，语音活动检测）很重要。",
         [("VAD", "Voice Activity Detection", "语音活动检测")]),
        ("帕維爾．伊茲邁洛夫（Pavel Izmailov）在場。", [("伊茲邁洛夫", "Izmailov")]),
        ("内部类又称为嵌套类，很常见。", [("内部类", "嵌套类")]),
        ("模型（如 GPT、Claude 等）很多，比例（見圖三）不高，共 3 場（每場 2 小時）。", []),
        ("呼叫 print(name) 會印出名字（推薦）。", []),
        ("強化學習（RL）很有名。", []),
    ],
)  # fmt: skip
def test_rows_are_found_in_sentences(text: str, rows: list[tuple[str, ...]]) -> None:
    found = mine([Article("a", "a.md", "a", text)], load_terms())

    assert [set(candidate.row) for candidate in found] == [set(row) for row in rows]


def test_one_gloss_in_two_articles_and_scripts_makes_one_row() -> None:
    articles = [
        Article("a", "a.md", "a", "這種連貫性錯位（coherent misalignment）很少見。"),
        Article("b", "b.md", "b", "一致性失调（coherent misalignment）很少见。"),
    ]

    (found,) = mine(articles, load_terms())

    assert set(found.row) == {"連貫性錯位", "coherent misalignment", "一致性失调"}
    assert found.path == "a.md"


# trying


def test_a_row_is_tried_before_it_is_taken(shop: Service) -> None:
    questions: list[Row] = [
        {
            "id": "q",
            "question": "茶席主理人說的甜味在哪裡",
            "gold_quotes": ["是喝完之後喉嚨裡的甜味"],
        },
        {"id": "r", "question": "手冲咖啡的水温", "gold_quotes": ["手冲咖啡要用九十度的水"]},
    ]
    before = (shop.settings.corpus_dir / "terms.csv").read_bytes()

    trial = shop.try_terms([["茶席主理人", "沖茶師傅"]], questions)
    nothing = shop.try_terms([["回甘", "喉韻", "after taste"]], questions)
    shop.close()

    assert trial.questions == 2
    assert set(trial.before) == set(trial.after)
    assert trial.worse == ()
    assert nothing.moved == ()
    assert (shop.settings.corpus_dir / "terms.csv").read_bytes() == before


def test_a_row_that_misleads_is_shown_as_worse(shop: Service) -> None:
    questions: list[Row] = [
        {"id": "q", "question": "回甘", "gold_quotes": ["是喝完之後喉嚨裡的甜味"]},
        {"id": "r", "question": "焙師", "gold_quotes": ["烘豆师（roaster）决定"]},
    ]

    good = shop.try_terms([["焙師", "烘豆師", "roaster"]], questions)
    bad = shop.try_terms([["焙師", "沖茶師傅"]], questions)
    shop.close()

    ranks = {moved.id: moved.rank for moved in (*good.moved, *bad.moved)}
    assert all(after is not None for _, after in ranks.values())
    assert not any(moved.better for moved in bad.moved)
    assert not any(not moved.better for moved in good.moved)
