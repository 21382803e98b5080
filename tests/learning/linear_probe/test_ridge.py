"""Ridge regression: leave-one-out in closed form is leave-one-out."""

import pytest
import torch
from feature_units import in_one_unit
from torch.nn import functional

from flowergui.learning.linear_probe import ridge


def left_out(features: torch.Tensor, labels: torch.Tensor, classes: int, penalty: float):
    """A regression without each photo, one after the other, on features that are scaled once."""
    columns = torch.from_numpy(in_one_unit(features))
    targets = functional.one_hot(labels, classes).double()
    predictions = []
    for number in range(len(columns)):
        others = torch.arange(len(columns)) != number
        middle, mean = columns[others].mean(0), targets[others].mean(0)
        x, y = columns[others] - middle, targets[others] - mean
        squares = x.T @ x + penalty * torch.eye(x.shape[1]).double()
        weight = torch.linalg.solve(squares, x.T @ y)
        predictions.append((columns[number] - middle) @ weight + mean)
    return torch.stack(predictions)


@pytest.mark.parametrize("columns", [20, 100])
@pytest.mark.parametrize("penalty", [0.5, 30.0])
def test_leave_one_out_equals_the_loop(made, columns: int, penalty: float) -> None:
    features, labels = made(60, columns, 4)
    fitted = ridge.fit(features, labels, 4, (penalty,))
    expected = left_out(features, labels, 4, penalty)
    assert torch.allclose(fitted.loo_predictions, expected, rtol=0, atol=1e-9)
    correct = (expected.argmax(1) == labels).double().mean().item()
    assert fitted.loo_accuracy == pytest.approx(correct)
    assert fitted.penalty == penalty


def test_the_penalty_with_the_lowest_error_is_chosen(made) -> None:
    features, labels = made(60, 40, 3)
    targets = functional.one_hot(labels, 3)
    penalties = (0.1, 10.0, 1000.0)
    errors = {
        each: (left_out(features, labels, 3, each) - targets).square().mean() for each in penalties
    }
    fitted = ridge.fit(features, labels, 3, penalties)
    assert fitted.penalty == min(errors, key=lambda each: errors[each])
    assert ridge.fit(features, labels, 3).loo_accuracy > 0.4


def test_the_classifier_takes_raw_features(made) -> None:
    """Its predictions are those of the normal equations, with all photos."""
    features, labels = made(60, 40, 3)
    fitted = ridge.fit(features, labels, 3, (5.0,))
    x = torch.from_numpy(in_one_unit(features))
    targets = functional.one_hot(labels, 3).double()
    squares = x.T @ x + 5.0 * torch.eye(40).double()
    weight = torch.linalg.solve(squares, x.T @ (targets - targets.mean(0)))
    expected = x @ weight + targets.mean(0)
    assert torch.allclose(fitted.classifier.logits(features), expected, rtol=0, atol=1e-9)
