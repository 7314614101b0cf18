"""The command line's contract: names, exit codes, and one sentence for each mistake."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from rag.manifest import read_manifest, write_manifest
from tests.conftest import Youju

_ANSWER = {
    *("question", "variant", "status", "answer", "citations", "passages"),
    *("engine", "degraded", "generation", "timings_ms"),
}
_ARTICLE = {"id", "title", "path", "url", "author", "date"}
_CITATION = {"n", "article", "heading", "quote", "start", "end", "passage", "score"}
_PASSAGE = {"article", "heading", "text", "score"}


@pytest.mark.parametrize(
    ("question", "variant"),
    [("什麼是 sandbagging？", "hant"), ("什么是 sandbagging？", "hans")],
    ids=["traditional", "simplified"],
)
def test_ask_answers_with_the_names_that_others_rely_on(
    youju: Youju, question: str, variant: str
) -> None:
    ran = youju("ask", question, "--json")

    told = json.loads(ran.out)
    assert ran.code == 0
    assert set(told) == _ANSWER
    assert (told["question"], told["variant"], told["status"]) == (question, variant, "answered")
    assert (told["engine"], told["degraded"]) == ("extractive", None)
    assert set(told["timings_ms"]) == {"retrieve", "answer", "total"}
    assert len(told["passages"]) == 5
    assert all(set(passage) == _PASSAGE for passage in told["passages"])
    assert 1 <= len(told["citations"]) <= 3
    for n, citation in enumerate(told["citations"], 1):
        assert set(citation) == _CITATION
        assert set(citation["article"]) == _ARTICLE
        assert citation["n"] == n
        assert citation["quote"] in citation["passage"]
        assert f"[{n}]" in told["answer"]
        assert citation["end"] - citation["start"] == len(citation["quote"])


def test_a_refusal_is_no_failure_and_cites_nothing_but_offers_the_nearest(youju: Youju) -> None:
    ran = youju("ask", "推薦台中好吃的滷肉飯", "--json")

    told = json.loads(ran.out)
    assert ran.code == 0
    assert told["status"] == "refused"
    assert told["citations"] == []
    assert len(told["passages"]) == 5
    assert told["answer"].startswith("文章裡沒有")


def test_the_variant_flag_overrules_the_script_of_the_question(youju: Youju) -> None:
    told = json.loads(youju("ask", "什麼是 sandbagging？", "--variant", "hans", "--json").out)

    assert told["variant"] == "hans"


def test_output_is_for_people_without_json_and_has_no_colours_when_piped(youju: Youju) -> None:
    ran = youju("ask", "什麼是 sandbagging？")

    assert ran.code == 0
    assert "來源" in ran.out
    assert "[1]" in ran.out
    assert "\x1b" not in ran.out
    assert ran.err == ""


def test_a_batch_answers_every_line_in_order(youju: Youju, tmp_path: Path) -> None:
    rows = [
        {"id": "a", "question": "什麼是 sandbagging？", "variant": "hans"},
        {"question": "🍜"},
        {"id": 7, "question": "他在哪裡長大？", "history": ["Izmailov 是誰？"], "variant": "auto"},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n", encoding="utf-8")

    ran = youju("ask", "--batch", str(file), "--json")

    told = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0
    assert [t.get("id") for t in told] == ["a", None, 7]
    assert [t["variant"] for t in told] == ["hans", "hant", "hant"]
    assert told[1]["status"] == "refused"
    assert "no words" in told[1]["error"]
    assert set(told[2]) == {"id", *_ANSWER}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nonsense", "it is not JSON"),
        ('{"q": 1}', 'text "question"'),
        ('{"question": "a", "history": "b"}', "not a list of texts"),
        ('{"question": "a", "variant": "zh"}', "none of auto, hant, hans"),
    ],
)
def test_a_batch_line_that_is_wrong_is_named(youju: Youju, line: str, why: str) -> None:
    ran = youju("ask", "--batch", "-", "--json", stdin=f'{{"question": "ok"}}\n{line}\n')

    assert ran.code == 2
    assert "line 2" in ran.err
    assert why in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("", "no words"),
        ("   ", "no words"),
        ("🍜🍜", "no words"),
        ("\x07\x1b", "no words"),
        ("<@1234>", "no words"),
        ("問" * 10_000, "10,000 characters"),
    ],
    ids=["empty", "blank", "emoji", "control", "mention", "long"],
)
def test_a_question_that_cannot_be_asked_ends_in_one_sentence(
    youju: Youju, question: str, sentence: str
) -> None:
    ran = youju("ask", question)

    assert ran.code == 2
    assert ran.out == ""
    assert sentence in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        ("ask", "a", "--variant", "zh"),
        ("search", "a", "-k", "0"),
        ("nonsense",),
        ("reindex", "--nonsense"),
        ("eval", "no-such-file.jsonl"),
        ("ask", "--batch", "no-such-file.jsonl"),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2_and_no_traceback(
    youju: Youju, arguments: tuple[str, ...]
) -> None:
    ran = youju(*arguments)

    assert ran.code == 2
    assert ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("environment", "code", "sentence"),
    [
        ({"YOUJU_EMBED_MODEL": "no/such-model"}, 3, "no/such-model"),
        ({"YOUJU_PASSAGE_CHARS": "many"}, 3, "YOUJU_PASSAGE_CHARS"),
        ({"YOUJU_CORPUS_DIR": "/no/such/folder"}, 5, "/no/such/folder"),
    ],
    ids=["model", "setting", "corpus"],
)
def test_what_is_set_wrongly_is_named(
    tmp_path: Path, environment: dict[str, str], code: int, sentence: str
) -> None:
    ran = Youju(tmp_path / "data", environment)("ask", "什麼是對齊？")

    assert ran.code == code
    assert sentence in ran.err
    assert "Traceback" not in ran.err


def test_an_empty_folder_of_articles_is_named_and_no_index_comes_of_it(tmp_path: Path) -> None:
    (tmp_path / "articles").mkdir()
    empty = Youju(tmp_path / "data", {"YOUJU_CORPUS_DIR": str(tmp_path / "articles")})

    assert empty("reindex").code == 5
    assert empty("ask", "什麼是對齊？").code == 5
    assert empty("rollback").code == 4
    assert json.loads(empty("status", "--json").out)["generation"] is None


def test_a_data_directory_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    ran = Youju(tmp_path / "data")("ask", "什麼是對齊？")

    assert ran.code == 3
    assert str(tmp_path / "data") in ran.err
    assert "Traceback" not in ran.err


def test_a_first_question_indexes_by_itself_and_says_so_on_stderr(tmp_path: Path) -> None:
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "tea.md").write_text(
        "# 泡茶\n\n綠茶要用攝氏八十度的水沖泡，才不會苦。\n\n紅茶可以用沸水沖泡。\n",
        encoding="utf-8",
    )
    fresh = Youju(tmp_path / "data", {"YOUJU_CORPUS_DIR": str(articles)})

    ran = fresh("ask", "綠茶要用幾度的水沖泡？", "--json")

    assert ran.code == 0
    assert "Indexing" in ran.err
    assert "攝氏八十度" in json.loads(ran.out)["answer"]

    again = json.loads(fresh("reindex", "--json").out)

    assert again["embedded"] == 0
    assert again["articles"]["unchanged"] == 1


def test_reindex_tells_what_changed_and_rollback_takes_it_back(tmp_path: Path) -> None:
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "a.md").write_text("# 甲\n\n綠茶要用攝氏八十度的水沖泡。\n", encoding="utf-8")
    (articles / "bad.md").write_bytes(b"\x00\x01\x02\xff\xfe\xfd" * 40)
    bench = Youju(tmp_path / "data", {"YOUJU_CORPUS_DIR": str(articles)})

    first = json.loads(bench("reindex", "--json").out)
    (articles / "b.md").write_text("# 乙\n\n紅茶可以用沸水沖泡。\n", encoding="utf-8")
    planned = json.loads(bench("reindex", "--dry-run", "--json").out)
    second = json.loads(bench("reindex", "--json").out)
    back = json.loads(bench("rollback", "--json").out)

    assert first["articles"]["added"] == ["a.md"]
    assert [failed["path"] for failed in first["articles"]["failed"]] == ["bad.md"]
    assert planned["articles"]["added"] == second["articles"]["added"] == ["b.md"]
    assert planned["embedded"] == second["embedded"] == 1
    assert second["generation"] != first["generation"] == back["generation"]


def test_search_shows_the_scores_of_both_legs(youju: Youju) -> None:
    told = json.loads(youju("search", "思維鏈能不能監控模型", "-k", "3", "--json").out)

    assert len(told["passages"]) == 3
    scores = [passage["score"] for passage in told["passages"]]
    assert scores == sorted(scores, reverse=True)
    assert {"lexical", "dense", "score", "text", "article", "heading"} <= set(told["passages"][0])


def test_why_tells_what_decided(youju: Youju) -> None:
    told = json.loads(youju("why", "什麼是強化學習？", "--json").out)

    assert told["folded"] == "什么是强化学习?"
    assert "rl" in told["forms"]["强化学习"]
    assert 0 <= told["support"] <= 1


def test_chat_understands_a_follow_up_and_switches_the_script(youju: Youju) -> None:
    ran = youju("chat", "--json", stdin="Izmailov 是誰？\n/简\n他在哪里长大？\n")

    first, second = (json.loads(line) for line in ran.out.splitlines())
    assert ran.code == 0
    assert first["variant"] == "hant"
    assert second["variant"] == "hans"
    assert "莫斯科" in second["answer"]


def test_doctor_finds_a_healthy_installation_healthy(youju: Youju) -> None:
    ran = youju("doctor", "--json")

    findings = json.loads(ran.out)["findings"]
    assert ran.code == 0
    assert {finding["level"] for finding in findings} == {"ok"}
    assert {"articles", "model", "index", "scripts"} <= {f["part"] for f in findings}


def test_doctor_names_what_is_wrong_and_exits_with_its_code(tmp_path: Path) -> None:
    ran = Youju(tmp_path, {"YOUJU_CORPUS_DIR": "/no/such/folder"})("doctor")

    assert ran.code == 5
    assert "/no/such/folder" in ran.out


def test_doctor_tells_when_the_vectors_find_too_little(youju: Youju, tmp_path: Path) -> None:
    shutil.copytree(youju.data_dir, tmp_path / "data")
    for path in (tmp_path / "data").glob("generations/*/manifest.json"):
        write_manifest(path.parent, replace(read_manifest(path.parent), nearest=0.85))

    ran = Youju(tmp_path / "data")("doctor", "--json")

    findings = json.loads(ran.out)["findings"]
    (told,) = [finding for finding in findings if finding["level"] != "ok"]
    assert ran.code == 0
    assert (told["part"], told["level"]) == ("index", "warning")
    assert "find 85 % of the nearest passages" in told["found"]


def test_eval_scores_given_passages(youju: Youju, tmp_path: Path) -> None:
    passages, questions = tmp_path / "p.jsonl", tmp_path / "q.jsonl"
    texts = {"t": "綠茶要用攝氏八十度的水沖泡。", "c": "咖啡豆產自衣索比亞。"}
    passages.write_text(
        "\n".join(json.dumps({"id": i, "title": "", "text": t}) for i, t in texts.items())
    )
    questions.write_text(
        json.dumps(
            {"id": "1", "question": "绿茶要用几度的水？", "passage_id": "t", "answers": ["八十度"]}
        )
    )

    ran = youju("eval", str(questions), "--passages", str(passages), "--json")

    told = json.loads(ran.out)
    assert (told["passages"], told["questions"]) == (2, 1)
    assert told["hit@1"] == told["hit@5"] == told["hit@10"] == told["mrr@10"] == 1.0
    assert set(told["legs"]) == {"lexical", "dense"}
    assert set(told["latency_ms"]) == {"p50", "p95"}
    assert "answer_in_best" in told


def test_eval_scores_the_installed_articles(youju: Youju, tmp_path: Path) -> None:
    page = tmp_path / "out" / "report.html"

    ran = youju("eval", "corpus/golden.jsonl", "--json", "--report", str(page))

    told = json.loads(ran.out)
    assert told["questions"] == 30
    assert {
        "hit@1",
        "hit@3",
        "hit@5",
        "mrr",
        "answered",
        "correct",
        "refused",
        "over_refused",
    } <= set(told)
    assert set(told["by"]) == {"variant", "kind"}
    assert "<table>" in page.read_text(encoding="utf-8")


def test_a_first_question_names_the_files_that_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "good.md").write_text("# 牛肉湯\n\n一碗牛肉湯要一百二十元。\n", encoding="utf-8")
    (folder / "empty.md").write_text("", encoding="utf-8")

    ran = Youju(tmp_path / "data")("--corpus-dir", str(folder), "ask", "牛肉湯一碗多少錢？")

    assert ran.code == 0
    assert "! empty.md: is empty" in ran.err
    assert "empty.md" not in ran.out


def test_chat_takes_no_unknown_slash_word_for_a_question(youju: Youju) -> None:
    ran = youju("chat", stdin="/help\n")

    assert ran.out == ""
    assert ran.err.count("「/新」") == 2


def test_a_check_without_a_terms_file_says_so(youju: Youju, tmp_path: Path) -> None:
    ran = youju("terms", "check", "--file", str(tmp_path / "none.csv"))

    assert ran.code == 2
    assert "none.csv to check" in ran.err


def test_brackets_in_questions_and_paths_are_no_markup(youju: Youju, tmp_path: Path) -> None:
    asked = tmp_path / "asked[bold].jsonl"
    row = {"question": "蛋糕[/b]要烤[red]多久？", "article": "003", "gold_quotes": ["蛋糕"]}
    asked.write_text(json.dumps(row), encoding="utf-8")

    ran = youju("eval", str(asked))

    assert ran.code == 0
    assert "蛋糕[/b]要烤[red]多久？" in ran.out
