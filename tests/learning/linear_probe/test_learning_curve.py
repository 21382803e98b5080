"""Learning curves: what fewer photos cost, and what more would bring."""

import pytest
import torch
from weight_files import returned

from flowergui.events import Preparing
from flowergui.learning.linear_probe import learning_curve
from flowergui.learning.linear_probe.cross_validation import CrossValidation, cross_validate
from flowergui.learning.linear_probe.learning_curve import LearningCurve
from flowergui.learning.linear_probe.linear_classifier import PrincipalAxes


def choose_c(features: torch.Tensor, labels: torch.Tensor, classes: int) -> CrossValidation:
    return returned(cross_validate(PrincipalAxes.of(features), labels, classes))


def estimated(features: torch.Tensor, labels: torch.Tensor, classes: int, c: float):
    generator = learning_curve.estimate(PrincipalAxes.of(features), labels, classes, c)
    events: list[Preparing] = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as end:
            curve: LearningCurve = end.value
            return curve, events


def test_with_all_photos_it_is_the_cross_validation(made) -> None:
    features, labels = made(120, 60, 3)
    known = choose_c(features, labels, 3)
    curve, events = estimated(features, labels, 3, known.c)
    assert [each.photos for each in curve.points] == [30, 60, 120]
    assert curve.twice.photos == 240
    last = curve.points[-1]
    assert last.accuracy == pytest.approx(known.accuracy)
    assert (last.low, last.high) == pytest.approx(known.interval)
    assert last.class_accuracy == pytest.approx(known.class_accuracy)
    assert [each.done for each in events] == sorted({each.done for each in events})
    assert estimated(features, labels, 3, known.c)[0] == curve


def test_more_photos_help_where_they_did_before(made) -> None:
    features, labels = made(120, 400, 4, noise=1.0)
    curve, _ = estimated(features, labels, 4, choose_c(features, labels, 4).c)
    first, second, last = (each.accuracy for each in curve.points)
    assert first < second < last < curve.twice.accuracy
    assert curve.twice.accuracy - last < last - first
    assert curve.gain_interval[0] < curve.twice.accuracy - last < curve.gain_interval[1]


def test_an_extrapolated_interval_ends_at_its_accuracy(made, monkeypatch) -> None:
    monkeypatch.setattr(learning_curve, "_mean_and_interval", lambda values: (0.4, (1.02, 1.04)))
    features, labels = made(120, 60, 3)
    twice = estimated(features, labels, 3, 1.0)[0].twice
    assert (twice.low, twice.accuracy, twice.high) == (1.0, 1.0, 1.0)


def test_more_photos_don_t_help_where_all_is_known(made) -> None:
    features, labels = made(120, 20, 3)
    features = features[:, :3] + 100 * torch.nn.functional.one_hot(labels, 3)
    curve, _ = estimated(features, labels, 3, choose_c(features, labels, 3).c)
    assert [each.accuracy for each in (*curve.points, curve.twice)] == [1.0] * 4
    assert curve.gain_interval == pytest.approx((0.0, 0.0))
