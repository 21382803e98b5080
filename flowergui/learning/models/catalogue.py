"""Every architecture that can be trained, from all providers of networks.

A provider is a module with the functions of `Provider`. Another one is a line in `PROVIDERS`.
"""

from functools import cache
from typing import Protocol

from torch import nn

from flowergui.errors import FlowerError
from flowergui.facts import ModelFacts
from flowergui.learning.models import mynet, torchvision_models
from flowergui.text import tr


class Provider(Protocol):
    """A source of networks."""

    def list_models(self) -> tuple[ModelFacts, ...]:
        """Its architectures, in the order in which a list shows them."""

    def create(self, model: str, class_count: int, image_size: int) -> nn.Module:
        """A network with fresh weights: (B, 3, image_size, image_size) -> (B, class_count)."""

    def built_for_sizes(self, model: str) -> tuple[int, ...]:
        """The image sizes in pixels for which `create` gives other parameters."""


PROVIDERS: tuple[Provider, ...] = (mynet, torchvision_models)


@cache
def _entries(providers: tuple[Provider, ...]) -> dict[str, tuple[ModelFacts, Provider]]:
    return {
        facts.name: (facts, provider) for provider in providers for facts in provider.list_models()
    }


def model_catalogue() -> tuple[ModelFacts, ...]:
    """Every architecture, by provider."""
    return tuple(facts for facts, _ in _entries(PROVIDERS).values())


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
        hint=tr("Did you mean one of: {names}?", names=", ".join(near[:6]))
        if near
        else tr("Try resnet18."),
    )
