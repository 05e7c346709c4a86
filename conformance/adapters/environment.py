"""The environment of a child process: threads, precision, and consideration for other processes on
the machine.
"""

from __future__ import annotations

import os


def thread_environment(threads: int) -> dict[str, str]:
    """How a child is told its number of threads: every framework's own variable, and ours for an
    adapter that needs to be told.

    OpenMP's reaches torch and oneDNN, NPROC is the size of XLA's thread pool on the CPU, OpenBLAS's
    that of NumPy's products.
    """
    names = (
        "CONFORMANCE_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "NPROC",
    )
    return dict.fromkeys(names, str(threads))


PRECISIONS = ("strict", "default")
"""The settings of float32 products: float32 in every product, or the default of the framework (on
some devices, TF32)."""


def precision_environment(precision: str) -> dict[str, str]:
    """How a child is told its precision, one of PRECISIONS."""
    return {"CONFORMANCE_PRECISION": precision}


def wants_strict() -> bool:
    """Whether this child was told to compute float32 in float32; else an adapter leaves its
    framework's settings alone.
    """
    return os.environ.get("CONFORMANCE_PRECISION", "default") == "strict"


NOT_ALONE = {"OMP_WAIT_POLICY": "passive"}
"""The environment of processes that share the machine: an OpenMP thread that has nothing to do
sleeps, and leaves its core to another engine."""


TENSORFLOWS = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "GLOG_minloglevel": "2",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "TF_ENABLE_ONEDNN_OPTS": "1",
}
"""Quiet; a device's memory taken as it is needed: other engines want some too; and oneDNN said,
which TensorFlow takes by itself only where the processor has AVX-512 VNNI or BF16, or AMX: an
engine is to be the same on every machine."""

JAXS = {"JAX_ENABLE_X64": "1", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
"""Without the first JAX turns float64 into float32; float32 stays float32."""
