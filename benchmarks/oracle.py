"""The oracle against PyTorch's float64 kernel on the CPU, interleaved: `python benchmarks/oracle.py [ROUNDS]`.

Absolute times drift on a shared machine; what is printed per shape is the median of the rounds' ratios, and over all the
geometric mean. Both sides get as many threads as OMP_NUM_THREADS says, two if it is not set.
"""

from __future__ import annotations

import os
import sys
import time

THREADS = int(os.environ.setdefault("OMP_NUM_THREADS", "2"))
os.environ.setdefault("OPENBLAS_NUM_THREADS", str(THREADS))

import numpy as np  # noqa: E402 - BLAS reads its number of threads when it is loaded
import torch  # noqa: E402

import conformance  # noqa: E402

SHAPES = [  # N, C_in, H, W, C_out, kernel, stride, padding
    (1, 16, 16, 16, 8, 3, 2, 1),
    (1, 256, 14, 14, 128, 4, 2, 1),
    (4, 512, 4, 4, 256, 4, 2, 1),
    (4, 128, 16, 16, 64, 4, 2, 1),
    (1, 512, 14, 14, 256, 2, 2, 0),
    (1, 21, 16, 16, 21, 64, 32, 16),
]


def ratios(shape: tuple[int, ...], rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of the oracle and of PyTorch, one of each per round."""
    n, c_in, height, width, c_out, kernel, stride, padding = shape
    random = np.random.RandomState(0)
    x, w = random.standard_normal((n, c_in, height, width)), random.standard_normal((c_in, c_out, kernel, kernel))
    given, weights = torch.from_numpy(x), torch.from_numpy(w)
    ours, theirs = [], []
    for _ in range(rounds + 2):  # two to warm up
        start = time.perf_counter()
        conformance.conv_transpose(x, w, stride=stride, padding=padding)
        middle = time.perf_counter()
        torch.nn.functional.conv_transpose2d(given, weights, stride=stride, padding=padding)
        ours.append(middle - start)
        theirs.append(time.perf_counter() - middle)
    return ours[2:], theirs[2:]


def main() -> None:
    torch.set_num_threads(THREADS)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    medians = []
    for shape in SHAPES:
        ours, theirs = ratios(shape, rounds)
        medians.append(float(np.median(np.array(ours) / np.array(theirs))))
        milliseconds = np.median(ours) * 1e3, np.median(theirs) * 1e3
        print(f"{shape!s:40} oracle {milliseconds[0]:8.2f} ms  torch {milliseconds[1]:8.2f} ms  ratio {medians[-1]:.2f}")
    print(f"geometric mean of the ratios: {np.exp(np.mean(np.log(medians))):.2f} ({THREADS} threads, {rounds} rounds)")


if __name__ == "__main__":
    main()
