"""Commands on conventions: port, conventions."""

from __future__ import annotations

from conformance.cli.options import Call, Prove, Record, Shape, Source, Target


def port(
    call: Call,
    source: Source,
    target: Target,
    shape: Shape = None,
    prove: Prove = True,
) -> None:
    """What a call of one framework is in another: arguments or a recipe as code, the proof, and the
    trap.
    """
    from conformance.commands import port as command

    command.run(call, source, target, shape, prove)


def conventions(
    record: Record = None,
) -> None:
    """The atlas: which window each convention takes."""
    from conformance.commands import conventions as command

    command.run(record)
