"""What the curves of a run say, in a sentence, and what would help."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from flowergui.events import EpochDone
from flowergui.text import tr

MIN_EPOCHS = 4
"""Fewer say nothing yet."""
RISEN = 1.15
"""A validation loss that has risen by so much since it was lowest rises: it trembles by less."""
MIN_RISE = 0.05
"""And by so much at least, as a share of the loss of a guess, the logarithm of the number of
classes: a loss near 0 may double without one more wrong answer."""
IMPROVED = 0.99
"""A loss that falls by less than 1% in a quarter of the epochs has settled."""
GAP = 0.7
"""The training loss of a network that has memorized its images is below this share of the
validation loss."""


class DiagnosisKind(StrEnum):
    """What is wrong with a run, or could be better."""

    OVERFITTING = "overfitting"
    NOT_LEARNING = "not learning"
    STILL_IMPROVING = "still improving"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`epoch` is the one since which it is so."""

    kind: DiagnosisKind
    epoch: int


def diagnose(
    epochs: Sequence[EpochDone],
    class_count: int,
    validation_images: int,
    *,
    finished: bool = False,
) -> Diagnosis | None:
    """What the losses and accuracies of a run's epochs say; None where all is well, where it is too
    early to say, or without validation.

    Overfitting: the mean validation loss of the last two epochs has risen by 15% since it was
    lowest, and by 0.05 log(classes) at least, the training loss is less than 70% of it, and the
    accuracy was best before them. Not learning: no epoch was better than picking classes at random
    (see `no_better_than_chance`). Still improving: a run has `finished`, its last epochs were its
    best, and in the first three quarters of its epochs it was less accurate, or its loss was higher
    by 1% or more.
    """
    losses = [each.val_loss for each in epochs if each.val_loss is not None]
    accuracies = [each.val_accuracy for each in epochs if each.val_accuracy is not None]
    if len(epochs) < MIN_EPOCHS or len(losses) < len(epochs) or len(accuracies) < len(epochs):
        return None
    last, lowest = epochs[-1], losses.index(min(losses))
    since_lowest = len(losses) - 1 - lowest
    recent = (losses[-1] + losses[-2]) / 2
    least_rise = MIN_RISE * math.log(max(class_count, 2))
    if since_lowest >= 2 and recent > max(RISEN * losses[lowest], losses[lowest] + least_rise):
        if last.train_loss < GAP * recent and last.best_epoch <= last.epoch - 2:
            since = max(epochs[lowest].epoch, last.best_epoch)
            return Diagnosis(DiagnosisKind.OVERFITTING, since)
    elif no_better_than_chance(max(accuracies), class_count, validation_images):
        return Diagnosis(DiagnosisKind.NOT_LEARNING, epochs[0].epoch)
    elif finished and last.best_epoch >= last.epoch - 1 and since_lowest <= 1:
        before = len(epochs) * 3 // 4
        higher_loss = min(losses[:before]) * IMPROVED >= losses[lowest]
        if higher_loss or max(accuracies[:before]) < max(accuracies[before:]):
            return Diagnosis(DiagnosisKind.STILL_IMPROVING, last.epoch)
    return None


def is_overfitted(diagnosis: Diagnosis | None, epochs: int) -> bool:
    """Whether a run of so many epochs ended overfitted, and had been so for a quarter of them."""
    return (
        diagnosis is not None
        and diagnosis.kind is DiagnosisKind.OVERFITTING
        and diagnosis.epoch <= epochs * 3 / 4
    )


def no_better_than_chance(accuracy: float, class_count: int, validation_images: int) -> bool:
    """Whether a network that picks a class at random would be as good: the `accuracy` is above 1 /
    classes by no more than a standard deviation over the validation images, or by a third,
    whichever is less. False where no validation images are there to say so."""
    if not validation_images:
        return False
    chance = 1 / class_count
    deviation = math.sqrt(chance * (1 - chance) / validation_images)
    return accuracy <= chance + min(deviation, chance / 3)


def diagnosis_text(diagnosis: Diagnosis, mode: str = "") -> tuple[str, str]:
    """A sentence for a button that opens the guide: with what would help a run of this `mode`, and
    without it, where there is little room."""
    match diagnosis.kind:
        case DiagnosisKind.OVERFITTING:
            epoch = f"{diagnosis.epoch:,}"
            return (
                tr(
                    "Overfitting since epoch {epoch}: stronger augmentation or more images ▸",
                    epoch=epoch,
                ),
                tr("Overfitting since epoch {epoch} ▸", epoch=epoch),
            )
        case DiagnosisKind.NOT_LEARNING:
            helps = (
                tr("No better than chance: a lower learning rate ▸")
                if mode == "transfer"
                else tr("No better than chance: a lower learning rate, or Transfer ▸")
            )
            return helps, tr("No better than chance ▸")
        case DiagnosisKind.STILL_IMPROVING:
            return tr("Still improving: more epochs, or more time ▸"), tr("Still improving ▸")


def diagnosis_advice(diagnosis: Diagnosis, mode: str = "") -> str:
    """What it means, and what would help a run of this `mode`."""
    match diagnosis.kind:
        case DiagnosisKind.OVERFITTING if mode == "transfer":
            return tr(
                "The network memorizes its training images and gets worse on others. Try stronger "
                "augmentation or more images. The best epoch is kept."
            )
        case DiagnosisKind.OVERFITTING:
            return tr(
                "The network memorizes its training images and gets worse on others. Try stronger "
                "augmentation, more images, or transfer learning. The best epoch is kept."
            )
        case DiagnosisKind.NOT_LEARNING if mode == "transfer":
            return tr(
                "The network is no better than picking a class at random. Try a lower learning "
                "rate, and see whether the images are in the right folders."
            )
        case DiagnosisKind.NOT_LEARNING:
            return tr(
                "The network is no better than picking a class at random. Try a lower learning "
                "rate, or Transfer; and see whether the images are in the right folders."
            )
        case DiagnosisKind.STILL_IMPROVING:
            return tr(
                "The last epochs were the best ones: more epochs, or a larger time budget, would "
                "probably help."
            )
