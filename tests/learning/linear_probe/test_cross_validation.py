"""Cross-validation: its folds, its choice, and what it says of it."""

import numpy as np
import pytest
import torch
from feature_units import in_one_unit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from torch import Tensor
from weight_files import returned

from flowergui.events import Preparing
from flowergui.learning.linear_probe import cross_validation, logistic_regression
from flowergui.learning.linear_probe.cross_validation import (
    CrossValidation,
    cross_validate,
    first_copies,
    fit_with_chosen_c,
    stratified_folds,
    stratified_subset,
)
from flowergui.learning.linear_probe.linear_classifier import PrincipalAxes

LABELS = torch.tensor([0] * 11 + [1] * 23 + [2] * 4 + [3])


def choose_c(features: Tensor, labels: Tensor, class_count: int) -> CrossValidation:
    return returned(cross_validate(PrincipalAxes.of(features), labels, class_count))


def test_folds_have_equal_shares_of_each_class() -> None:
    fold = stratified_folds(LABELS, 4, 5, seed=0)
    counts = torch.stack([(fold[label == LABELS]).bincount(minlength=5) for label in range(4)])
    assert (counts.max(1).values - counts.min(1).values <= 1).all()
    assert counts.sum(0).max() - counts.sum(0).min() <= 1
    assert torch.equal(fold, stratified_folds(LABELS, 4, 5, seed=0))
    assert not torch.equal(fold, stratified_folds(LABELS, 4, 5, seed=1))


@pytest.mark.parametrize(("photos", "folds"), [(1, 2), (3, 3), (9, 5)])
def test_small_classes_make_fewer_folds(photos: int, folds: int) -> None:
    labels = torch.tensor([0, 1]).repeat(photos)
    assert int(stratified_folds(labels, 2, 5, seed=0).max()) + 1 == folds


def test_copies_are_in_the_fold_of_the_first(made) -> None:
    features, labels = made(90, 60, 3)
    where = torch.cat((torch.arange(90), torch.tensor([4, 7, 4, 80])))
    features, labels = features[where], labels[where]
    labels[-1] = 3  # a copy in another class is none of this one
    features[90] += 1e-6  # rounded differently
    first = first_copies(PrincipalAxes.of(features), labels)
    assert first.tolist() == [*range(90), 4, 7, 4, 93]

    fold = stratified_folds(labels, 4, 5, 0, first)
    assert fold[90:93].tolist() == fold[[4, 7, 4]].tolist()
    counts = torch.stack([fold[:90][label == labels[:90]].bincount() for label in range(3)])
    assert (counts.max(1).values - counts.min(1).values <= 1).all()


def test_many_copies_do_not_raise_the_accuracy(made) -> None:
    """Labels without meaning: only a classifier that has seen a copy knows one."""
    features, _ = made(60, 200, 3)
    labels = torch.randint(3, (60,), generator=torch.Generator().manual_seed(0))
    result = choose_c(features.repeat(4, 1), labels.repeat(4), 3)
    assert result.accuracy < 0.5


def test_a_class_of_copies_is_spread_over_the_folds(made) -> None:
    features, labels = made(30, 60, 2)
    features[labels == 1] = features[labels == 1][:1]
    assert first_copies(PrincipalAxes.of(features), labels).tolist() == list(range(30))
    same = torch.ones(30, 60)
    assert first_copies(PrincipalAxes.of(same), labels).tolist() == list(range(30))


def test_subsets_keep_shares_and_lie_in_larger_ones() -> None:
    half, quarter = (stratified_subset(LABELS, 4, share, 0, "x") for share in (0.5, 0.25))
    assert LABELS[half].bincount().tolist() == [6, 12, 2, 1]
    assert LABELS[quarter].bincount().tolist() == [3, 6, 1, 1]
    assert (half | quarter).equal(half)
    assert LABELS[stratified_subset(LABELS, 4, 0.25, 0, least=2)].bincount().tolist()[2:] == [2, 1]


def test_the_chosen_c_has_the_lowest_log_loss(made) -> None:
    """scikit-learn, fold by fold, finds the same minimum over the path, and the same
    probabilities."""
    features, labels = made(90, 60, 3)
    result = choose_c(features, labels, 3)

    columns = in_one_unit(features)
    fold = stratified_folds(labels, 3, 5, seed=0).numpy()
    losses = {}
    for each in cross_validation.PATH:
        probabilities = np.empty((90, 3))
        for number in range(5):
            fitted = LogisticRegression(C=each / 60, tol=1e-6, solver="newton-cholesky")
            fitted.fit(columns[fold != number], labels[fold != number].numpy())
            probabilities[fold == number] = fitted.predict_proba(columns[fold == number])
        losses[each / 60] = log_loss(labels.numpy(), probabilities), probabilities
    best = min(losses, key=lambda c: losses[c][0])
    assert result.c == pytest.approx(best)
    assert best not in (min(losses), max(losses)), "the minimum is at the end of the path"
    assert result.loss == pytest.approx(losses[best][0], abs=1e-4)
    expected = torch.from_numpy(losses[best][1])
    assert torch.allclose(result.probabilities, expected, rtol=0, atol=1e-3)


