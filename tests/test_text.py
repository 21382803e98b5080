"""Numbers as people read them."""

import pytest

from flowergui.text import grouped_number, number


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
