"""Weights that are files of installed Python packages."""

import hashlib
import os
from dataclasses import dataclass
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

from torch import Tensor

from flowergui.errors import FlowerError
from flowergui.learning.checkpoints import checkpoint
from flowergui.system.pip_commands import install_command
from flowergui.text import tr


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A state dict at `path` in the folder of `package` (an import name) of this `version`, and the
    SHA-256 of its content, in hexadecimal digits."""

    package: str
    version: str
    path: str
    sha256: str

    @property
    def requirement(self) -> str:
        """What pip installs: the package, in this version."""
        return f"{self.package.replace('_', '-')}=={self.version}"


def is_installed(file: PackagedFile) -> bool:
    """Whether the file is there. Its content is not read."""
    path = _located(file)
    return path is not None and os.path.isfile(path)


def read_packaged(file: PackagedFile) -> dict[str, Tensor]:
    """The tensors of the file. Raises FlowerError if it is missing or its content has changed."""
    path = _located(file)
    if path is None or not os.path.isfile(path):
        raise FlowerError(
            tr("The package with the weights is not installed: {name}.", name=file.requirement),
            hint=tr("Install it: {command}", command=install_command(file.requirement)),
        )
    command = install_command(file.requirement, "--no-deps", reinstall=True)
    again = tr("Install it again: {command}", command=command)
    try:
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise FlowerError(
            tr("{path} can't be read: {reason}.", path=path, reason=error.strerror or error),
            hint=again,
        ) from error
    if digest != file.sha256:
        raise FlowerError(
            tr(
                "{file} is not the file that the package {name} was published with: its checksum "
                "is wrong.",
                file=path,
                name=file.requirement,
            ),
            hint=again,
        )
    return checkpoint.extract_state_dict(checkpoint.read(path), path)


def _located(file: PackagedFile) -> Path | None:
    """Where the file should be; None if there is no such package. It is not imported: it has data
    only. It may be installed while the program runs, so nothing is cached."""
    invalidate_caches()
    spec = find_spec(file.package)
    return Path(spec.origin).parent / file.path if spec is not None and spec.origin else None
