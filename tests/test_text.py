"""Numbers as people read them."""

import pytest

from flowergui.text import fine_percent, grouped_number, number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (60, "60"),
        (0.001, "0.001"),
        (1e-5, "0.00001"),
        (8.7e-5, "0.000087"),
        (1e-8, "1e-8"),
        (1.5e-7, "1.5e-7"),
        (-1e-5, "-0.00001"),
        (1e20, "1e20"),
    ],
)
def test_a_number_reads_back_as_itself(value: float, text: str) -> None:
    assert number(value) == text
    assert float(text) == value


def test_numbers_of_sentences_have_separators() -> None:
    assert [grouped_number(value) for value in (10_000, 0.5, 1e-8)] == ["10,000", "0.5", "1e-8"]


def test_an_accuracy_is_100_percent_only_where_all_is_right() -> None:
    shares = (0.863, 2499 / 2500, 0.9994, 1.0, 1.0 - 1e-12, 0.0)
    assert [fine_percent(share) for share in shares] == [
        "86.3%", "99.9%", "99.9%", "100.0%", "100.0%", "0.0%",
    ]  # fmt: skip
