"""Logistic regression has scikit-learn's results."""

import math

import pytest
import torch
from feature_units import in_one_unit
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn import functional

from flowergui.learning.linear_probe import logistic_regression
from flowergui.learning.linear_probe.linear_classifier import LinearClassifier, PrincipalAxes
from flowergui.learning.linear_probe.logistic_regression import SubsetFits


def sklearn_probabilities(features: Tensor, labels: Tensor, c: float, asked: Tensor) -> Tensor:
    fitted = LogisticRegression(C=c, tol=1e-8, max_iter=10_000)
    fitted.fit(in_one_unit(features), labels.numpy())
    return torch.from_numpy(fitted.predict_proba(in_one_unit(asked, features)))


@pytest.mark.parametrize("c", [1e-4, 0.01, 1.0])
@pytest.mark.parametrize(
    ("photos", "columns", "classes"), [(60, 90, 4), (150, 40, 5), (80, 50, 2), (50, 120, 2)]
)
def test_it_equals_scikit_learn(made, photos: int, columns: int, classes: int, c: float) -> None:
    features, labels = made(photos + 20, columns, classes)
    known, own = features[:photos], labels[:photos]

    fitted = logistic_regression.fit(known, own, classes, c)

    assert fitted.weight.shape == (classes, columns)
    assert fitted.bias.shape == (classes,)
    expected = sklearn_probabilities(known, own, c, features)
    assert torch.allclose(fitted.probabilities(features), expected, rtol=0, atol=1e-4)
    spread = (expected.max(1).values - 1 / classes).max()
    assert spread > 0.01, "all are equally probable: anything would pass"


def test_float64_features_give_the_same(made) -> None:
    features, labels = made(60, 30, 3)
    one = logistic_regression.fit(features, labels, 3, 0.1)
    other = logistic_regression.fit(features.double(), labels, 3, 0.1)
    assert torch.equal(one.weight, other.weight)


def test_a_warm_start_ends_at_the_same_minimum(made) -> None:
    features, labels = made(80, 100, 4)
    cold = logistic_regression.fit(features, labels, 4, 0.05)
    before = logistic_regression.fit(features, labels, 4, 0.01)

    warm = logistic_regression.fit(features, labels, 4, 0.05, start=before)

    expected = cold.probabilities(features)
    assert torch.allclose(warm.probabilities(features), expected, rtol=0, atol=1e-4)
    assert not torch.allclose(before.probabilities(features), expected, rtol=0, atol=1e-2)


def test_a_start_far_away_is_no_obstacle(made) -> None:
    features, labels = made(80, 30, 3)
    chance = torch.Generator().manual_seed(0)
    start = LinearClassifier(
        torch.randn(3, 30, generator=chance).double(), torch.randn(3, generator=chance).double()
    )
    fitted = logistic_regression.fit(features, labels, 3, 0.01, start=start)
    expected = sklearn_probabilities(features, labels, 0.01, features)
    assert torch.allclose(fitted.probabilities(features), expected, rtol=0, atol=1e-3)


def test_a_fit_in_steps_ends_at_the_same_minimum(made) -> None:
    features, labels = made(80, 100, 4)
    axes = PrincipalAxes.of(features)
    halves = torch.arange(80) % 2 == torch.arange(2)[:, None]
    whole, one_step, steps = (SubsetFits(axes, labels, 4, halves) for _ in range(3))
    whole.fit(1.0)
    assert list(one_step.fit_in_steps(1.0, math.inf)) == []
    assert len(list(steps.fit_in_steps(1.0, 0))) > 1
    assert torch.equal(one_step.logits(), whole.logits())
    expected = whole.logits().softmax(1)
    assert torch.allclose(steps.logits().softmax(1), expected, rtol=0, atol=1e-4)


def test_a_fit_that_is_late_ends_with_what_it_has_reached(made, monkeypatch) -> None:
    monkeypatch.setattr(logistic_regression, "MIN_STEP_ITERATIONS", 3)
    features, labels = made(80, 100, 4)
    whole, late = (SubsetFits(PrincipalAxes.of(features), labels, 4) for _ in range(2))
    whole.fit(1.0)
    assert list(late.fit_in_steps(1.0, 0, is_late=lambda: True)) == []

    def loss(fits: SubsetFits) -> float:
        return functional.cross_entropy(fits.logits()[0].T, labels).item()

    assert loss(whole) < loss(late) < math.log(4)


def test_a_class_without_photos_gets_no_probability(made) -> None:
    features, labels = made(60, 20, 3)
    fitted = logistic_regression.fit(features, labels, 4, 0.1)
    assert fitted.probabilities(features)[:, 3].max() < 1e-3


def test_random_numbers_of_a_run_are_left_alone(made) -> None:
    features, labels = made(60, 20, 3)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    logistic_regression.fit(features, labels, 3, 0.1)
    assert torch.equal(torch.rand(3), expected)
