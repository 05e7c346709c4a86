"""Options of the commands whose work can be done on a Dask cluster."""

from __future__ import annotations

from typing import Annotated

import typer

Dask = Annotated[
    str | None,
    typer.Option(
        metavar="WHERE",
        show_default=False,
        help="On a Dask cluster: local, local:N workers, a scheduler's address, or its file.",
    ),
]
Needs = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KIND:NAME",
        show_default=False,
        help="A resource that Dask's workers must carry, as gpu:h100; several: all of them.",
    ),
]
