"""What a report says of the program and the machine, and of nobody."""

import getpass
import sys
from pathlib import Path

import pytest

from flowergui import __version__
from flowergui.system.diagnostics import environment, versions, without_personal_paths


@pytest.fixture
def anna(monkeypatch, tmp_path) -> Path:
    """The home of the user anna."""
    home = tmp_path / "anna"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(getpass, "getuser", lambda: "anna")
    return home


def test_versions_are_known_without_loading_anything(monkeypatch):
    for name in ("torch", "torchvision"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    found = versions()
    assert found["Flowergui"] == __version__
    for name in ("Python", "torch", "torchvision", "PySide6", "pyqtgraph"):
        assert found[name][:1].isdigit(), (name, found[name])
    assert "torch" not in sys.modules


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{home}", "~"),
        ("{home}/roses & tulips/a.jpg can't be read.", "~/roses & tulips/a.jpg can't be read."),
        ("'{home}/a', \"{home}\"", "'~/a', \"~\""),
        ("file://{home}/a.jpg", "file://~/a.jpg"),
        ("{home}-2/a", "{home}-2/a"),
        ("/media/anna/stick", "/media/<user>/stick"),
        ("anna, hanna, anna_2, Joanna", "<user>, hanna, anna_2, Joanna"),
        ("/home/bob/a and /Users/bob/a", "/home/<user>/a and /Users/<user>/a"),
        (r"C:\Users\Bob\a, C:\\Users\\Bob\\a", r"C:\Users\<user>\a, C:\\Users\\<user>\\a"),
        ("/homely/bob", "/homely/bob"),
        ("", ""),
    ],
)
def test_nobody_is_named(anna, text, shown):
    assert without_personal_paths(text.format(home=anna)) == shown.format(home=anna)


def test_a_home_in_other_words_is_a_home(anna, tmp_path, monkeypatch):
    link = tmp_path / "link"
    link.symlink_to(anna)
    monkeypatch.setenv("HOME", str(link))
    assert without_personal_paths(f"{anna}/a {link}/b") == "~/a ~/b"


def test_a_system_without_a_user_is_no_problem(monkeypatch):
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.setenv("HOME", "/")
    assert without_personal_paths("/data/a.jpg") == "/data/a.jpg"


def test_variables_that_change_the_program_are_told(monkeypatch):
    monkeypatch.setenv("FLOWERGUI_TUNING", "off")
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    assert environment()["FLOWERGUI_TUNING"] == "off"
    assert "SECRET_TOKEN" not in environment()
