"""Images that can't be read are found and named."""

import shutil
from pathlib import Path

import pytest
from PIL import Image
from scanning import scanned

from flowergui.facts import Problem


def test_broken_files_are_listed_and_left_out(flat: Path) -> None:
    whole = (flat / "iris" / "iris_0.jpg").read_bytes()
    (flat / "iris" / "empty.jpg").write_bytes(b"")
    (flat / "iris" / "text.jpg").write_text("<html>not found</html>")
    (flat / "iris" / "torn.jpg").write_bytes(whole[: len(whole) // 2])
    found, _ = scanned(flat)
    assert len(found.train) == 15
    reasons = {problem.path: problem.reason for problem in found.problems}
    assert reasons["iris/empty.jpg"] == "the file is empty"
    assert reasons["iris/text.jpg"] == "it is not an image of a known format"
    assert "runcated" in reasons["iris/torn.jpg"]
    assert len(reasons) == 3


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Permission denied"), "permission denied"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
)
def test_a_file_that_cannot_be_opened_is_listed_as_long_as_it_cannot(
    flat: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str
) -> None:
    """It is the drive that fails, perhaps for a moment, not the file."""
    opened = Image.open

    def guarded(path: Path, *args: object, **more: object) -> Image.Image:
        if path.name == "iris_3.jpg":
            raise error
        return opened(path, *args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Image, "open", guarded)
        assert scanned(flat)[0].problems == (Problem("iris/iris_3.jpg", reason),)
    assert scanned(flat)[0].problems == ()


def test_a_file_that_was_mended_is_read_again(flat: Path) -> None:
    broken = flat / "iris" / "mended.jpg"
    broken.write_bytes(b"")
    assert len(scanned(flat)[0].problems) == 1
    shutil.copy(flat / "iris" / "iris_0.jpg", broken)
    assert scanned(flat)[0].problems == ()
