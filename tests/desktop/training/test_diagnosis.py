"""What the curves of a run say."""

from dataclasses import replace

import pytest

from flowergui.desktop.training.diagnosis import (
    Diagnosis,
    DiagnosisKind,
    diagnose,
    diagnosis_advice,
    diagnosis_text,
    is_overfitted,
    no_better_than_chance,
)
from flowergui.events import EpochDone


def run(*epochs: tuple[float, float | None, float]) -> list[EpochDone]:
    """Epochs from their training loss, validation loss, and validation accuracy."""
    done, best, best_epoch = [], 0.0, 0
    for number, (train, loss, accuracy) in enumerate(epochs, 1):
        if accuracy > best:
            best, best_epoch = accuracy, number
        measured = None if loss is None else accuracy
        done.append(
            EpochDone(
                number,
                len(epochs),
                number * 10,
                train,
                0.5,
                loss,
                measured,
                best,
                best_epoch,
                1e-3,
                5.0,
            )
        )
    return done


OVERFITTED = run((1.0, 1.0, 0.5), (0.6, 0.8, 0.7), (0.3, 0.9, 0.7), (0.1, 1.1, 0.69))
LATE = run((1.0, 1.0, 0.5), (0.6, 0.6, 0.7), (0.3, 0.8, 0.8), (0.2, 0.9, 0.7), (0.1, 1.0, 0.7))
IMPROVING = run((1.0, 1.0, 0.5), (0.8, 0.8, 0.6), (0.7, 0.7, 0.7), (0.6, 0.6, 0.8))
BLIND = run(*[(1.6, 1.6, 0.2)] * 4)


@pytest.mark.parametrize(
    ("epochs", "finished", "said"),
    [
        (OVERFITTED, False, Diagnosis(DiagnosisKind.OVERFITTING, 2)),
        (OVERFITTED[:3], False, None),  # too early
        # The loss has risen since epoch 2, but epoch 3 had more images right.
        (LATE, False, Diagnosis(DiagnosisKind.OVERFITTING, 3)),
        (IMPROVING, False, None),
        (IMPROVING, True, Diagnosis(DiagnosisKind.STILL_IMPROVING, 4)),
        (BLIND, False, Diagnosis(DiagnosisKind.NOT_LEARNING, 1)),
        # It trembles, but does not rise.
        (run((1.0, 1.0, 0.5), (0.6, 0.8, 0.7), (0.5, 0.85, 0.7), (0.4, 0.84, 0.7)), False, None),
        # The validation loss rises, and the training loss with it: that is no memorizing.
        (run((1.0, 1.0, 0.5), (0.9, 0.8, 0.7), (1.0, 1.0, 0.6), (1.2, 1.2, 0.6)), False, None),
        # The validation loss doubles and is near 0 all the same.
        (run((0.1, 0.02, 0.99), *[(0.001, 0.04, 0.98)] * 5), False, None),
        # The loss has risen, but more images are right than ever.
        (run((1.0, 1.0, 0.5), (0.6, 0.8, 0.7), (0.3, 0.9, 0.7), (0.1, 1.1, 0.71)), False, None),
        (run(*[(1.0, None, 0.5)] * 6), True, None),  # no validation set
        ([], True, None),
    ],
)
def test_diagnoses(epochs, finished: bool, said: Diagnosis | None) -> None:
    assert diagnose(epochs, 5, 100, finished=finished) == said


def test_with_many_classes_a_loss_may_rise_by_more() -> None:
    """A guess among 1,000 classes has a loss of 6.9, among 2 of 0.7."""
    risen = run((0.2, 0.5, 0.8), *[(0.05, 0.6, 0.79)] * 4)
    assert diagnose(risen, 2, 100) == Diagnosis(DiagnosisKind.OVERFITTING, 1)
    assert diagnose(risen, 1000, 10_000) is None


def test_a_loss_that_has_settled_is_no_improvement() -> None:
    """Of two networks that are as accurate, the one with the lower loss is the better one."""
    for fall, found in ((1e-4, None), (1e-2, Diagnosis(DiagnosisKind.STILL_IMPROVING, 12))):
        epochs = run(*[(0.1, 0.5 - fall * n, 0.9) for n in range(12)])
        epochs = [replace(each, best_epoch=each.epoch) for each in epochs]
        assert diagnose(epochs, 5, 100, finished=True) == found


def test_what_60_percent_are_worth_depends_on_the_images() -> None:
    unsure = run(*[(0.7, 0.7, 0.6)] * 4)
    assert diagnose(unsure, 2, 1000) is None
    assert diagnose(unsure, 2, 10) == Diagnosis(DiagnosisKind.NOT_LEARNING, 1)


def test_a_run_is_overfitted_that_was_best_long_ago() -> None:
    overfitting = Diagnosis(DiagnosisKind.OVERFITTING, 3)
    assert is_overfitted(overfitting, 4)
    assert not is_overfitted(overfitting, 3)
    assert not is_overfitted(Diagnosis(DiagnosisKind.STILL_IMPROVING, 3), 4)
    assert not is_overfitted(None, 4)


def test_no_better_than_chance() -> None:
    assert no_better_than_chance(0.22, 5, 100)
    assert no_better_than_chance(0.24, 5, 100)  # a standard deviation above is 24%
    assert not no_better_than_chance(0.25, 5, 100)
    assert not no_better_than_chance(0.27, 5, 10)  # a third above is 26.7%
    assert not no_better_than_chance(0.0, 5, 0)


def test_every_diagnosis_has_words_and_advice() -> None:
    for kind in DiagnosisKind:
        assert diagnosis_text(Diagnosis(kind, 12))
        assert len(diagnosis_advice(Diagnosis(kind, 12))) > 40
    overfitting = Diagnosis(DiagnosisKind.OVERFITTING, 12)
    assert "transfer" in diagnosis_advice(overfitting, "scratch")
    assert "transfer" not in diagnosis_advice(overfitting, "transfer")
    hopeless = Diagnosis(DiagnosisKind.NOT_LEARNING, 1)
    for words in (diagnosis_advice, lambda *of: diagnosis_text(*of)[0]):
        assert "Transfer" in words(hopeless, "scratch")
        assert "Transfer" not in words(hopeless, "transfer")
    sentence, brief = diagnosis_text(overfitting)
    assert sentence == "Overfitting since epoch 12: stronger augmentation or more images ▸"
    assert brief == "Overfitting since epoch 12 ▸"
