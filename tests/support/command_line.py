"""What tests of the command line share: events, and reading what was printed."""

import json
from pathlib import Path
from typing import Any

from flowergui.events import BatchDone, EpochDone, RunStarted

PLAIN = ("--model", "mynet", "--image-size", "32", "--device", "cpu", "--precision", "float32")


EPOCH = EpochDone(
    epoch=1,
    epochs=2,
    step=3,
    train_loss=0.7,
    train_accuracy=0.5,
    val_loss=0.6,
    val_accuracy=0.625,
    best_accuracy=0.625,
    best_epoch=1,
    learning_rate=0.01,
    seconds=1.5,
)


STARTED = RunStarted(
    run="run",
    model="mynet",
    mode="scratch",
    classes=("poppy", "violet"),
    train_photos=16,
    validation_photos=4,
    image_size=32,
    device="cpu",
    precision="float32",
    epochs=5,
    batches=4,
    epoch=1,
    batch=0,
    step=0,
    trainable=10,
    parameters=10,
    frozen=(),
    resumed=False,
)


BATCH = BatchDone(
    epoch=1, batch=2, batches=3, step=2, loss=0.7, accuracy=0.5, learning_rate=0.01, photos=4
)


def only_run(models: Path) -> Path:
    (run,) = models.iterdir()
    return run


def recipe_of(models: Path) -> dict[str, Any]:
    recipe: dict[str, Any] = json.loads((only_run(models) / "recipe.json").read_text("utf-8"))
    return recipe


def events_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events]
