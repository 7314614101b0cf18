"""What the reader learns from: what the files say of themselves is so."""

import random

import pytest

from training.changes import Changes
from training.clusters import clusters, target
from training.cross_examples import Groups, Window, without_answer
from training.reader_examples import ANTECEDENTS, Asking, Collection, labelled, noted

ALL = [(learnt, cluster) for learnt in (True, False) for cluster in clusters(learnt)]


def test_some_clusters_are_kept_back_and_none_is_in_both_parts() -> None:
    learnt, kept = ({c.passages for into, c in ALL if into is part} for part in (True, False))

    assert len(learnt) > 3 * len(kept) > 100
    assert not learnt & kept


def test_a_cluster_holds_questions_that_are_answered_and_others_that_are_not() -> None:
    for _, cluster in ALL:
        answered = [asked for asked in cluster.questions if asked.answers]

        assert 5 <= len(cluster.passages) <= 6, cluster
        assert 3 <= len(answered) <= len(cluster.questions) - 3, cluster
        assert len({asked.question for asked in cluster.questions}) == len(cluster.questions)


def test_what_answers_stands_in_the_passage_word_for_word() -> None:
    answers = [(c, asked, n) for _, c in ALL for asked in c.questions for n in asked.answers]

    for cluster, asked, passage in answers:
        assert all(clause in cluster.passages[passage] for clause in asked.answers[passage])
        assert sum(target(cluster, asked, passage)) == pytest.approx(1)


def test_of_antecedents_most_are_answered_in_another_sentence_than_the_fact() -> None:
    rows = list(noted(ANTECEDENTS, learnt=True))
    spans = [[int(row[c]) for c in ("start", "end", "fact_start", "fact_end")] for row in rows]

    assert len({(row["passage"], row["question"]) for row in rows}) == len(rows)
    assert not list(noted(ANTECEDENTS, learnt=False))  # what encyclopaedia.tsv keeps back
    for start, end, fact_start, fact_end in spans:
        assert 0 <= start < end
        assert 0 <= fact_start < fact_end
        assert (start, end) == (fact_start, fact_end) or end <= fact_start or fact_end <= start
    elsewhere = sum(start != fact_start for start, _, fact_start, _ in spans)
    assert 0.5 < elsewhere / len(rows) < 0.75


def test_the_sentence_that_tells_the_fact_counts_a_little_beside_the_one_that_answers() -> None:
    passage = "沙勿略坐船到了鹿儿岛。他在那里住了一年。他是踏上那里的第一位传教士。"
    answer, other, fact = (f"{part}。" for part in passage.split("。")[:3])
    asked = [
        Asking("第一位踏上那里的传教士是谁?", 0, True, answer, fact),
        Asking("沙勿略在那里住了多久?", 0, True, other),
    ]

    (_, elsewhere), (_, there) = labelled(Collection([passage], asked))

    assert elsewhere == pytest.approx((0.85, 0, 0.15))
    assert there == pytest.approx((0, 1, 0))


def test_without_its_answer_a_passage_keeps_what_the_question_is_about() -> None:
    passage = Window(("他生於甲年。", "他第一個登月。", "他住在乙城。"), (0.85, 0.15, 0.0))

    left = without_answer(passage, "甲年", random.Random(1))

    assert left == Window(("他第一個登月。", "他住在乙城。"), (0.0, 0.0))


def test_a_passage_that_holds_its_answer_twice_is_not_without_it() -> None:
    passage = Window(("他生於甲年。", "他第一個登月。", "她也生於甲年。"), (0.85, 0.15, 0.0))

    assert without_answer(passage, "甲年", random.Random(1)) is None


@pytest.mark.parametrize("hidden", [0.0, 0.5, 1.0])
def test_the_answer_is_hidden_as_often_as_asked(hidden: float) -> None:
    others = [f"第{n}個人在乙城教書。" for n in range(9)]
    passages = ["他生於甲年。他第一個登月。", *others]
    asked = [Asking("第一個登月的人生於哪年?", 0, True, "甲年", "第一個登月")]
    groups = Groups(Collection(passages, asked), Changes([], {}), {}, seed=1, hidden=hidden)

    drawn = [groups.draw(0) for _ in range(200)]

    shown = [any(window.answers for window in group.windows) for group in drawn]
    assert sum(shown) / len(shown) == pytest.approx(1 - hidden, abs=0.1)
    about = ("他第一個登月。",)
    without = [any(w.sentences == about for w in group.windows) for group in drawn]
    assert all(left for answered, left in zip(shown, without, strict=True) if not answered)
