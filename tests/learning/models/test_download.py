"""Downloads: whole or not at all, continued where they broke off, from the server or a mirror."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from flowergui.errors import FlowerError
from flowergui.events import DownloadProgress
from flowergui.learning.models.download import download

CONTENT = bytes(range(256)) * 4096  # 1 MiB
HALF = len(CONTENT) // 2
NAME = f"made_up-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"
PARTIAL = f"{NAME}.partial"


class Answers(BaseHTTPRequestHandler):
    """CONTENT under any name.

    After /cut/ comes only a half of it, after /chunked/ torn chunks. After /range/ the server
    continues where it is asked to; after /breaks/ too, but else sends a half; after /elsewhere/ it
    continues at another place, and after /refuses/ it refuses to.
    """

    asked: ClassVar[list[tuple[str, str]]] = []
    """Path and Range header of all requests."""

    def do_GET(self) -> None:
        wish = self.headers.get("Range", "")
        self.asked.append((self.path, wish))
        if self.path.startswith("/gone/"):
            self.send_error(404)
            return
        if self.path.startswith("/refuses/") and wish:
            self.send_error(416)
            return
        if self.path.startswith(("/range/", "/breaks/", "/elsewhere/")) and wish:
            self._continue(int(wish.removeprefix("bytes=").removesuffix("-")))
            return
        self.send_response(200)
        if self.path.startswith("/chunked/"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"1000\r\n" + CONTENT[:100])
            return
        if not self.path.startswith("/untold/"):
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        breaks = self.path.startswith(("/cut/", "/breaks/"))
        self.wfile.write(CONTENT[:HALF] if breaks else CONTENT)

    def _continue(self, start: int) -> None:
        start += 10 * self.path.startswith("/elsewhere/")
        self.send_response(206)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        last = len(CONTENT) - 1
        self.send_header("Content-Range", f"bytes {start}-{last}/{len(CONTENT)}")
        self.end_headers()
        self.wfile.write(CONTENT[start:])

    protocol_version = "HTTP/1.1"
    close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing on stderr."""

    def handle(self) -> None:
        self.handle_one_request()


