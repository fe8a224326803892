"""ONNX graphs opened for the processor: the options that every model here shares.

onnxruntime is loaded by the first model that is opened, not by an import.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ragstone.errors import ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def open_session(path: Path, *, threads: int, fused: bool, remedy: str) -> InferenceSession:
    """The graph in the file at `path`, for several threads at once.

    `threads` work inside one operator (0: onnxruntime's choice). A `fused` graph is run as it
    stands. Raises ModelError with the `remedy` for a file that is no graph.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # shapes differ from call to call
    # Threads that spin while they wait take a processor from whoever else has work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if fused:
        level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.graph_optimization_level = level
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no narrower base
        raise ModelError(f"{path} cannot be loaded: {error}.", remedy=remedy) from error
