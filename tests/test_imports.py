"""Who may import whom, at run time: the window is on screen long before torch is loaded."""

import subprocess
import sys

import pytest


def loaded(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after `statement`."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    return set(done.stdout.split())


def test_the_window_needs_no_torch():
    modules = loaded("import flowergui.desktop.app, flowergui.desktop.main_window")
    assert "PySide6.QtWidgets" in modules
    assert not {"torch", "torchvision", "flowergui.learning"} & modules


def test_learning_needs_no_qt():
    modules = loaded(
        "import flowergui.learning.training.loop, flowergui.learning.inference.predictor"
    )
    assert "torch" in modules
    assert not {"PySide6", "pyqtgraph", "flowergui.desktop"} & modules


@pytest.mark.parametrize(
    "name", ["config.recipe", "events", "errors", "requests", "tasks", "cli.commands"]
)
def test_the_root_needs_neither(name):
    modules = loaded(f"import flowergui.{name}")
    assert not {"torch", "PySide6", "flowergui.learning"} & modules