@pytest.fixture(scope="module")
def running() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def server(running: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its address; no request has been seen yet, and there is no mirror."""
    Answers.asked.clear()
    monkeypatch.delenv("FLOWERGUI_WEIGHTS_URL", raising=False)
    return running


def pulled(generator: Iterator[DownloadProgress]) -> tuple[Path, list[DownloadProgress]]:
    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as end:
            return end.value, events


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_download_tells_how_far_it_is(server: str, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "cache"
    path, events = pulled(download(f"{server}/{NAME}", folder))
    assert path == folder / NAME
    assert path.read_bytes() == CONTENT
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert events[0] == DownloadProgress(NAME, 0, len(CONTENT))
    assert events[-1] == DownloadProgress(NAME, len(CONTENT), len(CONTENT))
    assert len(events) >= 5
    assert names(folder) == [NAME]
    assert pulled(download("http://127.0.0.1:9/" + NAME, folder)) == (path, [])


def test_what_was_left_half_in_the_cache_is_fetched_anew(server: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(CONTENT[:1000])  # by another program
    path, events = pulled(download(f"{server}/{NAME}", tmp_path))
    assert path.read_bytes() == CONTENT
    assert events


def test_a_server_need_not_say_how_much_it_is(server: str, tmp_path: Path) -> None:
    path, events = pulled(download(f"{server}/untold/{NAME}", tmp_path / "cache"))
    assert path.read_bytes() == CONTENT
    assert {event.total for event in events} == {0}


@pytest.mark.parametrize(
    ("address", "says"),
    [
        (
            "/made_up-00000000.pth",
            "The downloaded made_up-00000000.pth is damaged: ",
        ),
        ("/cut/no_hash.pth", "The download of no_hash.pth was cut off."),
        (f"/chunked/{NAME}", f"The weights {NAME} could not be downloaded: "),
        (f"/gone/{NAME}", f"The weights {NAME} could not be downloaded: Not Found."),
    ],
)
def test_what_is_wrong_leaves_nothing(server: str, tmp_path: Path, address: str, says: str) -> None:
    with pytest.raises(FlowerError) as refused:
        pulled(download(server + address, tmp_path / "cache"))
    assert refused.value.message.startswith(says)
    assert refused.value.hint
    assert names(tmp_path / "cache") == []


def test_offline(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match=f"The weights {NAME} could not be downloaded") as refused:
        pulled(download(f"http://127.0.0.1:9/{NAME}", tmp_path / "cache"))
    assert str(tmp_path / "cache") in refused.value.hint
    assert "such as efficientnet_lite0" in refused.value.hint


def test_why_a_folder_of_weights_can_not_be_read_is_said_without_numbers(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match="downloaded: No such file or directory"):
        pulled(download(f"{(tmp_path / 'none').as_uri()}/{NAME}", tmp_path / "cache"))
    with pytest.raises(FlowerError, match="downloaded: Connection refused"):
        pulled(download(f"http://127.0.0.1:9/{NAME}", tmp_path / "cache"))


def test_a_name_that_is_not_found_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match=r"downloaded: nowhere\.invalid can't be reached"):
        pulled(download(f"http://nowhere.invalid/{NAME}", tmp_path / "cache"))


def test_what_is_there_but_can_not_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a folder that several users share."""
    (tmp_path / NAME).write_text("somebody else's")

    def refuse(path: Path, *args: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FlowerError, match=rf"{NAME} can't be read: Permission denied\."):
        pulled(download(f"http://127.0.0.1:9/{NAME}", tmp_path))


def test_nowhere_to_keep_it(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FlowerError, match="could not be written into"):
        pulled(download(f"{server}/{NAME}", tmp_path / "file" / "cache"))


# --- continued --------------------------------------------------------------------------------


def test_what_broke_off_is_continued(server: str, tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match="was cut off") as refused:
        pulled(download(f"{server}/breaks/{NAME}", tmp_path))
    assert "continues where it was cut off" in refused.value.hint
    assert (tmp_path / PARTIAL).read_bytes() == CONTENT[:HALF]
    assert names(tmp_path) == [PARTIAL]
    path, events = pulled(download(f"{server}/breaks/{NAME}", tmp_path))
    assert path.read_bytes() == CONTENT
    assert events[0] == DownloadProgress(NAME, HALF, len(CONTENT))
    assert events[-1] == DownloadProgress(NAME, len(CONTENT), len(CONTENT))
    assert [wish for _, wish in Answers.asked] == ["", f"bytes={HALF}-"]
    assert names(tmp_path) == [NAME]


def test_what_was_given_up_is_continued(server: str, tmp_path: Path) -> None:
    downloading = download(f"{server}/range/{NAME}", tmp_path)
    for event in downloading:
        if event.done:
            break
    downloading.close()
    assert (tmp_path / PARTIAL).stat().st_size == event.done < len(CONTENT)
    path, events = pulled(download(f"{server}/range/{NAME}", tmp_path))
    assert events[0] == DownloadProgress(NAME, event.done, len(CONTENT))
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("way", ["", "/elsewhere", "/refuses"])
def test_a_server_that_does_not_continue_sends_all(server: str, tmp_path: Path, way: str) -> None:
    (tmp_path / PARTIAL).write_bytes(CONTENT[:1000])
    path, events = pulled(download(f"{server}{way}/{NAME}", tmp_path))
    assert path.read_bytes() == CONTENT
    assert events[0] == DownloadProgress(NAME, 0, len(CONTENT))
    assert Answers.asked[0] == (f"{way}/{NAME}", "bytes=1000-")


@pytest.mark.parametrize("way", ["/range", "/refuses"])
def test_all_of_it_may_be_there_under_the_other_name(server: str, tmp_path: Path, way: str) -> None:
    """The program was killed before it was renamed."""
    (tmp_path / PARTIAL).write_bytes(CONTENT)
    path, _ = pulled(download(f"{server}{way}/{NAME}", tmp_path))
    assert path.read_bytes() == CONTENT
    assert Answers.asked == []
    assert names(tmp_path) == [NAME]


def test_a_wrong_beginning_is_found_in_the_end_and_thrown_away(server: str, tmp_path: Path) -> None:
    (tmp_path / PARTIAL).write_bytes(b"x" * 1000)
    with pytest.raises(FlowerError, match="checksum is wrong"):
        pulled(download(f"{server}/range/{NAME}", tmp_path))
    assert names(tmp_path) == []
    path, _ = pulled(download(f"{server}/range/{NAME}", tmp_path))
    assert path.read_bytes() == CONTENT


def test_what_has_no_hash_in_its_name_is_not_continued(server: str, tmp_path: Path) -> None:
    (tmp_path / "no_hash.pth.partial").write_bytes(b"x" * 1000)
    path, _ = pulled(download(f"{server}/range/no_hash.pth", tmp_path))
    assert path.read_bytes() == CONTENT
    assert Answers.asked == [("/range/no_hash.pth", "")]


def test_a_beginning_outlasts_a_server_that_is_gone(server: str, tmp_path: Path) -> None:
    (tmp_path / PARTIAL).write_bytes(CONTENT[:1000])
    for gone in (f"{server}/gone/{NAME}", f"http://127.0.0.1:9/{NAME}"):
        with pytest.raises(FlowerError, match="could not be downloaded"):
            pulled(download(gone, tmp_path))
        assert names(tmp_path) == [PARTIAL]


def test_of_two_at_once_one_waits_for_the_other(server: str, tmp_path: Path) -> None:
    first = download(f"{server}/{NAME}", tmp_path)
    next(first)
    with ThreadPoolExecutor(1) as pool:
        waits = download(f"{server}/{NAME}", tmp_path)
        assert pool.submit(next, waits).result() == DownloadProgress(NAME, 0, 0)
        path, _ = pulled(first)
        assert pool.submit(pulled, waits).result()[0] == path
    assert path.read_bytes() == CONTENT
    assert len(Answers.asked) == 1
    assert names(tmp_path) == [NAME]


# --- a mirror ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["/mirror/of/weights", "/mirror/of/weights/"])
def test_a_mirror_replaces_all_but_the_name(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setenv("FLOWERGUI_WEIGHTS_URL", server + ending)
    path, _ = pulled(download(f"https://nowhere.invalid/models/{NAME}", tmp_path))
    assert path.read_bytes() == CONTENT
    assert Answers.asked == [(f"/mirror/of/weights/{NAME}", "")]


def test_a_mirror_may_be_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / NAME).write_bytes(CONTENT)
    (tmp_path / PARTIAL).write_bytes(CONTENT[:1000])
    monkeypatch.setenv("FLOWERGUI_WEIGHTS_URL", (tmp_path / "mirror").as_uri())
    path, _ = pulled(download(f"https://nowhere.invalid/{NAME}", tmp_path))
    assert path.read_bytes() == CONTENT


def test_what_a_mirror_has_is_checked_too(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWERGUI_WEIGHTS_URL", server)
    with pytest.raises(FlowerError, match="checksum is wrong"):
        pulled(download("https://nowhere.invalid/made_up-00000000.pth", tmp_path))
    assert names(tmp_path) == []


def test_a_mirror_that_lacks_the_file_is_named(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWERGUI_WEIGHTS_URL", f"{server}/gone")
    with pytest.raises(FlowerError, match="Not Found") as refused:
        pulled(download(f"https://nowhere.invalid/{NAME}", tmp_path))
    assert f"FLOWERGUI_WEIGHTS_URL names where it is looked for: {server}/gone/{NAME}." in (
        refused.value.hint
    )


def test_a_mirror_that_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWERGUI_WEIGHTS_URL", "mirror.example/weights")
    with pytest.raises(FlowerError, match="FLOWERGUI_WEIGHTS_URL is not an address") as refused:
        pulled(download(f"https://nowhere.invalid/{NAME}", tmp_path))
    assert "https://" in refused.value.hint
    assert list(tmp_path.iterdir()) == []
