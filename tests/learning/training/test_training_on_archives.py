"""Runs on images in archives: they train, stop, resume and predict as on a folder."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from runs import equal, finished, run_of, same_end, stopped
from shards import files_of, webdataset, write_shards, write_tar, write_zip

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    Evaluated,
    Event,
    PhotoEvaluated,
    PhotosFound,
    Predicted,
    PredictionFailed,
    ResumeChecked,
    Scanned,
)
from flowergui.facts import Verdict
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.data import dataset, photo_cache
from flowergui.requests import ResumeOptions
from flowergui.store import archives
from flowergui.store.run_folder import RunFolder

Little = Callable[..., Recipe]


def trained(recipe: Recipe) -> RunFolder:
    return finished(list(tasks.train(recipe)))


def of(events: Iterator[Event], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("write", [write_tar, write_zip])
@pytest.mark.parametrize("mode", ["plain", "augmented"])
def test_weights_are_those_of_the_folder_to_the_bit(
    little: Little, folder: Path, tmp_path: Path, write: Callable[..., Path], mode: str
) -> None:
    """Paths are the same in the archive as in the folder, so split, order and seeds are too."""
    path = write(tmp_path / f"flowers.{write.__name__[6:]}", files_of(folder))
    changes: dict[str, Any] = {} if mode == "plain" else {"augmentation": "strong", "workers": 2}
    runs = [trained(little(photos=str(place), **changes)) for place in (folder, path)]
    first, second = (checkpoint.read(run.last) for run in runs)
    assert equal(first["model"], second["model"])
    assert equal(first["optimizer"], second["optimizer"])
    rows = [list(run.split_and_sizes()) for run in runs]
    assert rows[0] == rows[1]
    assert all(size for *_, size in rows[1])


@pytest.mark.parametrize("labelled", [False, True])
def test_a_run_on_shards_resumes_as_if_never_left(
    little: Little, folder: Path, tmp_path: Path, labelled: bool
) -> None:
    files = webdataset(files_of(folder)) if labelled else files_of(folder)
    shards = write_shards(tmp_path / "shards", files, 1 if labelled else 2)
    recipe = little(photos=str(shards))
    whole = trained(recipe)
    run = stopped(recipe, lambda event: isinstance(event, BatchDone) and event.step == 2)
    archives._archives.clear()  # as in a new process
    (check,) = of(tasks.check_resume(run.path), ResumeChecked)
    assert {each.verdict for each in check.checks} == {Verdict.SAME}
    same_end(finished(list(tasks.resume(run.path))), whole)


def test_missing_and_new_shards_are_noticed(little: Little, folder: Path, tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards", files_of(folder), 4)
    run = stopped(little(photos=str(shards)), lambda event: isinstance(event, BatchDone))
    (shards / "shard-0003.tar").rename(shards / "shard-0009.tar")
    events = list(tasks.check_resume(run.path))
    (check,) = of(iter(events), ResumeChecked)
    assert check.new_photos == 6
    assert any(each.verdict is not Verdict.SAME and "6" in each.detail for each in check.checks)
    finished(list(tasks.resume(run.path, options=ResumeOptions(new_photos=True))))
    parts = [path.split("/")[0] for path, *_ in run.split()]
    assert parts.count("shard-0009.tar") == 6


def test_a_shard_that_is_cut_off_is_named_when_its_images_are_missing(
    little: Little, folder: Path, tmp_path: Path
) -> None:
    shards = write_shards(tmp_path / "shards", files_of(folder), 4)
    run = stopped(little(photos=str(shards)), lambda event: isinstance(event, BatchDone))
    cut = shards / "shard-0002.tar"
    cut.write_bytes(cut.read_bytes()[:1500])
    with pytest.raises(FlowerError, match="cut off") as refused:
        list(tasks.resume(run.path))
    assert "shard-0002.tar" in refused.value.message
    assert "again" in refused.value.hint


def test_decoded_images_are_cached(
    little: Little, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tar(tmp_path / "flowers.tar", files_of(folder))
    monkeypatch.setattr(photo_cache, "LARGE_FILE_BYTES", 1)
    trained(little(photos=str(path)))
    assert photo_cache.state().photos >= 24
    monkeypatch.setattr(
        dataset.Transform, "__call__", lambda *_: pytest.fail("an image was decoded again")
    )
    trained(little(photos=str(path)))


def test_predictions_and_evaluation(little: Little, folder: Path, tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards", files_of(folder), 2)
    run = trained(little(photos=str(shards)))
    assert {Path(each.path).parts[-3] for each in of(tasks.evaluate(run.best), PhotoEvaluated)} <= {
        "shard-0000.tar",
        "shard-0001.tar",
    }
    iris = (folder / "iris" / "iris_0.jpg").read_bytes()
    one = write_tar(tmp_path / "new" / "one.tar", {"1.jpg": iris, "2.jpg": b"no image"})
    events = list(tasks.predict(run.best, [one, one / "1.jpg", shards]))
    (found,) = of(iter(events), PhotosFound)
    assert len(found.photos) == 2 + 24
    assert len(of(iter(events), Predicted)) == 25
    (failed,) = of(iter(events), PredictionFailed)
    assert failed.path == str(one / "2.jpg")
    copies = tmp_path / "sorted"
    list(tasks.sort_into_folders(of(iter(events), Predicted), copies, unsure_below=0.0))
    assert len(list(copies.glob("*/*.jpg"))) == 25


def test_copies_of_training_images_are_known_in_archives(
    little: Little, folder: Path, tmp_path: Path
) -> None:
    run = trained(little())
    path = write_tar(tmp_path / "copy.tar", files_of(folder))
    (found,) = of(tasks.evaluate(run.best, path), Evaluated)
    assert (found.trained_on, found.photos) == (18, 6)


def test_labels_in_archives_are_not_corrected(little: Little, folder: Path, tmp_path: Path) -> None:
    path = write_tar(tmp_path / "flowers.tar", files_of(folder))
    content = path.read_bytes()
    photo = path / "iris" / "iris_0.jpg"
    run = trained(little(photos=str(path)))
    for label in ("lily", ""):
        with pytest.raises(FlowerError, match="never changed"):
            list(tasks.correct_label(photo, path, "iris", label, run.best))
    assert path.read_bytes() == content


def test_the_images_may_move_from_a_folder_into_an_archive(
    little: Little, folder: Path, tmp_path: Path
) -> None:
    """A run that was stopped goes on with the same images in an archive."""
    recipe = little()
    whole = trained(recipe)
    run = stopped(recipe, lambda event: isinstance(event, BatchDone) and event.step == 2)
    path = write_tar(tmp_path / "flowers.tar", files_of(folder))
    events = list(tasks.resume(run.path, changes={"photos": str(path)}))
    assert equal(
        checkpoint.read(finished(events).last)["model"], checkpoint.read(whole.last)["model"]
    )
    assert run_of(events).recipe().photos == str(path)


def test_networks_are_compared_on_archives(folder: Path, tmp_path: Path) -> None:
    path = write_tar(tmp_path / "flowers.tar", files_of(folder))
    assert of(tasks.inspect(path), Scanned)
    (found,) = of(tasks.learning_curve(path), object)[-1:]
    assert type(found).__name__ == "LearningCurveEstimated"
