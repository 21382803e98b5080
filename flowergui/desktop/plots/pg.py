"""pyqtgraph, imported without the CUDA bindings that it would load for images."""

from flowergui.system.tuning import cuda_bindings_hidden

with cuda_bindings_hidden():
    import pyqtgraph

__all__ = ["pyqtgraph"]
