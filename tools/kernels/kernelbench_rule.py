"""How many of the cheats in tests/kernels/cheats.py pass KernelBench's own rule.

    python tools/kernels/kernelbench_rule.py

The rule: Model and ModelNew constructed with one seed, in one process; five trials of fresh inputs
of get_inputs; `torch.allclose` with atol and rtol of 1e-4
(https://github.com/ScalingIntelligence/KernelBench, src/kernelbench/eval.py). Each cheat has a
process of its own here, and 30 s.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tests" / "kernels"))
sys.path.insert(0, str(CHECKOUT / "tests"))

from kernels import cheats  # noqa: E402 - of the tests, which are no package

RULE = """
import torch
from problem import Model, get_init_inputs, get_inputs
torch.manual_seed(42)
model = Model(*get_init_inputs())
import candidate
torch.manual_seed(42)
new = candidate.ModelNew(*get_init_inputs())
passed = 0
with torch.no_grad():
    for seed in range(5):
        torch.manual_seed(seed)
        inputs = get_inputs()
        want, got = model(*inputs), new(*inputs)
        passed += want.shape == got.shape and torch.allclose(want, got, atol=1e-4, rtol=1e-4)
print("passes" if passed == 5 else "fails")
"""
SECONDS = 30


def main() -> None:
    """Print a line a cheat, and the count."""
    passing = [cheat.name for cheat in cheats.CHEATS if passes(cheat.file())]
    print(*passing, f"{len(passing)} of {len(cheats.CHEATS)} pass", sep="\n")


def passes(candidate: str) -> bool:
    """Whether the rule lets a file pass; the last line is the rule's, or a forged one."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "problem.py").write_text(cheats.PROBLEM_FILE, encoding="utf-8")
        (Path(folder) / "candidate.py").write_text(candidate, encoding="utf-8")
        try:
            done = subprocess.run(
                [sys.executable, "-c", RULE],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0 and done.stdout.strip().endswith("passes")


if __name__ == "__main__":
    main()
