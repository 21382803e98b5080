"""From which epoch on each layer trains: what the layers panel shows and changes of the recipe."""

from collections.abc import Mapping
from typing import Any

from flowergui.config.unfreeze_schedule import unfreeze_epochs, without_parameters
from flowergui.desktop.session import (
    Session,
    epochs_done,
    epochs_until_unfrozen,
    frozen,
    is_idle,
)
from flowergui.errors import FlowerError
from flowergui.events import ModelDescribed
from flowergui.facts import StageFacts

NEVER = 0
"""The epoch of a layer that stays frozen."""
START = 1
"""The epoch of a layer that trains from the start."""


def parameter_epochs(session: Session) -> dict[str, int]:
    """Maps names of parameters to the epoch from which on they train, or NEVER. Empty while the
    network isn't described."""
    network = session.network
    if network is None:
        return {}
    scheduled, still = _scheduled(session, network), set(frozen(session))
    first = epochs_until_unfrozen(session) + 1
    others = first if first > START else NEVER
    since = {} if is_idle(session) else scheduled  # a run that goes has unfrozen them then
    return {
        name: scheduled.get(name, others) if name in still else since.get(name, START)
        for name in _names(network)
    }


def stage_epoch(stage: StageFacts, epochs: Mapping[str, int]) -> int | None:
    """The epoch from which on a stage trains, or NEVER; None if its parameters differ."""
    found = {epochs.get(name, START) for name in stage.parameters}
    return found.pop() if len(found) == 1 else None


def with_stage_epoch(session: Session, stage: StageFacts, epoch: int) -> dict[str, Any]:
    """The fields of the recipe with which `stage` trains from `epoch` on, and all others as
    before."""
    network = session.network
    if network is None:
        return {}
    if START < epoch <= epochs_done(session) + 1:
        epoch = START  # that is now
    epochs = parameter_epochs(session) | dict.fromkeys(stage.parameters, epoch)
    still = {*frozen(session), *stage.parameters}
    if epoch == START:
        still.difference_update(stage.parameters)
    names = tuple(name for name in _names(network) if name in still)
    return {
        "frozen": session.recipe.frozen if names == frozen(session) else names,
        "freeze_epochs": 0,
        "unfreeze_schedule": _written(network, epochs),
    }


def with_frozen(session: Session, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields of the recipe with exactly the parameters `names` frozen, as the user asked for:
    those that he froze stay so."""
    network = session.network
    schedule = session.recipe.unfreeze_schedule
    if network is not None and schedule:
        asked = set(names) ^ set(frozen(session))
        try:
            schedule = without_parameters(
                schedule, asked, _names(network), network.head, network.last_stage
            )
        except FlowerError:  # it is another network's
            schedule = ()
    return {"frozen": names, "freeze_epochs": 0, "unfreeze_schedule": schedule}


def _written(network: ModelDescribed, epochs: Mapping[str, int]) -> tuple[str, ...]:
    """The schedule that says this: an entry for each module of a stage, or for each parameter where
    they differ."""
    schedule: list[str] = []
    for stage in network.stages:
        epoch = stage_epoch(stage, epochs)
        if epoch is None:
            schedule += [f"{n}={epochs[n]}" for n in stage.parameters if epochs[n] > START]
        elif epoch > START:
            schedule += [f"{module}={epoch}" for module in stage.modules]
    return tuple(schedule)


def _scheduled(session: Session, network: ModelDescribed) -> dict[str, int]:
    try:
        return unfreeze_epochs(
            session.recipe.unfreeze_schedule, _names(network), network.head, network.last_stage
        )
    except FlowerError:  # names of another network's layers mean nothing here
        return {}


def _names(network: ModelDescribed) -> tuple[str, ...]:
    return tuple(each.name for each in network.parameters)
