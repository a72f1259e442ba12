"""Rows of a long measurement are made once."""

from tests.benchmarks.kept import Kept


def test_a_row_is_made_once_and_kept_for_the_next_time(tmp_path):
    made = []

    def work():
        made.append(1)
        return [0.5, "tie"]

    for _ in range(2):
        assert Kept("part", True, tmp_path).once("a", work) == [0.5, "tie"]
    assert len(made) == 1
    again = Kept("part", True, tmp_path)
    again.forget()
    again.once("a", work)
    assert len(made) == 2
    assert Kept("part", False, tmp_path).rows == {}
