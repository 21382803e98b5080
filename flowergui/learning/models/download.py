"""Downloads files of pretrained weights, checked by the hash in their name.

The environment variable FLOWERGUI_WEIGHTS_URL names a mirror: the files are taken from there, by
their names.
"""

import hashlib
import os
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import closing, suppress
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from filelock import FileLock, Timeout

from flowergui.config.recipe import DEFAULT_MODELS
from flowergui.errors import FlowerError
from flowergui.events import DownloadProgress
from flowergui.text import tr

_CHUNK_BYTES = 1 << 18
_TIMEOUT_S = 20.0
_LOCK_POLL_S = 0.2

MIRROR_VARIABLE = "FLOWERGUI_WEIGHTS_URL"
MIRROR_SCHEMES = ("https", "http", "file")


def cache_folder() -> Path:
    """The folder in which torchvision keeps its weights, so that they are downloaded once."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def file_name(url: str) -> str:
    """The name of the file behind `url`."""
    return url.rpartition("/")[2]


def address(url: str) -> str:
    """Where the file behind `url` is downloaded from: there, or from the mirror that
    FLOWERGUI_WEIGHTS_URL names. Raises FlowerError if that is not an address."""
    mirror = os.environ.get(MIRROR_VARIABLE, "").strip()
    if not mirror:
        return url
    if urlsplit(mirror).scheme not in MIRROR_SCHEMES:
        raise FlowerError(
            tr("{variable} is not an address: {value}.", variable=MIRROR_VARIABLE, value=mirror),
            hint=tr("It begins with https://, http:// or file://, and names a folder of weights."),
        )
    return f"{mirror.rstrip('/')}/{file_name(url)}"


def download(url: str, folder: Path) -> Generator[DownloadProgress, None, Path]:
    """The file behind `url`, downloaded into `folder` unless it is there already.

    torchvision's file names end in the first digits of the content's SHA-256, and files are checked
    against them. What there is of a download that is cut off or abandoned stays beside the target,
    with the suffix .partial, and the next one continues it; if the content turns out wrong, it is
    removed. While another process downloads the same file, this one waits for it. Raises
    FlowerError.
    """
    name = file_name(url)
    target, source = folder / name, address(url)
    if _is_whole(target):
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f".{name}.lock", thread_local=False)
        yield from _acquire(lock, _partial(target))
        try:
            if not _is_whole(target):  # another process may have fetched it meanwhile
                yield from _fetch(source, target)
        finally:
            lock.release()
            with suppress(OSError):  # Windows keeps it while another process waits
                Path(lock.lock_file).unlink(missing_ok=True)
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        raise _not_downloaded(error, source, target) from error
    except OSError as error:
        raise FlowerError(
            tr(
                "The weights {name} could not be written into {folder}: {reason}.",
                name=name,
                folder=folder,
                reason=error.strerror or error,
            )
        ) from error
    return target


def _partial(target: Path) -> Path:
    """The beginning of a file that was not downloaded to its end."""
    return target.with_name(f"{target.name}.partial")


def _digits(path: Path) -> str:
    """The digits of the hash in a file's name; "" if there are none."""
    match = re.search(r"-([0-9a-f]{8,64})\.", path.name)
    return match[1] if match else ""


def _is_whole(target: Path) -> bool:
    if not os.path.isfile(target):
        return False
    try:
        with target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest().startswith(_digits(target))
    except OSError as error:
        raise FlowerError(
            tr(
                "The weights {path} can't be read: {reason}.",
                path=target,
                reason=error.strerror or error,
            )
        ) from error


def _acquire(lock: FileLock, partial: Path) -> Generator[DownloadProgress, None, None]:
    """Waits for the lock; the progress is that of the process that holds it."""
    while True:
        try:
            lock.acquire(timeout=_LOCK_POLL_S, poll_interval=_LOCK_POLL_S)
            return
        except Timeout:
            done = partial.stat().st_size if os.path.isfile(partial) else 0
            yield DownloadProgress(partial.stem, done, 0)


