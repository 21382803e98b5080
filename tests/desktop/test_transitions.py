"""What changes in the window's session when something happens: its mode, network and weights."""

from dataclasses import replace
from typing import Any

import pytest

from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.desktop.session import Mode, Session, preset
from flowergui.desktop.transitions import (
    with_dataset,
    with_mode,
    with_model,
    with_run_ended,
    with_saved_weights,
    with_settings_of,
    with_speedup,
    with_weights,
)
from flowergui.events import Estimated, RunStarted, Scanned
from flowergui.facts import ModelFacts, Speedup, SpeedupKind, WeightsFacts
from flowergui.store import paths

V1 = WeightsFacts("IMAGENET1K_V1", 0.76, 224, 98.0)
V2 = WeightsFacts("IMAGENET1K_V2", 0.81, 232, 98.0)


def after(session: Session, changes: dict[str, Any]) -> Session:
    return replace(session, **changes)


def in_modes(session: Session, *modes: Mode) -> Session:
    for mode in modes:
        session = after(session, with_mode(session, mode))
    return session


def test_the_first_session_is_a_recommended_transfer() -> None:
    session = Session()
    assert session.mode is Mode.TRANSFER
    assert (session.recipe.mode, session.recipe.model) == ("transfer", "efficientnet_lite0")
    assert preset(session) == "recommended"


def test_each_mode_has_its_own_network_until_the_user_chooses_one() -> None:
    session = Session()
    scratch = in_modes(session, Mode.SCRATCH)
    assert scratch.recipe.model == "resnet18"
    assert preset(scratch) == "recommended"
    assert in_modes(scratch, Mode.TRANSFER).recipe == session.recipe
    assert in_modes(scratch, Mode.RESUME, Mode.SCRATCH).recipe == scratch.recipe
    assert in_modes(scratch, Mode.RESUME, Mode.TRANSFER).recipe == session.recipe
    chosen = after(session, with_model(session, "resnet50"))
    for modes in ((Mode.SCRATCH,), (Mode.SCRATCH, Mode.TRANSFER), (Mode.RESUME, Mode.SCRATCH)):
        assert in_modes(chosen, *modes).recipe.model == "resnet50"


def test_files_of_the_network_before_are_not_offered_in_another_mode() -> None:
    session = Session(saved_weights=("/models/efficientnet_lite0.pth",))
    assert in_modes(session, Mode.SCRATCH).saved_weights == ()


def test_the_tutorials_values_stay_the_tutorials_in_another_mode() -> None:
    session = Session(base_preset="tutorial", recipe=with_preset(Recipe(), "tutorial"))
    scratch = in_modes(session, Mode.SCRATCH)
    assert (preset(scratch), scratch.recipe.model) == ("tutorial", "resnet18")


def samples(session: Session) -> Session:
    """The sample flowers are opened."""
    return opened(session, str(paths.sample_folder()))


def opened(session: Session, folder: str) -> Session:
    """This folder is opened."""
    return after(session, with_dataset(session, Scanned(folder, "flat", (), ())))


@pytest.mark.parametrize("first", [Mode.SCRATCH, Mode.TRANSFER])
def test_the_sample_flowers_have_a_small_network_from_scratch(first: Mode) -> None:
    session = samples(in_modes(Session(), first))
    assert in_modes(session, Mode.SCRATCH).recipe.model == "mynet"
    assert in_modes(session, Mode.TRANSFER).recipe.model == "efficientnet_lite0"
    assert in_modes(session, Mode.SCRATCH, Mode.TRANSFER, Mode.SCRATCH).recipe.model == "mynet"


def test_other_images_have_the_usual_one() -> None:
    session = Session(dataset=Scanned("/photos", "flat", (), ()))
    assert in_modes(session, Mode.SCRATCH).recipe.model == "resnet18"


def test_other_images_have_the_usual_one_after_the_sample_flowers_too() -> None:
    session = samples(in_modes(Session(), Mode.SCRATCH))
    own = opened(session, "/photos")
    assert (own.recipe.model, own.recipe.photos) == ("resnet18", "/photos")
    assert preset(own) == "recommended"
    assert samples(own).recipe.model == "mynet"
    own = opened(in_modes(session, Mode.RESUME), "/photos")
    assert in_modes(own, Mode.SCRATCH).recipe.model == "resnet18"


@pytest.mark.parametrize("model", ["mynet", "resnet50", "resnet18"])
def test_a_network_of_ones_own_choice_stays_for_the_sample_flowers(model: str) -> None:
    session = in_modes(Session(), Mode.SCRATCH)
    session = samples(after(session, with_model(session, model)))
    assert session.recipe.model == model
    assert in_modes(session, Mode.TRANSFER, Mode.SCRATCH).recipe.model == model
    assert opened(session, "/photos").recipe.model == model


