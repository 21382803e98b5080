"""Every architecture that can be trained, from all providers of networks.

A provider is a module with the functions of `Provider`. Another one is a line in `PROVIDERS`.
"""

from collections.abc import Generator, Mapping
from dataclasses import replace
from functools import cache
from typing import Protocol

from torch import Tensor, nn

from flowergui.errors import FlowerError
from flowergui.events import DownloadProgress
from flowergui.facts import ModelFacts
from flowergui.learning.models import efficientnet_lite, mynet, torchvision_models
from flowergui.learning.models.pretrained import Pretrained, Rgb
from flowergui.text import enumerated, tr


class Provider(Protocol):
    """A source of networks."""

    def list_models(self) -> tuple[ModelFacts, ...]:
        """Its architectures, in the order in which a list shows them."""

    def create(self, model: str, class_count: int, image_size: int) -> nn.Module:
        """A network with fresh weights: (B, 3, image_size, image_size) -> (B, class_count)."""

    def built_for_sizes(self, model: str) -> tuple[int, ...]:
        """The image sizes in pixels for which `create` gives other parameters."""

    def is_local(self, model: str, weights: str) -> bool:
        """Whether these pretrained weights, named as in `ModelFacts.weights`, are on this
        machine."""

    def load_weights(
        self, model: str, weights: str
    ) -> Generator[DownloadProgress, None, Pretrained]:
        """These pretrained weights, downloaded if they are not on this machine. Raises
        FlowerError."""

    def normalization(self, model: str, class_count: int) -> tuple[Rgb, Rgb]:
        """The mean and standard deviation of RGB from 0 to 1 for weights of `class_count` classes
        in a file that doesn't say (0 for random weights)."""

    def rename_keys(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors with today's names, if a file has older names or those of a package; else
        as they are. It may be a file of another provider's network."""


PROVIDERS: tuple[Provider, ...] = (efficientnet_lite, mynet, torchvision_models)


@cache
def _entries(providers: tuple[Provider, ...]) -> dict[str, tuple[ModelFacts, Provider]]:
    return {
        facts.name: (facts, provider) for provider in providers for facts in provider.list_models()
    }


def model_catalogue() -> tuple[ModelFacts, ...]:
    """Every architecture, by provider."""
    return tuple(facts for facts, _ in _entries(PROVIDERS).values())


def with_local_weights(models: tuple[ModelFacts, ...]) -> tuple[ModelFacts, ...]:
    """The same entries, which say of their weights whether they are on this machine now."""
    return tuple(
        replace(
            facts,
            weights=tuple(
                replace(each, local=provider_of(facts.name).is_local(facts.name, each.name))
                for each in facts.weights
            ),
        )
        for facts in models
    )


def model_info(model: str) -> ModelFacts:
    """The catalogue's entry. Raises FlowerError for an unknown name."""
    return _entry(model)[0]


def provider_of(model: str) -> Provider:
    """The provider that builds this architecture. Raises FlowerError for an unknown name."""
    return _entry(model)[1]


def _entry(model: str) -> tuple[ModelFacts, Provider]:
    if (entry := _entries(PROVIDERS).get(model)) is not None:
        return entry
    near = [name for name in _entries(PROVIDERS) if model and name.startswith(model[:4])]
    raise FlowerError(
        tr("There is no network called {model!r}.", model=model),
        hint=tr("Did you mean one of: {names}?", names=enumerated(near[:6]))
        if near
        else tr("Try resnet18."),
    )
