"""A run whose files were spoilt is used, or refused in a sentence: never a traceback.

tests/benchmarks/spoilt.py tries all of the ways of which these are a few.
"""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from networks import tiny_mynet
from spoiling import User, trained, ways

from flowergui.config.recipe import Recipe

EVERY = 211
"""Of so many ways one is tried: some thirty."""


def test_no_file_of_a_run_leads_to_a_traceback(
    make_photos: Callable[..., Path],
    models: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photos = make_photos(tmp_path / "photos")
    recipe = Recipe(
        photos=str(photos), mode="scratch", model="mynet", image_size=32, batch_size=6, epochs=2,
        ema=0.9, device="cpu", precision="float32",
    )  # fmt: skip
    models.mkdir()
    with tiny_mynet(monkeypatch):
        run = trained(recipe, tmp_path / "trained")
        user = User(run, photos / "iris" / "iris_0.jpg", models)
        found = [each for way in islice(ways(run), 0, None, EVERY) for each in user.uses(way)]
    assert found == []
    assert user.resumed > 0
    assert user.rescued > 0