def test_each_c_has_its_progress(made) -> None:
    features, labels = made(90, 60, 3)
    events = list(cross_validate(PrincipalAxes.of(features), labels, 3))
    assert events == [
        Preparing("Cross-validating", done, len(cross_validation.PATH))
        for done in range(len(events))
    ]
    assert len(events) > 2


def test_a_large_fit_has_steps(made) -> None:
    """It can be abandoned after each, and is the same in the end."""
    features, labels = made(90, 60, 3)
    axes = PrincipalAxes.of(features)
    done = [each.done for each in cross_validate(axes, labels, 3, step_operations=0)]
    assert done == sorted(done)
    assert len(done) > len(set(done))
    result = returned(cross_validate(axes, labels, 3, step_operations=0))
    whole = choose_c(features, labels, 3)
    assert result.c == whole.c
    assert torch.allclose(result.probabilities, whole.probabilities, rtol=0, atol=1e-4)


def test_without_time_the_usual_c_is_taken(made) -> None:
    features, labels = made(90, 60, 3)
    axes = PrincipalAxes.of(features)
    late = {"step_operations": 0, "is_late": lambda: True}
    events = list(cross_validate(axes, labels, 3, **late))
    assert [each.done for each in events] == [0]
    result = returned(cross_validate(axes, labels, 3, **late))
    assert result.c == pytest.approx(cross_validation.USUAL_C / 60)
    assert result.accuracy > 0.5  # of three classes
    assert torch.allclose(result.probabilities.sum(1), torch.ones(90).double())


def test_a_small_cross_validation_is_never_too_late(made) -> None:
    features, labels = made(90, 60, 3)
    late = returned(cross_validate(PrincipalAxes.of(features), labels, 3, is_late=lambda: True))
    assert late.c == choose_c(features, labels, 3).c


def test_without_time_a_large_fit_stays_what_it_was(made, monkeypatch) -> None:
    features, labels = made(90, 60, 3)
    start = logistic_regression.fit(features[:45], labels[:45], 3, 0.02)
    how = {"start": start, "is_late": lambda: True}
    small, _ = returned(fit_with_chosen_c(features, labels, 3, **how))
    whole, _ = returned(fit_with_chosen_c(features, labels, 3))
    assert torch.equal(small.weight, whole.weight)
    for module in (logistic_regression, cross_validation):  # so it is a large one
        monkeypatch.setattr(module, "MAX_ITERATIONS", 10_000_000)
    large, chosen = returned(fit_with_chosen_c(features, labels, 3, **how))
    assert large is start
    assert chosen.c == pytest.approx(cross_validation.USUAL_C / 60)


def test_accuracies_are_those_of_the_probabilities(made) -> None:
    features, labels = made(90, 60, 3)
    result = choose_c(features, labels, 4)  # no photo is of the fourth class
    correct = result.probabilities.argmax(1) == labels
    assert result.folds == 5
    assert result.accuracy == pytest.approx(correct.double().mean().item())
    *known, unknown = result.class_accuracy
    assert known == pytest.approx([correct[labels == k].double().mean().item() for k in range(3)])
    assert unknown is None
    assert result.interval[0] < result.accuracy < result.interval[1]
    assert torch.equal(choose_c(features, labels, 4).probabilities, result.probabilities)


def test_labels_without_meaning_are_found_out(made) -> None:
    """Out of fold, accuracy is that of guessing, also where features could fit any labels."""
    features, _ = made(120, 200, 3)
    labels = torch.randint(3, (120,), generator=torch.Generator().manual_seed(0))
    result = choose_c(features, labels, 3)
    assert result.accuracy < 0.5
    assert result.loss == pytest.approx(np.log(3), abs=0.1)


def test_a_class_with_one_photo_has_no_say_in_the_choice(made) -> None:
    """It can't be predicted without that photo, whatever c is."""
    features, labels = made(90, 60, 3)
    labels[-1] = 3
    result = choose_c(features, labels, 4)
    assert result.class_accuracy[3] == 0.0
    losses = -result.probabilities.log().gather(1, labels[:, None])[:, 0]
    assert losses[-1] > 5
    assert result.loss == pytest.approx(losses[:-1].mean().item())
    assert result.accuracy == pytest.approx(
        (result.probabilities.argmax(1) == labels).double().mean().item()
    )
