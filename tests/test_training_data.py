"""What the reader learns from: what the files say of themselves is so."""

import pytest

from training.clusters import clusters, target
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
