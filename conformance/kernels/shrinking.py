"""The smallest call that still fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from conformance.geometry import problems
from conformance.kernels import judgements
from conformance.kernels.call import KernelCall
from conformance.kernels.judgements import Judgement
from conformance.kernels.subject import Subject

MOST_SECONDS = 4.0
MOST_CALLS = 60


def smallest(subject: Subject, failing: Judgement) -> Judgement:
    """A judgement on a call that fails alike, none of whose sizes can be smaller; the one given, of
    a model of several operations.
    """
    if failing.status != judgements.WRONG or not subject.is_plain or failing.call.gradients:
        return failing
    began, calls = time.monotonic(), 0
    smallest_yet, goes_on = failing, True
    while goes_on:
        goes_on = False
        for call in _smaller(smallest_yet.call, subject.is_module):
            calls += 1
            if calls > MOST_CALLS or time.monotonic() - began > MOST_SECONDS:
                return smallest_yet
            judgement = subject.judge(call)
            if judgement.status == failing.status and judgement.cause == failing.cause:
                # of a smaller call more fits as well: what is told is what the larger one shows
                smallest_yet, goes_on = replace(judgement, cause_text=failing.cause_text), True
                break
    return smallest_yet


def _smaller(call: KernelCall, is_module: bool) -> Iterator[KernelCall]:
    """Calls with one size less: to 1, to half, by one."""
    arguments = call.arguments
    assert arguments is not None, "a plain call"
    [x, *_] = call.shapes
    plain = replace(call, own=False, numbers="normal" if call.own else call.numbers)
    for axis, size in enumerate(x):
        if axis == 1:
            continue
        for less in sorted({1, size // 2, size - 1} - {0, size}):
            if less < size:
                shape = (*x[:axis], less, *x[axis + 1 :])
                if not problems(arguments.geometry(shape[2:])):
                    yield replace(plain, shapes=(shape,))
    if is_module:
        return
    groups = arguments.groups
    for fewer in (
        replace(arguments, in_channels=groups),
        replace(arguments, out_channels=groups),
    ):
        if fewer != arguments:
            yield replace(plain, arguments=fewer, shapes=((x[0], fewer.in_channels, *x[2:]),))