def _fetch(source: str, target: Path) -> Generator[DownloadProgress, None, None]:
    """Downloads into the partial file, checks it, and renames it."""
    partial, digits = _partial(target), _digits(target)
    if not digits:  # what can't be checked in the end is not continued
        partial.unlink(missing_ok=True)
    digest = hashlib.sha256()
    if os.path.isfile(partial):
        with partial.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
    try:
        if not (os.path.isfile(partial) and digest.hexdigest().startswith(digits)):
            digest = yield from _receive(source, partial, digest)
        if not digest.hexdigest().startswith(digits):
            partial.unlink()
            raise FlowerError(
                tr("The downloaded {name} is damaged: its checksum is wrong.", name=target.name),
                hint=tr("Try again."),
            )
        os.replace(partial, target)
    finally:
        if os.path.isfile(partial) and not (digits and partial.stat().st_size):
            partial.unlink()


def _receive(source: str, partial: Path, digest: Any) -> Generator[DownloadProgress, None, Any]:
    """Appends what `partial` lacks, or all if the server does not continue. `digest` is that of its
    content; returns that of the whole content."""
    name = partial.stem
    with closing(_answer(source, _size(partial))) as answer:
        continues = answer.status == HTTPStatus.PARTIAL_CONTENT
        done = _size(partial) if continues else 0
        rest = int(answer.headers.get("Content-Length") or 0)
        total = done + rest if rest else 0
        if not continues:
            digest = hashlib.sha256()
        yield DownloadProgress(name, done, total)
        with partial.open("ab" if continues else "wb") as file:
            while chunk := answer.read(_CHUNK_BYTES):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                yield DownloadProgress(name, done, total)
    if total and done < total:
        raise FlowerError(
            tr("The download of {name} was cut off.", name=name),
            hint=tr("Try again: it continues where it was cut off."),
        )
    return digest


def _size(path: Path) -> int:
    return path.stat().st_size if os.path.isfile(path) else 0


def _answer(source: str, start: int) -> Any:
    """The response with the bytes from `start` on, or with all if the server can't do that."""
    headers = {"User-Agent": "flowergui"}
    if start:
        ranged = urllib.request.Request(source, headers=headers | {"Range": f"bytes={start}-"})
        try:
            answer = urllib.request.urlopen(ranged, timeout=_TIMEOUT_S)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
        else:
            offered = answer.headers.get("Content-Range", "")
            if answer.status != HTTPStatus.PARTIAL_CONTENT or offered.startswith(f"bytes {start}-"):
                return answer
            answer.close()
    return urllib.request.urlopen(
        urllib.request.Request(source, headers=headers), timeout=_TIMEOUT_S
    )


def _not_downloaded(error: Exception, source: str, target: Path) -> FlowerError:
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # closes the connection
    reason = getattr(error, "reason", error)
    if isinstance(reason, socket.gaierror):  # "Name or service not known" helps nobody
        reason = tr("{host} can't be reached", host=urlsplit(source).hostname)
    elif isinstance(reason, OSError):  # without its number, and the path, which is named below
        reason = reason.strerror or reason
    if os.environ.get(MIRROR_VARIABLE, "").strip():
        hint = tr(
            "{variable} names where it is looked for: {address}. You can also put the file into "
            "{folder}.",
            variable=MIRROR_VARIABLE,
            address=source,
            folder=target.parent,
        )
    else:
        hint = tr(
            "Connect to the internet, choose a network whose weights are on this machine, such as "
            "{model}, or a .pth file of your own. You can also put the file into {folder}.",
            model=DEFAULT_MODELS["transfer"],
            folder=target.parent,
        )
    return FlowerError(
        tr(
            "The weights {name} could not be downloaded: {reason}.",
            name=target.name,
            reason=reason,
        ),
        hint=hint,
    )
