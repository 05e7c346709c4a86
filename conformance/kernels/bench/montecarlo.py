"""A model of several operations in float64, and how far from it rounding may lead.

There is no derived bound for any composition, so what is allowed is measured in two ways, of which
the sum counts. Monte Carlo arithmetic (D. S. Parker, UCLA CSD-970002, 1997): the model runs in
float64 with the result of every operation perturbed, at random in sign, by as much as rounding may
change it: a transposed convolution by its bound, all else by a few units in the last place; the
deviation of an element over the trials is its own. And the error of the model itself in the dtype
of its weights. Both are smoothed over the output, since few trials tell one element's too small.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from conformance.oracle.bound import LAMBDA, gamma

DEVIATIONS = 2.0
REFERENCE_ERRORS = 4.0

_UNITS = {torch.float64: 2.0**-53, torch.float32: 2.0**-24}
_ROUNDED = {torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8}


_POOL = 1 << 20
"""Random signs that are made; larger results have them again, from another one on."""


class _Perturbing(TorchDispatchMode):  # type: ignore[misc]  # torch has no types for it
    """Changes what every operation returns by rounding's largest error, its sign at random.

    `errors` keeps those of the convolutions, in order, which are the same in every trial.
    """

    def __init__(self, unit: float, rounded: float, seed: int, errors: list[torch.Tensor]) -> None:
        super().__init__()
        self._unit, self._rounded, self._errors, self._count = unit, rounded, errors, 0
        self._random = torch.Generator().manual_seed(seed)
        signs = torch.randint(0, 2, (_POOL,), generator=self._random)
        self._pool = signs.mul_(2).sub_(1).double()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.name()
        if name.startswith("aten::convolution"):
            if self._count == len(self._errors):
                self._errors.append(self._error_of(func, args, result))
            self._count += 1
            return result + self._errors[self._count - 1] * self._signs(result)
        if isinstance(result, torch.Tensor) and _is_new(result, args):
            return self._rounded_otherwise(result)
        if isinstance(result, tuple):
            return tuple(
                self._rounded_otherwise(each)
                if isinstance(each, torch.Tensor) and _is_new(each, args)
                else each
                for each in result
            )
        return result

    def _error_of(self, func: Any, args: Any, result: torch.Tensor) -> torch.Tensor:
        x, w, b = args[:3]
        whole = func(x.abs(), w.abs(), None if b is None else b.abs(), *args[3:])
        terms = w.numel() / (w.shape[1] * args[8] if args[6] else w.shape[0])
        error: torch.Tensor = (
            float(gamma(np.asarray(float(terms)), self._unit)) * whole
            + self._rounded * result.abs()
        )
        return error

    def _rounded_otherwise(self, result: torch.Tensor) -> torch.Tensor:
        unit = LAMBDA * max(self._unit, self._rounded)
        return torch.addcmul(result, result, self._signs(result), value=unit)

    def _signs(self, like: torch.Tensor) -> torch.Tensor:
        start = int(torch.randint(0, _POOL, (1,), generator=self._random))
        rolled = self._pool.roll(start)
        return rolled.repeat(-(-like.numel() // _POOL))[: like.numel()].reshape(like.shape)


def _is_new(result: torch.Tensor, args: Any) -> bool:
    """Whether an operation made these numbers, and is no view and no change in place."""
    if not result.is_floating_point() or result.dtype != torch.float64:
        return False
    memory = result.untyped_storage().data_ptr()
    return all(
        each.untyped_storage().data_ptr() != memory
        for each in args
        if isinstance(each, torch.Tensor)
    )


class Trials:
    """One model with one set of inputs, in the dtype of a candidate and in float64."""

    def __init__(self, model: torch.nn.Module, inputs: Sequence[torch.Tensor]) -> None:
        self._model, self._inputs = model, list(inputs)
        self._dtype = next(model.parameters()).dtype
        self._exact_inputs = [
            each.double() if each.is_floating_point() else each for each in inputs
        ]

    def _double(self) -> torch.nn.Module:
        return copy.deepcopy(self._model).double()

    def truth(self, samples: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(y, allowed), of the output's shape, in float64."""
        with torch.no_grad():
            y = self._double()(*self._exact_inputs)
            total = torch.zeros_like(y)
            errors: list[torch.Tensor] = []
            for seed in range(samples):
                model = self._double()
                with self._perturbing(seed, errors):
                    other = model(*self._exact_inputs)
                total += torch.nan_to_num(other - y) ** 2
            own = copy.deepcopy(self._model)(*self._inputs).double()
        deviation = (total / max(samples, 1)).sqrt()
        return y, self._allowed(y, deviation, (own - y).abs())

    def _perturbing(self, seed: int, errors: list[torch.Tensor]) -> _Perturbing:
        unit = _UNITS.get(self._dtype, 2.0**-24)
        return _Perturbing(unit, _ROUNDED.get(self._dtype, unit), seed, errors)

    def _allowed(
        self, y: torch.Tensor, deviation: torch.Tensor, error: torch.Tensor
    ) -> torch.Tensor:
        rounding = 2 * _ROUNDED.get(self._dtype, _UNITS.get(self._dtype, 2.0**-24)) * y.abs()
        return (
            DEVIATIONS * torch.maximum(deviation, _rms(deviation))
            + REFERENCE_ERRORS * torch.maximum(torch.nan_to_num(error), _rms(error))
            + rounding
        )

    def gradients(self, cotangent: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """(gradient, allowed) of every input and parameter, in float64: measured against the error
        of the model's own.
        """
        exact = _gradients(self._double(), self._exact_inputs, cotangent)
        own = _gradients(copy.deepcopy(self._model), self._inputs, cotangent.to(self._dtype))
        scaled = LAMBDA * REFERENCE_ERRORS
        unit = _ROUNDED.get(self._dtype, _UNITS.get(self._dtype, 2.0**-24))
        return [
            (
                one,
                scaled * (_rms(one - other.double()) + unit * (one.abs() + _rms(one))),
            )
            for one, other in zip(exact, own, strict=True)
        ]

    def layer_input(self) -> torch.Tensor:
        """What the only transposed convolution of the model is given."""
        seen: list[torch.Tensor] = []
        model = self._double()
        _only_layer(model).register_forward_pre_hook(lambda _, args: seen.append(args[0].clone()))
        with torch.no_grad():
            model(*self._exact_inputs)
        return seen[0]

    def mistaken(self, output: torch.Tensor) -> torch.Tensor | None:
        """The model's output where its transposed convolution returns this one; None where it
        cannot go on with it.
        """
        model = self._double()
        _only_layer(model).register_forward_hook(lambda _, __, ___: output.clone())
        with torch.no_grad():
            try:
                y: torch.Tensor = model(*self._exact_inputs)
            except RuntimeError:
                return None
        return y


def _only_layer(model: torch.nn.Module) -> torch.nn.Module:
    return next(
        each
        for each in model.modules()
        if isinstance(
            each, torch.nn.ConvTranspose1d | torch.nn.ConvTranspose2d | torch.nn.ConvTranspose3d
        )
    )


def _gradients(
    model: torch.nn.Module, inputs: Sequence[torch.Tensor], cotangent: torch.Tensor
) -> list[torch.Tensor]:
    leaves = [
        *(each.clone().requires_grad_() for each in inputs if each.is_floating_point()),
    ]
    gradients = torch.autograd.grad(
        model(*leaves), [*leaves, *model.parameters()], cotangent, allow_unused=True
    )
    return [
        torch.zeros_like(leaf) if each is None else each
        for each, leaf in zip(gradients, [*leaves, *model.parameters()], strict=True)
    ]


def _rms(values: torch.Tensor) -> torch.Tensor:
    finite = torch.nan_to_num(values.double(), 0.0, 0.0, 0.0)
    return finite.square().mean().sqrt() if values.numel() else values.new_zeros(())
