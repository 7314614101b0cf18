"""The clusters that the reader learns from: what they say of themselves is so."""

import pytest

from training.clusters import clusters, target

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
