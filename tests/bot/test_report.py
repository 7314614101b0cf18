"""The evaluation's page, its curves, and the comparison with an earlier run."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import plots
from bot.comparison import BadRun, Run, compare, read_run, save_run
from bot.page import write_page
from bot.plots import NoPlots, require_plots
from rag.evaluation import Evaluation
from rag.examined import Examined, Shown, curve, latencies, quality, ranking, worst
from rag.settings import Settings
from tests.conftest import Youju

SETTINGS = Settings(_env_file=None)  # type: ignore[call-arg]
HIT = Shown("標題<script>", "節", "內文 & more", 0.5, 3.0, None, gold=True)
RIGHT = Examined(
    id="1", question="甲？", variant="hant", kind="name", to_refuse=False, rank=1,
    legs={"lexical": 2, "dense": None}, status="answered", support=0.8, fine=True, right=True,
    answer="乙。[1]", milliseconds=10.0, citations=2, verbatim=2, hits=(HIT,),
)  # fmt: skip
OVER_REFUSED = replace(
    RIGHT, id="2", variant="hans", rank=4, status="refused", support=0.3, fine=False, citations=0,
    verbatim=0, milliseconds=30.0,
)  # fmt: skip
REFUSED = replace(
    RIGHT, id="3", kind="nothing", to_refuse=True, rank=None, legs={}, status="refused",
    support=0.1, right=None, citations=0, verbatim=0, milliseconds=20.0,
)  # fmt: skip
ANSWERED_WRONGLY = replace(
    REFUSED, id="4", status="answered", support=0.9, fine=False, citations=1, verbatim=1
)
ALL = (RIGHT, OVER_REFUSED, REFUSED, ANSWERED_WRONGLY)


def test_ranks_are_counted_for_what_is_to_be_answered_on_both_legs() -> None:
    assert ranking(ALL) == {"hit@1": 0.5, "hit@3": 0.5, "hit@5": 1.0, "mrr": 0.625}
    assert ranking(ALL, "lexical")["hit@3"] == 1.0
    assert ranking(ALL, "dense") == {"hit@1": 0, "hit@3": 0, "hit@5": 0, "mrr": 0}
    assert ranking([REFUSED])["hit@1"] is None


def test_answers_refusals_and_verbatim_citations_are_shares() -> None:
    assert quality(ALL) == {
        "right and answered": 0.5,
        "over-refused": 0.5,
        "refused or put right": 0.5,
        "verbatim citations": 1.0,
    }
    assert quality([replace(RIGHT, verbatim=1)])["verbatim citations"] == 0.5
    assert quality([REFUSED])["verbatim citations"] is None
    assert latencies(ALL) == {"p50": 20.0, "p90": 27.0, "p95": 28.5, "p99": 29.7, "most": 30.0}


def test_a_curve_says_what_each_threshold_would_do() -> None:
    found = curve(ALL)

    at = found.thresholds.index
    assert (found.rejected[at(0.0)], found.over_refused[at(0.0)], found.right[at(0.0)]) == (0, 0, 1)
    assert (found.rejected[at(0.5)], found.over_refused[at(0.5)]) == (0.5, 0.5)
    assert (found.rejected[at(0.95)], found.right[at(0.95)]) == (1.0, 0.0)


def test_the_surest_mistake_is_the_worst() -> None:
    assert worst(ALL) == [ANSWERED_WRONGLY, OVER_REFUSED]


def page_of(tmp_path: Path, *examined: Examined) -> str:
    path = tmp_path / "new" / "page.html"
    before = Run({"questions": len(examined), "mrr": 0.5}, (replace(RIGHT, fine=False),))
    now = Evaluation({"questions": len(examined), "mrr": 0.4}, examined)
    comparison = compare(path, before, now, 0.01)
    write_page(path, "問題.jsonl", SETTINGS, now, comparison)
    return path.read_text(encoding="utf-8")


def test_the_page_needs_nothing_else_and_runs_nothing(tmp_path: Path) -> None:
    html = page_of(tmp_path, *ALL)

    assert "default-src 'none'" in html
    assert html.count("<svg") == 4
    assert not re.search(r"<(script|link|img|iframe)\b|@import|src=", html)
    fetched = re.findall(r'(?:href|url\()="?([^")>]*)', html)
    assert all(address.startswith("#") for address in fetched)
    assert "標題&lt;script&gt;" in html
    assert "內文 &amp; more" in html


def test_the_page_says_what_changed_and_what_failed(tmp_path: Path) -> None:
    html = page_of(tmp_path, *ALL)

    assert "1 figures got worse by more than 0.01" in html
    assert "Wrong before, right now (1)" in html
    assert html.index("support 0.90") < html.index("support 0.30")
    for part in ("By script and leg", "By kind and leg", "YOUJU_SUPPORT=0.5", "verbatim (3 of 3)"):
        assert part in html


@pytest.mark.parametrize("examined", [(RIGHT,), (REFUSED,)], ids=["no refusals", "only refusals"])
def test_a_page_of_one_kind_of_question_is_whole(tmp_path: Path, examined: Any) -> None:
    html = page_of(tmp_path, *examined)

    assert html.rstrip().endswith("</html>")
    assert "nan" not in html


def test_without_matplotlib_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(plots, "find_spec", lambda _: None)

    with pytest.raises(NoPlots, match=r"youju\[report\]") as raised:
        require_plots(tmp_path)
    assert raised.value.exit_code == 3


SCORES = {"questions": 4, "hit@1": 0.5, "over_refused": 0.1, "legs": {"dense": {"mrr@10": 0.5}}}


@pytest.mark.parametrize(
    ("now", "worse"),
    [
        ({"hit@1": 0.495}, []),
        ({"hit@1": 0.48}, ["hit@1"]),
        ({"hit@1": 0.9}, []),
        ({"over_refused": 0.2}, ["over_refused"]),
        ({"over_refused": 0.0}, []),
        ({"legs": {"dense": {"mrr@10": 0.4}}}, ["dense mrr@10"]),
        ({"latency_ms": {"p50": 9.0}}, []),
    ],
)
def test_what_is_worse_than_tolerated_is_named(now: dict[str, Any], worse: list[str]) -> None:
    found = compare(Path("run"), Run(SCORES), Evaluation({**SCORES, **now}, ()), 0.01)

    assert [change.name for change in found.worse] == worse


def test_a_saved_run_is_read_as_it_was(tmp_path: Path) -> None:
    save_run(tmp_path / "run.json", Evaluation(SCORES, ALL))

    assert read_run(tmp_path / "run.json") == Run(SCORES, ALL)


@pytest.mark.parametrize(
    "content", ["", "[]", "3", '{"form": 1}', '{"a": 1}', '{"form": 1, "questions": [{}]}']
)
def test_what_is_no_run_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content, encoding="utf-8")

    with pytest.raises(BadRun, match=r"run\.json"):
        read_run(tmp_path / "run.json")


def test_runs_over_other_questions_are_not_compared() -> None:
    with pytest.raises(BadRun, match="4 questions, this one 5"):
        compare(Path("run"), Run(SCORES), Evaluation({**SCORES, "questions": 5}, ()), 0.01)


def test_the_command_writes_the_page_and_exits_with_7_when_it_got_worse(
    youju: Youju, tmp_path: Path
) -> None:
    run, printed, html = (tmp_path / name for name in ("run.json", "printed.json", "page.html"))

    first = youju("eval", "corpus/golden.jsonl", "--json", "--save", str(run))
    printed.write_text(first.out, encoding="utf-8")
    same = youju(
        "eval", "corpus/golden.jsonl", "--against", str(printed), "--report", str(html), "--json"
    )
    worse = youju("eval", "corpus/golden.jsonl", "--against", str(run), YOUJU_SUPPORT="0.97")

    saved = read_run(run)
    assert (first.code, same.code, worse.code) == (0, 0, 7)
    assert json.loads(same.out) == json.loads(first.out) == saved.scores
    assert "Nothing got worse" in html.read_text(encoding="utf-8")
    assert "over_refused" in worse.err
    assert "was right" in worse.err
    assert "verbatim citations" in worse.out
    assert len(saved.examined) == 30
    assert sum(e.citations for e in saved.examined) == sum(e.verbatim for e in saved.examined) > 20
