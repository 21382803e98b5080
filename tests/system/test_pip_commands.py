"""Commands that install packages are those of the program's own Python."""

import shlex
import sys

import pytest

from flowergui.system.pip_commands import install_command


@pytest.mark.skipif(sys.platform == "win32", reason="Windows quotes in another way")
def test_an_installation_is_for_the_python_that_runs() -> None:
    pip = [sys.executable, "-m", "pip", "install"]
    assert shlex.split(install_command("a==1")) == [*pip, "a==1"]
    assert shlex.split(install_command("a", "b>=2", reinstall=True)) == [
        *pip, "--force-reinstall", "a", "b>=2",
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="Windows quotes in another way")
def test_where_there_is_no_pip_uv_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    uv = ["uv", "pip", "install", "--python", sys.executable]
    assert shlex.split(install_command("a==1")) == [*uv, "a==1"]
    assert shlex.split(install_command("a", reinstall=True)) == [*uv, "--reinstall", "a"]
