"""Which of many photos are shown: by what is predicted for them, and by their names."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.facts import UNSURE_BELOW


class PhotoGroup(StrEnum):
    """What is known of a photo. Every photo is in one of these groups, besides ALL."""

    ALL = "all"
    CLASS = "class"
    """It shows a class, by a prediction that is not unsure."""
    UNSURE = "unsure"
    UNREADABLE = "unreadable"
    WAITING = "waiting"
    """It is not predicted yet."""


Group = tuple[PhotoGroup, str]
"""A group, and the name of its class; "" for a group that has none."""

ALL: Group = (PhotoGroup.ALL, "")


@dataclass(frozen=True, slots=True)
class PhotoFilter:
    """Accepts the photos of a group whose file names contain `name`, in whichever case. A
    prediction that is less probable than `unsure_below` is unsure."""

    group: Group = ALL
    name: str = ""
    unsure_below: float = UNSURE_BELOW

    def group_of(self, photo: PhotoAnswer) -> Group:
        """The group that a photo is in."""
        if photo.failure:
            return PhotoGroup.UNREADABLE, ""
        if not photo.predicted:
            return PhotoGroup.WAITING, ""
        if photo.predicted.is_unsure(self.unsure_below):
            return PhotoGroup.UNSURE, ""
        return PhotoGroup.CLASS, photo.predicted.best.name

    def accepts(self, photo: PhotoAnswer) -> bool:
        """Whether a photo is shown."""
        return (self.group == ALL or self.group == self.group_of(photo)) and (
            not self.name or self.name.casefold() in Path(photo.path).name.casefold()
        )

    def counts(self, photos: Iterable[PhotoAnswer]) -> Counter[Group]:
        """How many photos there are in each group, of whichever name."""
        return Counter(map(self.group_of, photos))
