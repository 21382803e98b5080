"""Downloads files of pretrained weights, checked by the hash in their name."""

import hashlib
import os
import re
import socket
import tempfile
import urllib.error
import urllib.request
from collections.abc import Generator
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import torch

from flowergui.errors import FlowerError
from flowergui.events import DownloadProgress
from flowergui.text import tr

_CHUNK_BYTES = 1 << 18
_TIMEOUT_S = 20.0


def cache_folder() -> Path:
    """The folder in which torchvision keeps its weights, so that they are downloaded once."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def file_name(url: str) -> str:
    """The name of the file behind `url`."""
    return url.rpartition("/")[2]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(url: str, folder: Path) -> Generator[DownloadProgress, None, Path]:
    """The file behind `url`, downloaded into `folder` unless it is there already.

    torchvision's file names end in the first digits of the content's SHA-256, and files are checked
    against them. A download that is cut off, wrong or abandoned leaves no file behind. Raises
    FlowerError.
    """
    name = file_name(url)
    target = folder / name
    digits = re.search(r"-([0-9a-f]{8,64})\.", name)
    if target.is_file() and (not digits or _sha256(target).startswith(digits[1])):
        return target
    partial = Path()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        request = urllib.request.Request(url, headers={"User-Agent": "flowergui"})
        with (
            urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer,
            tempfile.NamedTemporaryFile(dir=folder, suffix=".partial", delete=False) as file,
        ):
            partial = Path(file.name)
            total, done, digest = (
                int(answer.headers.get("Content-Length") or 0),
                0,
                hashlib.sha256(),
            )
            yield DownloadProgress(name, 0, total)
            while chunk := answer.read(_CHUNK_BYTES):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                yield DownloadProgress(name, done, total)
        if total and done < total:
            raise FlowerError(
                tr("The download of {name} was cut off.", name=name), hint=tr("Try again.")
            )
        if digits and not digest.hexdigest().startswith(digits[1]):
            raise FlowerError(
                tr("The downloaded {name} is damaged: its checksum is wrong.", name=name),
                hint=tr("Try again."),
            )
        os.replace(partial, target)
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # closes the connection
        reason = getattr(error, "reason", error)
        if isinstance(reason, socket.gaierror):  # "Name or service not known" helps nobody
            reason = tr("{host} can't be reached", host=urlsplit(url).hostname)
        raise FlowerError(
            tr("The weights {name} could not be downloaded: {reason}.", name=name, reason=reason),
            hint=tr(
                "Connect to the internet, choose a .pth file of your own, or train from scratch. "
                "You can also put the file into {folder}.",
                folder=folder,
            ),
        ) from error
    except OSError as error:
        raise FlowerError(
            tr(
                "The weights {name} could not be written into {folder}: {reason}.",
                name=name,
                folder=folder,
                reason=error.strerror or error,
            )
        ) from error
    finally:
        if partial.name:
            partial.unlink(missing_ok=True)
    return target
