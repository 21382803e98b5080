"""The first field of a file that is not what it may be is named."""

from typing import Any

import pytest

from flowergui.events import EpochDone, FrozenChanged
from flowergui.store.schema import (
    MAX_WHOLE,
    Many,
    Record,
    first_wrong,
    optional,
    record_of,
    text,
    unique_names,
    whole,
)

SPEC = Record(
    {
        "name": text,
        "runs": Many(Record({"epoch": whole}, required=["epoch"])),
        "device": optional(text),
    },
    required=["name"],
)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ({"name": "a"}, None),
        ({"name": "a", "runs": [{"epoch": 3, "later": 1}], "device": None, "more": 1}, None),
        ({}, "name"),
        ({"name": "a\0"}, "name"),
        ({"name": "a", "runs": {}}, "runs"),
        ({"name": "a", "runs": [{"epoch": 0}, {"epoch": True}]}, "runs.1.epoch"),
        ({"name": "a", "runs": [{"epoch": MAX_WHOLE + 1}]}, "runs.0.epoch"),
        ({"name": "a", "runs": [{}]}, "runs.0.epoch"),
        ({"name": "a", "runs": [None]}, "runs.0"),
        ({"name": "a", "device": 3}, "device"),
        ({"name": "a", "device": 1}, "device"),
        ([], ""),
        (None, ""),
    ],
)
def test_the_first_wrong_field_is_named(value: Any, wrong: str | None) -> None:
    assert first_wrong(value, SPEC) == wrong


def test_the_fields_of_a_dataclass_have_their_types() -> None:
    row = {"epoch": 1, "val_loss": None, "train_loss": float("nan"), "seconds": 2.5}
    assert first_wrong(row, record_of(EpochDone)) is None
    for name in ("epoch", "train_loss", "seconds"):
        assert first_wrong(row | {name: None}, record_of(EpochDone)) == name
    assert first_wrong(row | {"seconds": float("inf")}, record_of(EpochDone)) == "seconds"
    assert first_wrong({"frozen": ["a", 1]}, record_of(FrozenChanged)) == "frozen"


def test_names_are_unique() -> None:
    assert unique_names(["a", "b"])
    assert not any(map(unique_names, ([], ["a", "a"], "ab", [1], None)))
