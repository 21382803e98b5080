"""Predictions and evaluations as lines of text for people."""

from collections.abc import Sequence

from wcwidth import ljust, rjust, width

from flowergui.confidence_interval import wilson_interval
from flowergui.events import CrossValidated, Evaluated, Predicted
from flowergui.text import fine_percent, shortened, tr, trn

MAX_ERRORS_SHOWN = 5
"""Most confusions, and most confident errors, that are listed."""

MAX_CLASSES_SHOWN = 100

CLASS_WIDTHS = (7, 8, 9, 8)
"""Cells of the terminal for the numbers of a class; its name comes first."""

BAR_CHARACTERS = 20
"""Length of the bar of a prediction with probability 1."""


def image_count(count: int) -> str:
    """A number of images with its noun."""
    return trn("{count} image", "{count} images", count)


def predicted(event: Predicted) -> Sequence[str]:
    """An image, and a line with a bar for each prediction."""
    widest = max(width(each.name) for each in event.predictions)
    table = [event.path]
    for each in event.predictions:
        bar = "#" * round(each.probability * BAR_CHARACTERS)
        row = f"  {ljust(each.name, widest)}  {fine_percent(each.probability):>7}  {bar}"
        table.append(row.rstrip())
    return table


def evaluated(event: Evaluated) -> Sequence[str]:
    """The scores of an evaluation, a table of the classes, and the errors."""
    return [
        _scores(event),
        *_evaluation_set(event),
        "",
        *_class_table(event),
        *_errors(event),
    ]


def cross_validated(event: CrossValidated) -> Sequence[str]:
    """The scores of a cross-validation, a table of the classes, and the errors."""
    return [
        tr(
            "Accuracy {accuracy} on {images} (95% interval {low} to {high}), loss {loss}.",
            accuracy=fine_percent(event.accuracy),
            images=image_count(event.photos),
            low=fine_percent(event.low),
            high=fine_percent(event.high),
            loss=f"{event.loss:.3f}",
        ),
        trn(
            "It is that of a linear classifier on features of {model} ({weights}), cross-validated "
            "in {count} fold.",
            "It is that of a linear classifier on features of {model} ({weights}), cross-validated "
            "in {count} folds.",
            event.folds,
            model=event.model,
            weights=event.weights,
        ),
        "",
        *_class_table(event),
        *_errors(event),
    ]


def _scores(event: Evaluated) -> str:
    low, high = wilson_interval(event.accuracy * event.photos, event.photos)
    values = {
        "accuracy": fine_percent(event.accuracy),
        "images": image_count(event.photos),
        "low": fine_percent(low),
        "high": fine_percent(high),
        "loss": f"{event.loss:.3f}",
    }
    if event.top5 is None:
        return tr(
            "Accuracy {accuracy} on {images} (95% interval {low} to {high}), loss {loss}.", **values
        )
    return tr(
        "Accuracy {accuracy} on {images} (95% interval {low} to {high}), top-5 accuracy {top5}, "
        "loss {loss}.",
        **values,
        top5=fine_percent(event.top5),
    )


def _evaluation_set(event: Evaluated) -> Sequence[str]:
    """Which images were evaluated, and which were left out."""
    if event.trained_on is None:
        found = [
            tr(
                "The images are in {folder}. The training set is unknown: some of them may have "
                "been used for training.",
                folder=event.folder,
            )
        ]
    else:
        found = [
            tr("The evaluated images in {folder} were not used for training.", folder=event.folder)
        ]
    if event.trained_on:
        found.append(
            trn(
                "Skipped {count} image that was used for training.",
                "Skipped {count} images that were used for training.",
                event.trained_on,
            )
        )
    if event.unknown_classes:
        names = shortened(event.unknown_classes)
        found.append(tr("Skipped classes that the network does not know: {names}.", names=names))
    return found


def _class_table(event: Evaluated | CrossValidated) -> Sequence[str]:
    """Recall, precision and F1 of each class. Of many classes, those with the lowest recall."""
    heads = (tr("class"), tr("Images").lower(), tr("recall"), tr("precision"), tr("F1"))
    widest = max(width(heads[0]), *(width(each.name) for each in event.classes))
    table = [_row(widest, *heads)]
    shown = event.classes
    if len(shown) > MAX_CLASSES_SHOWN:
        measured = (each for each in shown if each.recall is not None)
        shown = tuple(sorted(measured, key=lambda each: each.recall or 0.0)[:MAX_CLASSES_SHOWN])
    for each in shown:
        recall, precision, f1 = (
            "-" if share is None else fine_percent(share)
            for share in (each.recall, each.precision, each.f1)
        )
        table.append(_row(widest, each.name, f"{each.photos:,}", recall, precision, f1))
    if others := len(event.classes) - len(shown):
        table.append(
            trn(
                "and {count} more class with a higher recall or without images.",
                "and {count} more classes with a higher recall or without images.",
                others,
            )
        )
    return table


def _row(widest: int, name: str, *cells: str) -> str:
    """A class and its numbers; `widest` cells of the terminal are for the names."""
    numbers = (rjust(cell, room) for cell, room in zip(cells, CLASS_WIDTHS, strict=True))
    return "  ".join([ljust(name, widest), *numbers])


def _errors(event: Evaluated | CrossValidated) -> Sequence[str]:
    if not event.confusions:
        return []
    confusions = (
        tr(
            "  {label} predicted as {predicted}: {images}",
            label=each.label,
            predicted=each.predicted,
            images=image_count(each.photos),
        )
        for each in event.confusions[:MAX_ERRORS_SHOWN]
    )
    errors = (
        tr(
            "  {path}: predicted {predicted} ({probability}), actual {label} ({label_probability})",
            path=each.path,
            predicted=each.predicted,
            probability=fine_percent(each.probability),
            label=each.label,
            label_probability=fine_percent(each.label_probability or 0.0),
        )
        for each in event.most_confident_errors[:MAX_ERRORS_SHOWN]
    )
    return [
        "",
        tr("Most frequent confusions:"),
        *confusions,
        "",
        tr("Most confident errors:"),
        *errors,
    ]
