"""The command on kernels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

KernelFile = Annotated[
    str,
    typer.Argument(metavar="FILE[:NAME]", help="The file, and the class or function in it."),
]
Problem = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="File of its problem: Model, get_inputs, get_init_inputs."),
]
Form = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="FORM",
        help="The kernel's form, if not plain: module, function, convolution, numpy, operator.",
    ),
]
Require = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RUNG", help="What must be right beside own and values; own-work: not by torch."
    ),
]
Rank = Annotated[
    int | None,
    typer.Option(min=1, max=3, help="Number of spatial axes, where the name does not say."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Markdown = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write a summary in Markdown there.")
]
Badge = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write a badge there: .json or .svg.")
]
Device = Annotated[str, typer.Option(metavar="NAME", help="The device: cpu or cuda.")]
Python = Annotated[
    str | None, typer.Option(metavar="PATH", help="The interpreter that has the kernel's packages.")
]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="Limit of one call.")]
Memory = Annotated[
    int, typer.Option(metavar="MIB", min=0, help="Most memory of its process; 0 for no limit.")
]
Seed = Annotated[
    int | None, typer.Option(help="Seed of weights and numbers; a fresh one if not given.")
]
Shown = Annotated[bool, typer.Option("-s", help="Show what the kernel prints.")]
InProcess = Annotated[
    bool,
    typer.Option(
        "--in-process", help="Make its own call in this process: breakpoint() and pdb work."
    ),
]
Speed = Annotated[bool, typer.Option(help="Measure a kernel that passes beside torch.")]


def kernel(
    file: KernelFile,
    problem: Problem = None,
    form: Form = None,
    require: Require = None,
    rank: Rank = None,
    as_json: Json = False,
    markdown: Markdown = None,
    badge: Badge = None,
    device: Device = "cpu",
    python: Python = None,
    timeout: Timeout = 300.0,
    memory: Memory = 0,
    seed: Seed = None,
    shown: Shown = False,
    in_process: InProcess = False,
    speed: Speed = True,
) -> None:
    """Judge a kernel: its results, its mistake, its speed."""
    from conformance.commands import kernel as command
    from conformance.kernels.options import Options

    options = Options(
        file=Path(file),
        form=form,
        problem=problem,
        require=tuple(require or ()),
        rank=rank,
        device=device,
        python=python or sys.executable,
        timeout=timeout,
        memory=memory * 2**20,
        seed=seed,
        shown=shown,
        in_process=in_process,
        speed=speed,
    )
    written = command.Written(as_json=as_json, markdown=markdown, badge=badge)
    command.run(file, options, written)
