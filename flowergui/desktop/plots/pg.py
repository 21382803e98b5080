"""pyqtgraph without what it loads for pictures on a graphics card.

It imports CUDA's bindings where torch has brought them along, which nothing here uses: a twentieth
of the time to the first paint.
"""

import sys

_BINDINGS = "cuda"

_absent = _BINDINGS not in sys.modules
if _absent:
    sys.modules[_BINDINGS] = None  # type: ignore[assignment]  # an import of it says ImportError
try:
    import pyqtgraph
finally:
    if _absent:
        del sys.modules[_BINDINGS]

__all__ = ["pyqtgraph"]
