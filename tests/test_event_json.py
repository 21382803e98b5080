"""Events that go through lines of JSON come out as they were."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from flowergui import event_json, tasks
from flowergui.config.recipe import Recipe
from flowergui.events import BatchDone, Event, RunStarted
from flowergui.requests import LiveRequests


@pytest.fixture(scope="module")
def events(make_photos, tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    folder = make_photos(tmp_path_factory.mktemp("photos") / "flowers")
    models = tmp_path_factory.mktemp("models")
    recipe = Recipe(
        photos=str(folder), mode="scratch", model="mynet", image_size=32, epochs=1, device="cpu"
    )
    trained = list(tasks.train(recipe, LiveRequests(), models))
    run = next(event.run for event in trained if isinstance(event, RunStarted))
    return [
        *trained,
        *tasks.inspect(folder),
        *tasks.list_models(models),
        *tasks.check_resume(run, {"epochs": 3}),
        *tasks.compare((run,), models),
        *tasks.describe_model("mynet", 3),
    ]


def test_they_are_the_same(events: list[Event]) -> None:
    assert len({type(event) for event in events}) > 10
    for event in events:
        assert event_json.decoded(event_json.encoded(event)) == event


def test_nan_and_infinity_are_kept(events: list[Event]) -> None:
    batch = next(event for event in events if isinstance(event, BatchDone))
    again = event_json.decoded(event_json.encoded(replace(batch, loss=math.inf)))
    assert again == replace(batch, loss=math.inf)
    nan = event_json.decoded(event_json.encoded(replace(batch, loss=math.nan)))
    assert isinstance(nan, BatchDone)
    assert math.isnan(nan.loss)


@pytest.mark.parametrize("line", ["", "text", "[]", "{}", '{"event": "Nothing", "fields": {}}'])
def test_other_lines_are_none(line: str) -> None:
    assert event_json.decoded(line) is None


def test_paths_stay_strings(events: list[Event]) -> None:
    started = next(event for event in events if isinstance(event, RunStarted))
    assert Path(started.run).is_dir()
