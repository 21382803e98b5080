"""Errors cross from process to process."""

import pickle

import pytest

from flowergui.errors import FlowerError, OtherArchitectureError
from flowergui.learning.training.failures import OutOfMemoryError
from flowergui.learning.training.model_state import NonFiniteLossError


@pytest.mark.parametrize(
    "error",
    [
        FlowerError("It is gone.", hint="Look for it.", option="--photos"),
        OtherArchitectureError("Another one.", hint="Choose it.", model="resnet18"),
        OutOfMemoryError("Too large.", hint="Halve it.", on_all_ranks=True),
        NonFiniteLossError("It is NaN.", loss=float("inf"), hint="Lower it."),
    ],
)
def test_an_error_is_the_same_in_another_process(error: FlowerError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (vars(again), str(again), again.args) == (vars(error), str(error), error.args)
