"""The program as a screen reader meets it: a run is started and stopped through AT-SPI.

    QT_QPA_PLATFORM=xcb xvfb-run -a dbus-run-session -- \\
        /usr/bin/python3 tests/screen/screen_reader.py .venv/bin/python

Needs the packages at-spi2-core, dbus, python3-gi and gir1.2-atspi-2.0; the Python after it runs the
program. Prints what is read and said; the exit status is 1 if something is not.
"""

import os
import subprocess
import sys
import tempfile
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402  # gi wants the version first

PATIENCE_SECONDS = 240
"""How long something may take on a busy machine; torch may still be loading."""


class Reader:
    """Reads the program's tree, presses its buttons, and hears what it announces."""

    def __init__(self):
        self.heard = []
        self._listener = Atspi.EventListener.new(self._hear)
        self._listener.register("object:announcement")
        self._program = self.until(self._find_program)

    def _find_program(self):
        desktop = Atspi.get_desktop(0)
        programs = [desktop.get_child_at_index(n) for n in range(desktop.get_child_count())]
        return next((each for each in programs if each and each.get_name() == "flowergui"), None)

    def _hear(self, event):
        self.heard.append(str(event.any_data))
        print(f"  announced: {event.any_data}", flush=True)

    def until(self, get):
        """What `get` gives, as soon as it gives something. Raises TimeoutError."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            while GLib.MainContext.default().iteration(False):
                pass
            try:
                if found := get():
                    return found
            except GLib.Error:
                pass  # a widget has gone, or is busy
            time.sleep(0.1)
        raise TimeoutError

    def _walk(self, node):
        yield node
        for number in range(node.get_child_count()):
            if child := node.get_child_at_index(number):
                yield from self._walk(child)

    def find(self, role, name):
        """What has this role and name and is seen."""

        def look():
            for node in self._walk(self._program):
                if (node.get_role_name(), node.get_name()) == (role, name) and shows(node):
                    return node
            return None

        def shows(node):
            return node.get_state_set().contains(Atspi.StateType.SHOWING)

        found = self.until(look)
        print(f"{role}: {name}. {found.get_description()}", flush=True)
        return found

    def press(self, name):
        """Presses a button, as soon as it is enabled."""
        button = self.find("push button", name)
        self.until(lambda: button.get_state_set().contains(Atspi.StateType.SENSITIVE))
        button.get_action_iface().do_action(0)

    def hear(self, words):
        """Waits for an announcement with these words."""
        return self.until(lambda: any(words in each for each in self.heard))


def main():
    """Goes from sample flowers to a run that is stopped."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "FLOWERGUI_MODELS": f"{folder}/models",
            "FLOWERGUI_CACHE": f"{folder}/cache",
            "FLOWERGUI_LANGUAGE": "en",
            "XDG_CONFIG_HOME": folder,
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
        }
        program = subprocess.Popen([sys.argv[1], "-m", "flowergui"], env=environment)
        try:
            reader = Reader()
            reader.press("Draw sample flowers")
            reader.find("radio button", "Scratch")
            folding = reader.find("push button", "2  Start from")
            assert folding.get_state_set().contains(Atspi.StateType.EXPANDED)
            reader.press("Start")
            loss = reader.find("chart", "Loss")
            reader.until(lambda: "Training" in loss.get_description())
            print(f"chart: Loss. {loss.get_description()}")
            reader.press("Stop")
            reader.hear("Stopped and saved")
        finally:
            program.kill()
            program.wait()


if __name__ == "__main__":
    main()
