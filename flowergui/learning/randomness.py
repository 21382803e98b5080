"""Stateless randomness: every random number is a function of the seed and of its purpose."""

import hashlib

import torch


def derive_seed(*parts: int | str) -> int:
    """A seed from 0 to 2**63 - 1 that depends on `parts` alone, on every machine.

    The order of an epoch, for example, is drawn from `derive_seed(seed, "order", epoch)`. So a run
    can be resumed at any batch, with any number of workers, and ends with the same weights.
    """
    text = "/".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def seed_rng(seed: int, device: torch.device) -> None:
    """Seeds the generators that dropout uses on this device. torch.manual_seed seeds those of all
    devices, and records a stack trace for each that is not initialized: that takes longer than a
    step on cached features."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)
