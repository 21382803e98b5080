"""The garbage collector rests while a great many objects are made."""

import gc
from collections.abc import Iterator

import pytest

from flowergui.system.gc_pause import MIN_OBJECTS, gc_paused


@pytest.fixture(autouse=True)
def enabled() -> Iterator[None]:
    """As it is in a new process, and afterwards as it was before."""
    was = gc.isenabled()
    gc.enable()
    yield
    gc.unfreeze()
    if not was:
        gc.disable()


def test_it_rests_meanwhile_and_lets_the_many_be() -> None:
    kept: list[list[int]] = []
    before = gc.get_freeze_count()
    with gc_paused(lambda: len(kept)):
        assert not gc.isenabled()
        kept += [[number] for number in range(MIN_OBJECTS + 1)]
    assert gc.isenabled()
    assert gc.get_freeze_count() - before > MIN_OBJECTS


def test_few_are_gone_through_as_ever() -> None:
    before = gc.get_freeze_count()
    with gc_paused(lambda: MIN_OBJECTS):
        pass
    assert gc.get_freeze_count() == before


def test_what_breaks_off_leaves_it_as_it_was() -> None:
    before = gc.get_freeze_count()
    with pytest.raises(ValueError, match="no"), gc_paused(lambda: MIN_OBJECTS + 1):
        raise ValueError("no")
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, before)
    gc.disable()
    with gc_paused(lambda: 0):
        pass
    assert not gc.isenabled()
