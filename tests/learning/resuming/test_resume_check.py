"""Before a run is resumed: what has changed is seen, said, and where it can be, taken up."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    EpochDone,
    Finished,
    Preparing,
    ResumeChecked,
    RolledBack,
    RunStarted,
    Warned,
)
from flowergui.facts import Check, CheckKind
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.data import duplicates
from flowergui.requests import LiveRequests, ResumeOptions
from flowergui.store.run_folder import RunFolder

Little = Callable[..., Recipe]


@pytest.fixture
def here(make_photos, tmp_path: Path) -> Path:
    return make_photos(tmp_path / "here")


@pytest.fixture
def run(little: Little, here: Path) -> RunFolder:
    """A run of three epochs, stopped in the second one."""
    live = LiveRequests()
    for event in tasks.train(little(photos=str(here), epochs=3, ema=0.9), live):
        live.stop = live.stop or (isinstance(event, BatchDone) and event.step == 5)
    return RunFolder(Path(event.run))


def looked(run: RunFolder, **more: object) -> ResumeChecked:
    *_, told = tasks.check_resume(run.path, **more)
    assert isinstance(told, ResumeChecked)
    return told


def check(told: ResumeChecked, subject: str) -> Check:
    (found,) = [each for each in told.checks if each.subject == subject]
    return found


def resumed(run: RunFolder, **how: object) -> list:
    events = list(tasks.resume(run.path, options=ResumeOptions(**how)))
    assert isinstance(events[-1], Finished)
    return events


def test_nothing_has_changed(run: RunFolder) -> None:
    told = looked(run)
    assert {each.verdict for each in told.checks} == {"same"}
    assert {each.subject: each.detail for each in told.checks} == {
        "Epochs": "2 of 3 to go",
        "Network": "mynet",
        "Classes": "3, as before",
        "Images": "24, as before, split as before",
        "Image size": "32 px, the same normalization",
        "Device": "cpu, float32",
        "Versions": f"torch {torch.__version__}",
    }
    assert (told.new_photos, told.new_classes, told.renamed, told.epochs_left) == (0, (), (), 2)


def test_looking_changes_nothing(run: RunFolder) -> None:
    before = {path: path.read_bytes() for path in run.path.iterdir()}
    looked(run, changes={"epochs": 9}, options=ResumeOptions(new_photos=True))
    assert {path: path.read_bytes() for path in run.path.iterdir()} == before


def test_photos_that_are_missing_changed_and_new_are_counted(run: RunFolder, here: Path) -> None:
    (here / "iris" / "iris_0.jpg").unlink()
    shutil.copy(here / "lily" / "lily_1.jpg", here / "iris" / "iris_1.jpg")
    shutil.copy(here / "lily" / "lily_1.jpg", here / "lily" / "new.jpg")
    told = looked(run)
    assert check(told, "Images") == Check(
        "Images",
        "fine",
        "1 missing, 1 changed, 1 new, left out",
        "New images can be included.",
        CheckKind.IMAGES,
    )
    assert told.new_photos == 1
    notes = [event.message for event in resumed(run) if isinstance(event, Warned)]
    assert notes[:2] == [
        "1 image of this run is missing: iris/iris_0.jpg",
        "1 image of this run has changed: iris/iris_1.jpg",
    ]


def test_a_look_at_many_new_photos_tells_how_far_it_is_and_can_be_left(
    run: RunFolder, here: Path
) -> None:
    for number in range(70):
        shutil.copy(here / "lily" / "lily_1.jpg", here / "lily" / f"new_{number}.jpg")
    *far, told = tasks.check_resume(run.path)
    assert far == [Preparing("Checking new images", done, 70) for done in (32, 64)]
    assert isinstance(told, ResumeChecked)
    assert told.new_photos == 70
    live, before = LiveRequests(), run.last.read_bytes()
    for event in tasks.resume(run.path, live):
        assert event == far[0]  # nothing comes after it
        live.stop = True
    assert run.last.read_bytes() == before


def add_photos(folder: Path, count: int) -> None:
    """Adds so many photos, new 0.jpg and so on, no two of which are the same."""
    for number in range(count):
        Image.new("RGB", (48, 48), (8 * number, 90, 60)).save(folder / f"new {number}.jpg")


def test_new_photos_are_taken_in_where_they_are_wanted(run: RunFolder, here: Path) -> None:
    before = run.split()
    add_photos(here / "lily", 10)
    (here / "lily" / "new 9.jpg").write_bytes(b"no picture")
    events = resumed(run, new_photos=True)
    opened = next(event for event in events if isinstance(event, RunStarted))
    assert (opened.train_photos, opened.validation_photos) == (18 + 7, 6 + 2)
    assert (opened.epoch, opened.batch) == (2, 0)  # begins anew: it has other batches
    after = run.split()
    assert [row for row in after if row[2] == "train"][:18] == before[:18]
    assert [row for row in after if row[2] == "validation"][:6] == before[18:]
    assert any("9 new images were added" in e.message for e in events if isinstance(e, Warned))
    best = [event.best_epoch for event in events if isinstance(event, EpochDone)]
    assert best[0] == 2  # the best is looked for anew: it is measured on other photos


def test_a_new_class_grows_the_head(run: RunFolder, here: Path, make_photos, tmp_path) -> None:
    before = checkpoint.read(run.last)
    rose = make_photos(tmp_path / "more", classes=4) / "rose"
    shutil.copytree(rose, here / "a rose")  # by its name it would come first
    told = looked(run)
    assert check(told, "Classes").verdict == "fine"
    assert check(told, "Classes").detail == "a rose: new, left out"
    assert told.new_classes == ("a rose",)
    assert check(looked(run, options=ResumeOptions(new_classes=True)), "Classes").detail == (
        "a rose: new, added to the classifier"
    )
    going = tasks.resume(
        run.path, options=ResumeOptions(new_classes=True), changes={"learning_rate": 1e-8}
    )
    opened = next(going)
    assert isinstance(opened, RunStarted)
    assert opened.classes == ("daisy", "iris", "lily", "a rose")
    assert isinstance(list(going)[-1], Finished)
    after = checkpoint.read(run.last)
    assert after["classes"] == ["daisy", "iris", "lily", "a rose"]
    for key in ("model", "ema"):
        assert after[key]["fc.weight"].shape == (4, 256)
        distance = 1e-5 if key == "model" else 1e-3  # the average still moves
        known = after[key]["fc.weight"][:3]
        assert torch.allclose(known, before[key]["fc.weight"], atol=distance)
        assert after[key]["fc.weight"][3].any()
    (guessed,) = tasks.predict(run.last, [next((here / "a rose").iterdir())])
    assert {guess.name for guess in guessed.predictions} == {"daisy", "iris", "lily", "a rose"}


def test_a_class_that_was_renamed_is_found_and_mapped(run: RunFolder, here: Path) -> None:
    (here / "iris").rename(here / "aris")
    told = looked(run)
    assert check(told, "Classes") == Check(
        "Classes",
        "blocking",
        "no image of iris is left",
        "If the class iris is now called aris, rename it when you resume.",
        CheckKind.CLASSES,
    )
    assert (told.renamed, told.new_classes) == ((("iris", "aris"),), ())
    with pytest.raises(FlowerError, match="No image of iris is left") as refused:
        list(tasks.resume(run.path))
    assert refused.value.hint == "If the class iris is now called aris, rename it when you resume."
    assert refused.value.option == "--rename"
    wish = {"renamed": (("iris", "aris"),)}
    assert check(looked(run, options=ResumeOptions(**wish)), "Classes").verdict == "fine"
    events = resumed(run, **wish)
    assert next(e for e in events if isinstance(e, RunStarted)).classes == ("daisy", "aris", "lily")
    assert not [e for e in events if isinstance(e, Warned)]
    assert {name for _, name, _ in run.split()} == {"daisy", "aris", "lily"}
    assert {each.verdict for each in looked(run).checks[1:]} == {"same"}


def test_renaming_changes_no_number(run: RunFolder, here: Path, little: Little, tmp_path) -> None:
    (here / "iris").rename(here / "aris")
    resumed(run, renamed=(("iris", "aris"),))
    recipe = little(photos=str(here), epochs=3, ema=0.9)
    (here / "aris").rename(here / "iris")
    *_, whole = tasks.train(recipe, models=tmp_path / "whole")
    ours, theirs = checkpoint.read(run.last), checkpoint.read(RunFolder(Path(whole.run)).last)
    assert all(torch.equal(ours["model"][name], theirs["model"][name]) for name in ours["model"])


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        (("rose", "iris"), "has no class rose"),
        (("iris", "lily"), "lily: that is another class of this run"),
        (("iris", "aster"), "aster: there is no class folder"),
    ],
)
def test_a_renaming_that_cannot_be(run: RunFolder, pair, says: str) -> None:
    with pytest.raises(FlowerError, match=says):
        list(tasks.resume(run.path, options=ResumeOptions(renamed=(pair,))))
    assert (
        check(looked(run, options=ResumeOptions(renamed=(pair,))), "Images").verdict == "blocking"
    )


@pytest.mark.parametrize("which", ["last", "resumed", "previous"])
def test_a_run_that_took_in_much_and_was_killed_at_once(
    run: RunFolder, here: Path, make_photos, tmp_path: Path, which: str
) -> None:
    """What it went on from still knows three classes, under their old names."""
    rose = make_photos(tmp_path / "more", classes=4) / "rose"
    shutil.copytree(rose, here / "rose")
    shutil.copy(here / "lily" / "lily_1.jpg", here / "lily" / "new.jpg")
    (here / "iris").rename(here / "aris")
    how = ResumeOptions(new_photos=True, new_classes=True, renamed=(("iris", "aris"),))
    going = tasks.resume(run.path, options=how, changes={"epochs": 4, "learning_rate": 0.0001})
    assert isinstance(next(going), RunStarted)
    # Killed here: nothing of it runs any more.
    shutil.copytree(run.path, copy := tmp_path / "copy")
    going.close()
    folder = RunFolder(copy)
    if which == "last":
        assert {each.verdict for each in looked(folder).checks} == {"same"}
        events = list(tasks.resume(copy))
        assert all(e.learning_rate <= 0.0001 for e in events if isinstance(e, BatchDone))
        assert [e.epoch for e in events if isinstance(e, EpochDone)] == [2, 3, 4]
    else:
        source = folder.resumed if which == "resumed" else folder.previous
        events = list(tasks.resume(source, options=how))
    opened = next(event for event in events if isinstance(event, RunStarted))
    assert opened.classes == ("daisy", "aris", "lily", "rose")
    assert isinstance(events[-1], Finished)


def test_a_class_that_was_taken_in_later_is_new_once_more(
    run: RunFolder, here: Path, make_photos, tmp_path: Path
) -> None:
    shutil.copytree(make_photos(tmp_path / "more", classes=4) / "rose", here / "rose")
    resumed(run, new_classes=True)
    (told,) = tasks.check_resume(run.resumed)
    assert told.new_classes == ("rose",)
    events = list(tasks.resume(run.resumed))  # without it, as before
    opened = next(event for event in events if isinstance(event, RunStarted))
    assert opened.classes == ("daisy", "iris", "lily")
    assert isinstance(events[-1], Finished)


def test_new_copies_of_a_photo_have_its_part(run: RunFolder, here: Path) -> None:
    """Else they would validate what the run has trained on."""
    lilies = {part: path for path, name, part in run.split() if name == "lily"}
    for number in range(10):
        for part, path in lilies.items():
            shutil.copy(here / path, here / "lily" / f"{part} {number}.jpg")
    events = resumed(run, new_photos=True)
    opened = next(event for event in events if isinstance(event, RunStarted))
    assert (opened.train_photos, opened.validation_photos) == (18 + 10, 6 + 10)
    parts = {path: part for path, _, part in run.split()}
    for part in lilies:
        assert {parts[f"lily/{part} {number}.jpg"] for number in range(10)} == {part}


def test_a_comparison_with_new_photos_can_be_left(
    run: RunFolder, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "PROGRESS_FILES", 1)
    add_photos(here / "lily", 2)
    before = {path.name: path.read_bytes() for path in run.path.iterdir()}
    live = LiveRequests()
    for event in tasks.resume(run.path, live, options=ResumeOptions(new_photos=True)):
        assert isinstance(event, Preparing)
        live.stop = event.what == "Comparing images"
    assert live.stop
    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == before


def test_longer_epochs_leave_the_schedule_where_it_is(
    little: Little, here: Path, tmp_path: Path
) -> None:
    live = LiveRequests()
    recipe = little(photos=str(here), epochs=10, scheduler="cosine", learning_rate=0.01)
    for event in tasks.train(recipe, live):
        live.stop = live.stop or (isinstance(event, EpochDone) and event.epoch == 5)
    run = RunFolder(Path(event.run))
    add_photos(here / "lily", 30)
    for restart, first, last in ((False, 0.005, 1e-4), (True, 0.01, 1e-4)):
        shutil.copytree(run.path, tmp_path / f"copy {restart}")
        how = ResumeOptions(new_photos=True, restart_schedule=restart)
        events = list(tasks.resume(tmp_path / f"copy {restart}", options=how))
        rates = [event.learning_rate for event in events if isinstance(event, BatchDone)]
        assert rates[0] == pytest.approx(first)
        assert rates[-1] < last


def test_a_run_goes_back_to_where_it_was_taken_up_as_it_is_wanted_now(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(tasks.resume(run.path))  # to the end: last.pth is the future of resumed.pth
    real, calls = torch.nn.functional.cross_entropy, []

    def poisoned(logits: torch.Tensor, *args: object, **more: object) -> torch.Tensor:
        calls.append(logits.requires_grad)
        loss = real(logits, *args, **more)
        return loss * float("nan") if sum(calls) == 2 and calls[-1] else loss

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", poisoned)
    changes = {"learning_rate": 0.0001, "recover": True, "frozen": ("stem",)}
    events = list(tasks.resume(run.resumed, changes=changes))
    (back,) = [event for event in events if isinstance(event, RolledBack)]
    assert (back.step, back.learning_rate) == (5, 0.00005)
    (started,) = [event for event in events if isinstance(event, RunStarted)]
    new = RunFolder(Path(started.run))
    assert checkpoint.read(new.last)["frozen"][0].startswith("stem")
    assert new.recipe().learning_rate == 0.00005


def test_what_is_wanted_otherwise_is_told(run: RunFolder) -> None:
    told = looked(run, changes={"learning_rate": 0.5, "batch_size": 3, "model": "resnet18"})
    assert check(told, "Learning rate").detail == "0.5; it was 0.002"
    assert check(told, "Learning rate").verdict == "fine"
    assert check(told, "Batch size").verdict == "blocking"
    assert check(told, "Network").verdict == "blocking"
    assert "transfer" in check(told, "Network").remedy
    told = looked(run, changes={"precision": "bfloat16"})
    assert check(told, "Device") == Check(
        "Device", "fine", "cpu, bfloat16; it was cpu, float32", kind=CheckKind.DEVICE
    )


def test_two_classes_cannot_take_one_name(run: RunFolder, here: Path) -> None:
    (here / "iris").rename(here / "z")
    twice = ResumeOptions(renamed=(("iris", "z"), ("lily", "z")))
    with pytest.raises(FlowerError, match="each new name can be used only once"):
        list(tasks.resume(run.path, options=twice))


def test_a_run_that_lacks_photos_already_may_lose_one_more(run: RunFolder, here: Path) -> None:
    for photo in (*sorted((here / "iris").iterdir())[:4], *sorted((here / "lily").iterdir())[:4]):
        photo.unlink()
    (here / "daisy" / "daisy_0.jpg").write_bytes(b"spoilt")
    assert isinstance(list(tasks.resume(run.path))[-1], Finished)


def test_new_photos_of_a_ready_split_stay_where_they_lie(
    little: Little, make_photos, tmp_path: Path
) -> None:
    make_photos(tmp_path / "ready" / "train", classes=2)
    make_photos(tmp_path / "ready" / "val", classes=2, per_class=3)
    live = LiveRequests()
    for event in tasks.train(little(photos=str(tmp_path / "ready")), live):
        live.stop = live.stop or isinstance(event, BatchDone)
    train = tmp_path / "ready" / "train" / "iris"
    for number in range(10):
        shutil.copy(train / "iris_0.jpg", train / f"new {number}.jpg")
    events = list(tasks.resume(Path(event.run), options=ResumeOptions(new_photos=True)))
    opened = next(each for each in events if isinstance(each, RunStarted))
    assert (opened.train_photos, opened.validation_photos) == (26, 6)


def test_what_a_run_cannot_do_here_is_told(run: RunFolder, here: Path) -> None:
    stored = checkpoint.read(run.last)
    checkpoint.write(stored | {"device": "mps", "versions": {"torch": "2.3.4"}}, run.last)
    told = looked(run, changes={"epochs": 1})
    assert check(told, "Device").verdict == "blocking"
    assert check(told, "Versions").detail == f"torch {torch.__version__}; it was 2.3.4"
    assert check(told, "Epochs") == Check(
        "Epochs", "blocking", "its 1 epoch is done", "Increase the number of epochs.",
        CheckKind.EPOCHS,
    )  # fmt: skip
    here.rename(here.with_name("there"))
    assert check(looked(run), "Images").detail.startswith("The images of this run are no longer in")


def test_what_a_damaged_list_of_images_needs_is_told(run: RunFolder, here: Path) -> None:
    (run.path / "split.csv").write_text("spoilt")
    told = check(looked(run), "Images")
    assert told.verdict == "blocking"
    assert told.detail.endswith("split.csv can't be read: it is damaged")  # a remedy comes after it
    assert told.remedy.startswith("Put back a copy of it")
    here.rename(here.with_name("elsewhere"))
    assert check(looked(run), "Images").remedy == "Choose the folder where they are now."


def test_weights_alone_have_no_preflight(run: RunFolder, tmp_path: Path) -> None:
    torch.save(checkpoint.read(run.last)["model"], tmp_path / "bare.pth")
    with pytest.raises(FlowerError, match=r"bare\.pth holds weights alone"):
        list(tasks.check_resume(tmp_path / "bare.pth"))


# --- more epochs ------------------------------------------------------------------------------


def test_a_schedule_goes_on_or_begins_anew(little: Little, tmp_path: Path) -> None:
    recipe = little(scheduler="cosine", epochs=2)
    *_, done = tasks.train(recipe)
    run = RunFolder(Path(done.run))

    def rates(how: ResumeOptions) -> list[float]:
        copy = tmp_path / f"copy {how.restart_schedule}"
        shutil.copytree(run.path, copy)
        events = tasks.resume(copy, changes={"epochs": 4}, options=how)
        return [event.learning_rate for event in events if isinstance(event, BatchDone)]

    whole = tasks.train(replace(recipe, epochs=4), models=tmp_path / "whole")
    as_planned = [event.learning_rate for event in whole if isinstance(event, BatchDone)]
    assert rates(ResumeOptions()) == as_planned[6:]
    first = [e.learning_rate for e in run.history.events() if isinstance(e, BatchDone)]
    assert rates(ResumeOptions(restart_schedule=True)) == first


def test_a_schedule_that_began_anew_survives_a_stop(little: Little, tmp_path: Path) -> None:
    *_, done = tasks.train(little(scheduler="one-cycle"))
    ways = []
    for stop in (0, 8):
        copy = tmp_path / str(stop)
        shutil.copytree(Path(done.run), copy)
        live = LiveRequests()
        how = ResumeOptions(restart_schedule=True)
        for event in tasks.resume(copy, live, {"epochs": 5}, options=how):
            live.stop = isinstance(event, BatchDone) and event.step == stop
        if stop:
            list(tasks.resume(copy))
        ways.append(checkpoint.read(copy / "last.pth")["model"])
    assert all(torch.equal(ways[0][name], ways[1][name]) for name in ways[0])


def test_layers_that_cannot_be_frozen_stand_in_the_way(run: RunFolder) -> None:
    assert looked(run, changes={"frozen": ("stem",)}).checks[-1].subject == "Frozen"
    told = looked(run, changes={"frozen": ("nonsense",)}).checks[-1]
    assert told.verdict == "blocking"
    assert "nonsense" in told.detail
