"""Wrong labels are corrected on disk; the run that showed them resumes, and is evaluated, with the
corrected ones."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    CorrectionUndone,
    Evaluated,
    Finished,
    LabelCorrected,
    PhotoEvaluated,
    ResumeChecked,
    RunStarted,
    Stopped,
)
from flowergui.facts import Verdict
from flowergui.learning.inference.label_correction import left_out_folder
from flowergui.requests import LiveRequests, ResumeOptions
from flowergui.store import atomic_io
from flowergui.store.run_folder import RunFolder

Little = Callable[..., Recipe]


@pytest.fixture
def photos(make_photos: Callable[..., Path], tmp_path: Path) -> Path:
    return make_photos(tmp_path / "flowers")


@pytest.fixture
def run(little: Little, photos: Path) -> RunFolder:
    """A run of three epochs, stopped in the second one."""
    return stopped(little(photos=str(photos), epochs=3, ema=0.9))


def stopped(recipe: Recipe) -> RunFolder:
    live = LiveRequests()
    for event in tasks.train(recipe, live):
        live.stop = live.stop or (isinstance(event, BatchDone) and event.step == 5)
    assert isinstance(event, Stopped)
    return RunFolder(Path(event.run))


def correct(run: RunFolder, photos: Path, path: str, new_label: str) -> LabelCorrected:
    label = path.split("/")[0]
    (event,) = tasks.correct_label(photos / path, photos, label, new_label, run.last)
    assert isinstance(event, LabelCorrected)
    return event


def one_of(run: RunFolder, part: str, label: str) -> str:
    return next(path for path, name, own in run.split() if (name, own) == (label, part))


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def undo(event: LabelCorrected) -> None:
    assert list(tasks.undo_correction(event)) == [CorrectionUndone(event)]


@pytest.mark.parametrize("part", ["train", "validation"])
def test_an_image_gets_another_class(run: RunFolder, photos: Path, part: str) -> None:
    before, rows = tree(photos), run.split()
    text = (run.path / "split.csv").read_bytes()
    path = one_of(run, part, "daisy")
    name = Path(path).name

    event = correct(run, photos, path, "iris")

    assert event.moved_to == str(photos / "iris" / name)
    assert tree(photos) == before - {path} | {f"iris/{name}"}
    number = rows.index((path, "daisy", part))
    wanted = [*rows[:number], (f"iris/{name}", "iris", part), *rows[number + 1 :]]
    assert run.split() == wanted
    undo(event)
    assert tree(photos) == before
    assert (run.path / "split.csv").read_bytes() == text


def test_an_image_is_left_out_and_comes_back(run: RunFolder, photos: Path) -> None:
    before, text = tree(photos.parent), (run.path / "split.csv").read_bytes()
    first, second = one_of(run, "train", "lily"), one_of(run, "validation", "lily")
    events = [correct(run, photos, path, "") for path in (first, second)]
    left_out = photos.parent / "flowers-left-out" / "lily"
    assert [event.moved_to for event in events] == [
        str(left_out / Path(path).name) for path in (first, second)
    ]
    assert not {first, second} & {path for path, _, _ in run.split()}
    for event in reversed(events):
        undo(event)
    assert tree(photos.parent) == before
    assert (run.path / "split.csv").read_bytes() == text
    assert not left_out.parent.exists()


def test_of_a_whole_drive_no_image_is_left_out(tmp_path: Path) -> None:
    root = Path(tmp_path.anchor)
    with pytest.raises(FlowerError, match="is a whole drive: images can't be left out of it"):
        left_out_folder(root)
    assert left_out_folder(root / "flowers") == root / "flowers-left-out"


def test_the_run_resumes_with_the_corrected_labels(run: RunFolder, photos: Path) -> None:
    correct(run, photos, one_of(run, "train", "daisy"), "iris")
    correct(run, photos, one_of(run, "validation", "iris"), "daisy")
    correct(run, photos, one_of(run, "train", "lily"), "")
    *_, checked = tasks.check_resume(run.path)
    assert isinstance(checked, ResumeChecked)
    assert Verdict.BLOCKING not in [check.verdict for check in checked.checks]
    assert checked.new_photos == 0
    events = list(tasks.resume(run.path))
    assert isinstance(events[-1], Finished)
    started = next(event for event in events if isinstance(event, RunStarted))
    assert (started.train_photos, started.validation_photos) == (17, 6)
    trained = [event for event in events if isinstance(event, BatchDone)]
    assert trained[0].batch == 1  # the epoch starts again: it has other images now


def test_its_checkpoints_resume_too_and_undo_lets_it_end_as_it_would_have(
    run: RunFolder, photos: Path, little: Little
) -> None:
    event = correct(run, photos, one_of(run, "train", "daisy"), "iris")
    assert isinstance([*tasks.resume(run.best)][-1], Finished)
    undo(event)
    *_, checked = tasks.check_resume(run.path)
    assert isinstance(checked, ResumeChecked)
    images = next(check for check in checked.checks if check.subject == "Images")
    assert images.verdict == Verdict.SAME


def test_another_run_on_the_same_images_still_resumes(
    run: RunFolder, photos: Path, little: Little
) -> None:
    """Its split.csv still names the old place: there the image is missing, and here it is new."""
    other = stopped(little(photos=str(photos), epochs=3, seed=1))
    correct(run, photos, one_of(run, "train", "daisy"), "iris")
    *_, checked = tasks.check_resume(other.path)
    assert isinstance(checked, ResumeChecked)
    assert Verdict.BLOCKING not in [check.verdict for check in checked.checks]
    assert checked.new_photos == 1
    events = list(tasks.resume(other.path, options=ResumeOptions(new_photos=True)))
    assert isinstance(events[-1], Finished)


def test_an_evaluation_has_the_corrected_label(run: RunFolder, photos: Path) -> None:
    path = one_of(run, "validation", "daisy")
    gone = one_of(run, "validation", "lily")
    event = correct(run, photos, path, "iris")
    correct(run, photos, gone, "")
    *evaluated, result = tasks.evaluate(run.best)
    assert isinstance(result, Evaluated)
    assert result.problems == ()
    labels = {each.path: each.label for each in evaluated if isinstance(each, PhotoEvaluated)}
    assert labels[event.moved_to] == "iris"
    assert len(labels) == 5


def test_a_name_that_is_taken_gets_a_number(run: RunFolder, photos: Path) -> None:
    path = one_of(run, "train", "daisy")
    (photos / "iris" / Path(path).name).write_bytes(b"another one")
    event = correct(run, photos, path, "iris")
    assert Path(event.moved_to).name == f"{Path(path).stem} (2).jpg"
    assert (photos / "iris" / Path(path).name).read_bytes() == b"another one"
    assert event.row is not None
    undo(event)
    assert (photos / path).is_file()


def test_folders_within_a_class_are_kept(run: RunFolder, photos: Path) -> None:
    (photos / "daisy" / "monday").mkdir()
    (photos / "daisy" / "daisy_0.jpg").rename(photos / "daisy" / "monday" / "1.jpg")
    event = correct(run, photos, "daisy/monday/1.jpg", "iris")
    assert event.moved_to == str(photos / "iris" / "monday" / "1.jpg")
    assert (event.run, event.row) == ("", None)  # the run does not know it
    undo(event)
    assert not (photos / "iris" / "monday").exists()


def test_a_dataset_with_its_own_split(make_photos: Callable[..., Path], tmp_path: Path) -> None:
    for part in ("train", "valid"):
        make_photos(tmp_path / "ready" / part)
    folder = tmp_path / "ready"
    path = folder / "valid" / "daisy" / "daisy_1.jpg"
    (event,) = tasks.correct_label(path, folder, "daisy", "rose", tmp_path / "mine.pth")
    assert event == LabelCorrected(
        *(str(folder), str(path), "daisy", str(folder / "valid" / "rose" / "daisy_1.jpg")), "rose"
    )


def test_the_last_image_of_a_class_stays(run: RunFolder, photos: Path) -> None:
    """A class without images would refuse to be resumed."""
    for path in sorted((photos / "daisy").iterdir())[1:]:
        path.unlink()
    with pytest.raises(FlowerError, match="is the last image of daisy"):
        correct(run, photos, "daisy/daisy_0.jpg", "iris")
    assert (photos / "daisy" / "daisy_0.jpg").is_file()


@pytest.fixture
def ready(make_photos: Callable[..., Path], tmp_path: Path) -> Path:
    """A dataset with its own split, of which each class has one image to validate."""
    make_photos(tmp_path / "ready" / "train")
    make_photos(tmp_path / "ready" / "val", per_class=1)
    return tmp_path / "ready"


@pytest.mark.parametrize("new_label", ["iris", ""])
def test_the_only_validation_image_of_a_class_is_corrected(
    little: Little, ready: Path, new_label: str
) -> None:
    """Its class has images to train on: the run resumes, and is evaluated on the others."""
    run = stopped(little(photos=str(ready), epochs=3))
    path, before = ready / "val" / "daisy" / "daisy_0.jpg", tree(ready)
    (event,) = tasks.correct_label(path, ready, "daisy", new_label, run.last)
    assert isinstance(event, LabelCorrected)
    assert not path.exists()
    undo(event)
    assert tree(ready) == before
    list(tasks.correct_label(path, ready, "daisy", new_label, run.last))
    *_, checked = tasks.check_resume(run.path)
    assert isinstance(checked, ResumeChecked)
    assert Verdict.BLOCKING not in [check.verdict for check in checked.checks]
    assert isinstance([*tasks.resume(run.path)][-1], Finished)
    *_, result = tasks.evaluate(run.best)
    assert isinstance(result, Evaluated)
    assert result.photos == (3 if new_label else 2)


def test_the_last_training_image_of_a_class_stays(ready: Path, tmp_path: Path) -> None:
    """With images to validate alone, a class is left out of new runs."""
    path, *others = sorted((ready / "train" / "daisy").iterdir())
    for other in others:
        other.unlink()
    with pytest.raises(FlowerError, match="is the last training image of daisy"):
        list(tasks.correct_label(path, ready, "daisy", "iris", tmp_path / "mine.pth"))
    assert path.is_file()


def test_labels_stay_while_another_process_trains_the_run(run: RunFolder, photos: Path) -> None:
    path, before = one_of(run, "train", "daisy"), tree(photos)
    with run.locked(), pytest.raises(FlowerError, match="is training in another window"):
        correct(run, photos, path, "iris")
    assert tree(photos) == before
    event = correct(run, photos, path, "iris")
    corrected = tree(photos)
    with run.locked(), pytest.raises(FlowerError, match="is training in another window"):
        undo(event)
    assert tree(photos) == corrected
    undo(event)
    assert tree(photos) == before


def test_what_can_not_be_moved_is_said(run: RunFolder, photos: Path) -> None:
    with pytest.raises(FlowerError, match=r"gone\.jpg can't be moved to .*iris: No such file"):
        correct(run, photos, "daisy/gone.jpg", "iris")
    with pytest.raises(FlowerError, match="is not in a folder of the class rose"):
        list(tasks.correct_label(photos / "daisy" / "a.jpg", photos, "rose", "iris", run.last))
    event = correct(run, photos, "daisy/daisy_0.jpg", "iris")
    (photos / "daisy" / "daisy_0.jpg").write_bytes(b"another one")
    with pytest.raises(FlowerError, match="can't be moved back"):
        undo(event)
    assert (photos / "daisy" / "daisy_0.jpg").read_bytes() == b"another one"
    assert Path(event.moved_to).is_file()


def test_an_undo_that_can_not_write_the_split_can_be_tried_again(
    run: RunFolder, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = one_of(run, "train", "daisy")
    before, event = tree(photos), correct(run, photos, path, "iris")

    def refused(*_: object) -> None:
        raise FlowerError("split.csv can't be written.")

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "rewrite_split", refused)
        with pytest.raises(FlowerError, match=r"split\.csv"):
            undo(event)
    assert Path(event.moved_to).is_file()
    undo(event)
    assert tree(photos) == before
    assert one_of(run, "train", "daisy") == path


def test_a_correction_is_undone_where_its_run_is_gone(run: RunFolder, photos: Path) -> None:
    path = one_of(run, "train", "daisy")
    before, event = tree(photos), correct(run, photos, path, "iris")
    shutil.rmtree(run.path)
    undo(event)
    assert tree(photos) == before


def test_a_file_is_moved_back_across_file_systems(
    run: RunFolder, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = one_of(run, "train", "daisy")
    before, event = tree(photos), correct(run, photos, path, "iris")
    rename = atomic_io.rename_new

    def other_disk(source: Path, target: Path) -> None:
        if source.parent != target.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(atomic_io, "rename_new", other_disk)
    undo(event)
    assert tree(photos) == before


def test_a_split_that_can_not_be_written_leaves_the_image(
    run: RunFolder, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = one_of(run, "train", "daisy")

    def refused(*_: object) -> None:
        raise FlowerError("split.csv can't be written.")

    monkeypatch.setattr(RunFolder, "rewrite_split", refused)
    with pytest.raises(FlowerError, match=r"split\.csv"):
        correct(run, photos, path, "iris")
    assert (photos / path).is_file()


@pytest.mark.parametrize(
    ("new_label", "target"),
    [
        ("bus", "cars/train/bus/1.jpg"),
        ("truck", "cars/train/truck/1.jpg"),  # a class without a folder yet
        ("", "cars-left-out/train/1.jpg"),
    ],
)
def test_a_class_may_have_the_name_of_a_part(
    make_photos: Callable[..., Path], little: Little, tmp_path: Path, new_label: str, target: str
) -> None:
    folder = tmp_path / "cars"
    for part in ("train", "val"):
        make_photos(folder / part)
        for before, name in (("daisy", "bus"), ("iris", "car"), ("lily", "train")):
            (folder / part / before).rename(folder / part / name)
    (folder / "train" / "train" / "lily_0.jpg").rename(folder / "train" / "train" / "1.jpg")
    run = stopped(little(photos=str(folder), epochs=3))
    path = folder / "train" / "train" / "1.jpg"
    (event,) = tasks.correct_label(path, folder, "train", new_label, run.last)
    assert event.moved_to == str(tmp_path / target)
    assert event.run == str(run.path)
    undo(event)
    assert path.is_file()


def test_another_dataset_leaves_the_split_alone_while_the_drive_of_the_run_is_away(
    run: RunFolder, photos: Path, make_photos: Callable[..., Path], tmp_path: Path
) -> None:
    text = (run.path / "split.csv").read_bytes()
    path = one_of(run, "train", "daisy")
    other = make_photos(tmp_path / "other", side=40)
    photos.rename(tmp_path / "away")
    event = correct(run, other, path, "iris")
    assert (run.path / "split.csv").read_bytes() == text
    assert (event.run, event.row) == ("", None)
    undo(event)
    event = correct(run, tmp_path / "away", path, "iris")  # the same images elsewhere
    assert (f"iris/{Path(path).name}", "iris", "train") in run.split()
    undo(event)
    assert (run.path / "split.csv").read_bytes() == text
