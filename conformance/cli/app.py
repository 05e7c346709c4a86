"""The program that the commands belong to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from conformance import __version__
from conformance.cli import corpus, engines, kernels, models, porting, records

app = typer.Typer(
    name="conformance",
    help=(
        "A conformance suite for transposed convolution: every case through every framework, "
        "against a NumPy oracle."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    from conformance.printing import say

    if asked:
        say(f"conformance {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None: ...


_COMMANDS: dict[str, Callable[..., None]] = {
    "run": engines.run,
    "sweep": engines.sweep,
    "bisect": engines.bisect,
    "adapters": engines.list_adapters,
    "list": corpus.list_cases,
    "show": corpus.show,
    "lint": corpus.lint,
    "audit": corpus.audit,
    "bless": corpus.bless,
    "kernel": kernels.kernel,
    "capture": models.capture,
    "compare": models.compare,
    "port": porting.port,
    "conventions": porting.conventions,
    "report": records.report,
    "confirm": records.confirm,
    "diff": records.diff,
    "merge": records.merge,
    "site": records.site,
    "support": records.support,
}
for _name, _command in _COMMANDS.items():
    app.command(name=_name)(_command)
app.add_typer(engines.environments)
