"""What is judged: the candidate, the problem it solves, and how one call is put to both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.corpus.case import Shape
from conformance.corpus.tensors import Array
from conformance.kernels import arrays, integrity, judgements
from conformance.kernels.arrays import Described
from conformance.kernels.call import (
    Arguments,
    KernelCall,
    hidden_seed,
    layer_values,
    numbers,
    weights,
)
from conformance.kernels.composition import Composition
from conformance.kernels.judgements import Judgement
from conformance.kernels.process import Asked, Bench, NotAnsweredError

MANY_CALLS = 12
"""After which a kernel must still be right: gates look at the first few."""


@dataclass(slots=True, kw_only=True)
class Subject:
    """A candidate and its reference; `facts` and `problem` are what both told of themselves, and
    `operators` those of torch that the judged calls came to. The candidate knows `folder`, and
    not `hidden`, where the reference writes.
    """

    candidate: Asked
    reference: Asked | None
    folder: Path
    hidden: Path
    facts: dict[str, Any]
    problem: dict[str, Any] | None
    is_plain: bool = True
    notes: list[str]
    operators: set[str] = field(default_factory=set)

    @property
    def is_module(self) -> bool:
        return bool(self.facts["form"] == "module")

    def judge(self, call: KernelCall, *, thoroughly: bool = False) -> Judgement:
        """The judgement on a call; `thoroughly`: also on what it does to its inputs, and whether
        its result stays what it was.
        """
        try:
            judgement = self._judge(call, thoroughly)
        except NotAnsweredError as error:
            judgement = judgements.of_failure(call, error.failure, error.frames)
            if error.role == "reference":
                judgement = replace(judgement, status=judgements.NO_TRUTH)
        finally:
            self._clear()
        return judgement

    def _judge(self, call: KernelCall, thoroughly: bool) -> Judgement:
        made = self._made(call) if self.reference is not None else {}
        if made.get("layers") and self.is_plain:
            call = replace(call, arguments=Arguments.of_layer(made["layers"][0]))
        inputs = self._inputs(call)
        operands = self._operands(call, inputs, made)
        cotangent = self._cotangent(call)
        checks = integrity.Checks(inputs) if thoroughly else None
        answer = self.candidate.ask(
            "call",
            inputs=[described for described, _ in inputs],
            arguments=self._spelt(call),
            due=self._due(call),
            cotangent=None if cotangent is None else cotangent[0],
        )
        y = self._received(answer)
        strange = None if checks is None else checks.after_call(answer)
        if strange is not None:
            return integrity.broken(call, strange)
        first_sum = arrays.checksum(y) if checks is not None else 0
        judgement = self._judgement(call, operands, y, inputs, cotangent, answer)
        if checks is None or cotangent is not None or not judgement.is_right:
            return judgement
        strange = checks.again(self.candidate, first_sum, self._received)
        strange = strange or self._stale(call, inputs, made)
        if strange is not None:
            return integrity.broken(call, strange)
        tampering = integrity.tampering(self.candidate, self.facts, self.problem, self.operators)
        return judgement if tampering is None else integrity.broken(call, *tampering)

    def _received(self, answer: dict[str, Any]) -> Array:
        return integrity.received(answer.get("y"), self.folder)

    def _stale(
        self, call: KernelCall, inputs: Sequence[tuple[Described, Array]], made: dict[str, Any]
    ) -> str | None:
        """What is strange when it is called again at the same place with other numbers: the next
        time, or after many times.
        """
        if judgements.is_huge(call) if self.is_plain else call.shapes != call.small:
            return None  # the same is asked at a smaller size
        for times, cause in ((0, "stale-result"), (MANY_CALLS, "first-calls-only")):
            seed = call.seed + 100 + times
            again = replace(call, seed=seed, own=False)
            for number, (_, array) in enumerate(inputs):
                array[...] = _numbers(again, array, number)
            if times:
                self.candidate.ask("repeat", times=times)
            operands = self._operands(again, inputs, made)
            answer = self.candidate.ask("recall")
            y = self._received(answer)
            # judged as the call that was made, whose weights the reference still has
            judged = self._judgement(call, operands, y, inputs, None, answer)
            if not judged.is_right:
                return cause
            if answer.get("reused"):
                return "result-reused"
        return None

    def _made(self, call: KernelCall) -> dict[str, Any]:
        """Both constructed with the same seed, and then with the same weights."""
        assert self.reference is not None, "a module has one"
        made = self.reference.ask(
            "make", values=list(call.values or ()), seed=hidden_seed(call.seed, "weights"),
            dtype=call.dtype,
        )  # fmt: skip
        made["weights"] = [(name, arrays.taken(each)) for name, each in made["weights"]]
        if self.is_module:
            placed = self.candidate.ask(
                "make", values=list(call.values or ()), seed=hidden_seed(call.seed, "weights"),
                dtype=call.dtype, weights=arrays.copies(self.folder, made["weights"]),
            )  # fmt: skip
            if placed["unplaced"] and not self.notes:
                names = ", ".join(placed["unplaced"])
                self.notes.append(
                    f"it has no parameter of the shape of {names}: its weights are those of a "
                    "common seed"
                )
        return made

    def _inputs(self, call: KernelCall) -> list[tuple[Described, Array]]:
        """Its tensors, shared; of a module those of forward alone."""
        if call.own and self.problem is not None and self.problem["inputs"]:
            assert self.reference is not None, "its problem has its own inputs"
            hidden = hidden_seed(call.seed, "inputs")
            made_by_it = self.reference.ask("inputs", seed=hidden)["inputs"]
            moved = [arrays.moved(self.folder, f"in{n}", each) for n, each in enumerate(made_by_it)]
            return [(each, arrays.opened(each)) for each in moved]
        made = [
            numbers(call.numbers, shape, call.dtype, call.seed + number)
            for number, shape in enumerate(call.shapes)
        ]
        if not self.is_module:
            assert call.arguments is not None, "a function is given them"
            shapes = [call.arguments.kernel_shape]
            shapes += [(call.arguments.out_channels,)] if call.arguments.bias else []
            made += [
                weights(call.numbers, shape, call.dtype, call.seed + 10 + number)
                for number, shape in enumerate(shapes)
            ]
        shared = []
        for number, array in enumerate(made):
            described = arrays.write(self.folder, f"in{number}", array)
            shared.append((described, arrays.opened(described)))
        return shared

    def _operands(
        self,
        call: KernelCall,
        inputs: Sequence[tuple[Described, Array]],
        made: dict[str, Any],
    ) -> list[Array | None]:
        """[x, kernel, bias], copies where the candidate could write to them and they are small."""
        operands: list[Array | None] = [array for _, array in inputs]
        if self.is_module:
            operands += [array for _, array in made["weights"]]
        if sum(0 if each is None else each.nbytes for each in operands) < 1 << 28:
            operands = [None if each is None else np.array(each) for each in operands]
        return [*operands, None, None][:3] if self.is_plain else operands

    def _cotangent(self, call: KernelCall) -> tuple[Described, Array] | None:
        if not call.gradients:
            return None
        array = numbers("normal", tuple(self._due(call)), call.dtype, call.seed + 20)
        described = arrays.write(self.folder, "cotangent", array)
        return described, array

    def _spelt(self, call: KernelCall) -> dict[str, Any]:
        if self.is_module:
            return {}
        assert call.arguments is not None, "a function is given them"
        if self.facts["form"] in ("function", "operator"):
            return call.arguments.spelt()
        return call.arguments.per_axis()

    def _due(self, call: KernelCall) -> list[int]:
        if call.arguments is not None and self.is_plain:
            return list(call.arguments.output_shape(call.shapes[0]))
        assert self.reference is not None, "a model has one"
        due: list[int] = self.reference.ask("shape", shapes=list(call.shapes))["shape"]
        return due

    def _judgement(
        self,
        call: KernelCall,
        operands: list[Array | None],
        y: Array,
        inputs: Sequence[tuple[Described, Array]],
        cotangent: tuple[Described, Array] | None,
        answer: dict[str, Any],
    ) -> Judgement:
        gradients = [
            None if each is None else integrity.received(each, self.folder)
            for each in (answer["gradients"] if cotangent is not None else ())
        ]
        if not self.is_plain:
            assert self.reference is not None, "a model has one"
            composition = Composition(self.reference, self.hidden)
            at = None if cotangent is None else cotangent[1]
            return composition.judge(call, operands, y, inputs, at, gradients)
        x, kernel, bias = operands[:3]
        assert x is not None
        assert kernel is not None
        if cotangent is None:
            return judgements.of_output(call, x, kernel, bias, y)
        return judgements.of_gradients(call, (x, kernel, bias), cotangent[1], gradients)

    @contextmanager
    def at_the_start(self, call: KernelCall) -> Iterator[tuple[list[Described], Asked]]:
        """The candidate and a reference that have made the call once, and can repeat it; and the
        inputs. Raises NotAnsweredError.
        """
        reference: Asked | None = self.reference
        try:
            if reference is None:
                assert call.arguments is not None, "a function is given them"
                rank = call.arguments.rank
                role = {"role": "reference", "rank": rank, "folder": str(self.folder)}
                reference = Bench(role)
                reference.ask("describe")
                values = layer_values(call.arguments)
                reference.ask("make", values=values, seed=call.seed, dtype=call.dtype)
            else:
                self._made(call)
            inputs = [described for described, _ in self._inputs(call)]
            self.candidate.ask(
                "call", inputs=inputs, arguments=self._spelt(call), due=self._due(call)
            )
            yield inputs, reference
        finally:
            if reference is not None and reference is not self.reference:
                reference.end()
            self._clear()

    def _clear(self) -> None:
        for folder in (self.folder, self.hidden):
            for file in folder.iterdir():
                file.unlink(missing_ok=True)


def _numbers(call: KernelCall, like: Array, number: int) -> Array:
    kind = "unit" if call.numbers == "unit" else "normal"
    return numbers(kind, like.shape, call.dtype, call.seed + number)


def shapes_of(problem: dict[str, Any]) -> tuple[Shape, ...]:
    """The shapes of the problem's own inputs."""
    return tuple(tuple(each["shape"]) for each in problem["inputs"])
