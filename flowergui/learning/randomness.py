"""Stateless randomness: every draw is a function of the seed and of what it is for."""

import hashlib

import torch


def derive_seed(*parts: int | str) -> int:
    """A number from 0 to 2**63 - 1 that depends on `parts` alone, on every machine.

    It seeds whatever draws: the order of an epoch is drawn from `number(seed, "order", epoch)`.
    So a run can be taken up at any batch, by any number of workers, and goes on the same.
    """
    text = "/".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def seed_rng(seed: int, device: torch.device) -> None:
    """Seeds the generators that dropout draws from on this device. torch.manual_seed seeds those
    of all devices, and where one has not been used yet it writes a stack trace each time: that
    takes longer than a step on cached features."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)
