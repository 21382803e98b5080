"""What PyInstaller's program runs."""

import os
import sys
from multiprocessing import freeze_support

from flowergui.__main__ import main

if __name__ == "__main__":
    freeze_support()  # the process that writes .onnx begins here too
    # PyInstaller has put the program's libraries there. Programs that it opens, such as the file
    # manager, have their own; its own processes begin as the first one did.
    os.environ.pop("LD_LIBRARY_PATH", None)
    if before := os.environ.pop("LD_LIBRARY_PATH_ORIG", None):
        os.environ["LD_LIBRARY_PATH"] = before
    os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
    sys.exit(main())