def test_a_speed_up_is_left_behind_in_another_mode_after_a_look_at_a_run_too() -> None:
    way = Speedup(SpeedupKind.PROGRESSIVE_RESIZING, (("training_size", 160),), 250.0)
    scratch = in_modes(Session(), Mode.SCRATCH)
    taken = replace(scratch, estimate=Estimated(13.0, 20.0, 500.0, 100, speedup=way, epochs=40))
    taken = after(taken, with_speedup(taken))
    for session in (taken, in_modes(taken, Mode.RESUME, Mode.SCRATCH)):
        assert session.recipe.training_size == 160
        assert in_modes(session, Mode.TRANSFER).recipe == Session().recipe


def test_the_settings_of_a_run_are_chosen_its_network_too() -> None:
    taken = after(Session(), with_settings_of(Session(), Recipe(mode="scratch", model="mynet")))
    assert in_modes(taken, Mode.TRANSFER).recipe.model == "mynet"


def test_what_a_run_has_unfrozen_is_frozen_as_the_next_begins() -> None:
    recipe = Recipe(mode="transfer", frozen=("stem",), unfreeze_schedule=("layer2=2", "layer1=4"))
    taken = after(Session(), with_settings_of(Session(), recipe))
    assert taken.recipe.frozen == ("stem", "layer2", "layer1")
    assert taken.recipe.unfreeze_schedule == recipe.unfreeze_schedule


def test_another_network_has_no_schedule_of_its_stages() -> None:
    recipe = Recipe(mode="transfer", model="resnet18", unfreeze_schedule=("layer4=2",))
    session = Session(recipe=recipe)
    for model, schedule, epochs in (("resnet18", ("layer4=2",), 0), ("resnet50", (), 1)):
        taken = after(session, with_model(session, model)).recipe
        assert (taken.unfreeze_schedule, taken.freeze_epochs) == (schedule, epochs)
    scratch = in_modes(session, Mode.SCRATCH).recipe
    assert (scratch.frozen, scratch.unfreeze_schedule) == ((), ())


# --- weights that are on this machine -----------------------------------------------------------


def knowing(*weights: WeightsFacts, saved: bool = False) -> Session:
    """A session that knows resnet50 with these weights, and another network."""
    resnet50 = ModelFacts("resnet50", "ResNet", 1000, 224, weights, saved)
    return Session(models=(ModelFacts("alexnet", "AlexNet", 1000, 224, (V1,)), resnet50))


@pytest.mark.parametrize(
    ("weights", "chosen"),
    [
        ((V2, V1), "imagenet"),
        ((replace(V2, local=True), V1), "imagenet"),
        ((replace(V2, local=True), replace(V1, local=True)), "imagenet"),
        ((V2, replace(V1, local=True)), "IMAGENET1K_V1"),
    ],
)
def test_weights_that_are_here_come_before_a_download(
    weights: tuple[WeightsFacts, ...], chosen: str
) -> None:
    session = knowing(*weights)
    session = after(session, with_model(session, "resnet50"))
    assert session.recipe.weights == chosen
    session = after(session, with_weights(session, "imagenet"))
    assert session.recipe.weights == "imagenet"  # the user may want the download


def test_a_version_stays_where_the_next_network_has_it_too() -> None:
    session = knowing(V2, V1)
    session = after(session, with_weights(session, "IMAGENET1K_V1"))
    assert after(session, with_model(session, "resnet50")).recipe.weights == "IMAGENET1K_V1"
    assert after(session, with_model(session, "alexnet")).recipe.weights == "imagenet"


def test_a_file_of_ones_own_stays() -> None:
    session = knowing(V2, V1)
    session = after(session, with_weights(session, "/x/mine.pth"))
    assert after(session, with_model(session, "resnet50")).recipe.weights == "/x/mine.pth"


def test_a_saved_file_comes_before_a_download() -> None:
    session = knowing(V2, V1, saved=True)
    session = after(session, with_model(session, "resnet50"))
    files = ("/models/resnet50.pth",)
    found = after(session, with_saved_weights(session, files))
    assert (found.saved_weights, found.recipe.weights) == (files, files[0])
    assert after(found, with_model(found, "alexnet")).recipe.weights == "imagenet"
    downloaded = knowing(replace(V2, local=True), V1, saved=True)
    downloaded = after(downloaded, with_model(downloaded, "resnet50"))
    assert with_saved_weights(downloaded, files) == {"saved_weights": files}
    assert with_saved_weights(session, ()) == {"saved_weights": ()}


STARTED = RunStarted(
    *("/models/one", "resnet18", "transfer", ("rose",), 8, 2, 64, "cpu", "float32"),
    *(5, 2, 1, 0, 0, 1, 1, (), True),
)


@pytest.mark.parametrize("mode", [Mode.SCRATCH, Mode.TRANSFER])
def test_after_a_resumed_run_the_mode_is_that_of_the_new_run_before_it(mode: Mode) -> None:
    session = in_modes(Session(), mode)
    new = session.recipe
    resumed = replace(in_modes(session, Mode.RESUME), run_started=STARTED)
    ended = after(resumed, with_run_ended(resumed))
    assert (ended.mode, ended.recipe) == (mode, new)
    assert ended.ended_with == ended.recipe


def test_a_run_that_could_not_be_resumed_stays_chosen() -> None:
    session = in_modes(Session(), Mode.RESUME)
    assert after(session, with_run_ended(session)).mode is Mode.RESUME
