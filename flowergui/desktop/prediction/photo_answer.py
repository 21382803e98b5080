"""What is known of one photo: its predictions, and where the network looks."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from flowergui.events import Explained, Predicted
from flowergui.facts import Heatmap
from flowergui.text import percent, tr


@dataclass(frozen=True, slots=True)
class PhotoAnswer:
    """A photo and what is known of it by now: `predicted`, or the `failure` that kept it from
    being predicted, or neither yet.

    `heatmaps` belong to the predictions, in their order; they are computed when the user asks for
    them, and empty until then. `why_not` says why there can be none.
    """

    path: str
    predicted: Predicted | None = None
    failure: str = ""
    heatmaps: tuple[Heatmap, ...] = ()
    why_not: str = ""

    @property
    def can_be_explained(self) -> bool:
        """Whether its heatmaps are still to be computed."""
        return bool(self.predicted and not self.heatmaps and not self.why_not)

    def with_explanation(self, event: Explained) -> Self:
        """The same with these heatmaps, or with the reason why there are none."""
        why_not = "" if event.heatmaps else tr("This network can't show where it looks.")
        return replace(self, heatmaps=event.heatmaps, why_not=why_not)

    @property
    def summary(self) -> str:
        """The photo's name and a few words: "1.jpg: tulip, 91%"."""
        name = Path(self.path).name
        if self.predicted and self.predicted.predictions:
            best = self.predicted.predictions[0]
            return tr(
                "{photo}: {label}, {probability}",
                photo=name,
                label=best.name,
                probability=percent(best.probability),
            )
        if self.failure:
            return tr("{photo}: {failure}", photo=name, failure=self.failure)
        return tr("{photo}: waiting", photo=name)
