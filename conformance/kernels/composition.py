"""A model of several operations, of which a transposed convolution is one: judged as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from conformance.corpus.case import Shape
from conformance.corpus.tensors import Array, dtype_of
from conformance.kernels import arrays, judgements
from conformance.kernels.arrays import Described
from conformance.kernels.call import Arguments, KernelCall, hidden_seed
from conformance.kernels.judgements import Judgement
from conformance.kernels.process import Asked
from conformance.verdicts.diagnosis import made_mistakes

TRIALS, MOST_OF_A_TRIAL, MOST_PRODUCTS_OF_A_TRIAL = 4, 1 << 18, 1 << 28
"""Perturbed runs of a model; one of an output of more numbers, which has enough to average, or of a
call of more products.
"""
MOST_MISTAKES = 120


class Composition:
    """The reference of a model, and the folder of shared arrays."""

    def __init__(self, reference: Asked, folder: Path) -> None:
        self._reference, self._folder = reference, folder

    def judge(
        self,
        call: KernelCall,
        operands: list[Array | None],
        y: Array,
        inputs: Sequence[tuple[Described, Array]],
        cotangent: Array | None,
        gradients: Sequence[Array | None],
    ) -> Judgement:
        """The judgement on its output, or on its gradients where there is a cotangent; `operands`
        are what its inputs were, whatever the candidate wrote there since.
        """
        described_inputs = [
            described
            if operand is None or operand is shared
            else arrays.write(self._folder, f"given{number}", operand)
            for number, ((described, shared), operand) in enumerate(
                zip(inputs, operands, strict=False)
            )
        ]
        if cotangent is not None:
            return self._of_gradients(call, described_inputs, cotangent, gradients)
        shapes = [each["shape"] for each in described_inputs]
        products = self._reference.ask("shape", shapes=shapes)["products"]
        is_cheap = y.size <= MOST_OF_A_TRIAL and products <= MOST_PRODUCTS_OF_A_TRIAL
        trials = TRIALS if is_cheap else 1
        answer = self._reference.ask("truth", inputs=described_inputs, samples=trials)
        want, allowed = arrays.opened(answer["y"]), arrays.opened(answer["allowed"])
        judged = judgements.of_model(call, y, want, allowed)
        if judged.status != judgements.WRONG or y.shape != want.shape:
            return judged
        cause = self._cause(call, described_inputs, operands, y, allowed)
        return judged if cause is None else replace(judged, cause=cause[0], cause_text=cause[1])

    def _of_gradients(
        self,
        call: KernelCall,
        described_inputs: list[Described],
        cotangent: Array,
        gradients: Sequence[Array | None],
    ) -> Judgement:
        shared_cotangent = arrays.write(self._folder, "cotangent", cotangent)
        answer = self._reference.ask(
            "gradients", inputs=described_inputs, cotangent=shared_cotangent
        )
        judged = Judgement(call=call, status=judgements.RIGHT)
        for number, (pair, got) in enumerate(zip(answer["gradients"], gradients, strict=True)):
            want, allowed = map(arrays.opened, pair)
            gradient = _nothing(want.shape, call) if got is None else got
            judged = judgements.of_model(call, gradient, want, allowed, f"gradient {number}")
            if not judged.is_right:
                return judged
        return judged

    def _cause(
        self,
        call: KernelCall,
        described_inputs: list[Described],
        operands: list[Array | None],
        y: Array,
        allowed: Array,
    ) -> tuple[str, str] | None:
        """The mistake in the transposed convolution inside a model that explains the result."""
        layers = self._reference.ask(
            "make",
            values=list(call.values or ()),
            seed=hidden_seed(call.seed, "weights"),
            dtype=call.dtype,
        )
        if len(layers["layers"]) != 1:
            return None
        layer = layers["layers"][0]
        arguments = Arguments.of_layer(layer)
        of_layer = {
            name.rpartition(".")[2]: arrays.opened(described)
            for name, described in layers["weights"]
            if name.rpartition(".")[0] == layer["name"]
        }
        x = arrays.opened(self._reference.ask("layer_input", inputs=described_inputs)["x"])
        truth = judgements.truth_of_layer(x, of_layer["weight"], of_layer.get("bias"), arguments)
        for mistake in list(made_mistakes(truth))[:MOST_MISTAKES]:
            output = mistake.output() if mistake.shape == truth.y.shape else None
            if output is None:
                continue
            described = arrays.write(self._folder, "mistaken", np.ascontiguousarray(output))
            [made] = self._reference.ask("mistaken", inputs=described_inputs, outputs=[described])[
                "outputs"
            ]
            if made is not None and judgements.fits(y, arrays.opened(made), 2 * allowed):
                return mistake.name, f"in its transposed convolution, {mistake.text}"
        return None


def _nothing(shape: Shape, call: KernelCall) -> Array:
    """The gradient of what a result does not depend on."""
    return np.zeros(shape, dtype_of(call.dtype))
