"""What an outcome means for a case: the only place where numbers meet a bound.

Exact where it can be, bit for bit. Else per element, with n the number of its terms (the bias counted),

    |got - y| <= (gamma(n, u) + gamma(n, 2^-53)) * B + u_out * (|y| + |y - b|) + (n + 1) * eta
    gamma(n, u) = min(n*u / (1 - n*u), exp(lambda * sqrt(n) * u + n*u^2 / (1 - u)) - 1),  lambda = 6

for any order of summation: the first term of the minimum is N. Higham, Accuracy and Stability of Numerical Algorithms, ch. 3;
the second N. Higham and T. Mary, SIAM J. Sci. Comput. 41(5), 2019, whose probability of failure falls as exp(-lambda^2 / 2).
The second gamma is the oracle's own error. There are no tolerances to tune.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from conformance.corpus.case import Case
from conformance.corpus.tensors import Array, dtype_of
from conformance.oracle import GradientTruth, Truth
from conformance.oracle.truth import SIGNIFICAND_BITS
from conformance.outcomes import Crashed, Gradients, Outcome, Output, Raised, TimedOut, Unavailable, Unsupported
from conformance.verdicts.verdict import Verdict

LAMBDA = 6.0
MOST_ELEMENTS = 4096  # of an array that the record holds whole
WINDOW = 8  # positions per spatial axis shown round the first mismatch of a larger one

_EXPONENT_OF_SMALLEST_SUBNORMAL = {"float64": -1074, "float32": -149, "float16": -24, "bfloat16": -133}
_FORMATS = {53: ("float64",), 24: ("float32",), 11: ("TF32", "float16"), 8: ("bfloat16",)}

Float64 = NDArray[np.float64]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """The outcome of a comparison: what disagrees, if anything, and how near it came."""

    mismatch: dict[str, Any] | None
    error_over_bound: float | None
    precision: dict[str, Any] | None = None


def judge(case: Case, truth: Truth | None, outcome: Outcome, *, adapter: str, device: str, briefly: bool = False) -> Verdict:
    """The verdict on one outcome; truth is None for a case that must be refused. `briefly` as for `compare`."""

    def verdict(status: str, **rest: Any) -> Verdict:
        fields = {"exact": None if truth is None else truth.exact, "error_over_bound": None, **rest}
        return Verdict(case=case.name, adapter=adapter, device=device, quantity="output", status=status, **fields)

    match outcome:
        case Output(y=got) if truth is None:
            mismatch = {"kind": "not-refused", "text": f"a result of shape {list(got.shape)}, should be refused"}
            return verdict("differs", mismatch=mismatch, got=excerpt(got, None))
        case Output(y=got):
            assert truth is not None
            compiled = None if outcome.compiled is None else dict(outcome.compiled)
            found = compare(got, truth, signed_zero="signed-zero" in case.tags, briefly=briefly)
            rest = {"error_over_bound": found.error_over_bound, "precision": found.precision, "compiled": compiled}
            if found.mismatch is None:
                return verdict("conforms", **rest)
            return verdict("differs", mismatch=found.mismatch, got=excerpt(got, found.mismatch.get("index")), **rest)
    wanted = truth is not None
    told = _without_numbers(case, outcome, adapter=adapter, device=device, quantity="output", due=wanted)
    return replace(told, exact=truth.exact if truth is not None else None)


def _without_numbers(case: Case, outcome: Outcome, *, adapter: str, device: str, quantity: str, due: bool) -> Verdict:
    """The verdict on an outcome that is no array; where none was `due`, refusing conforms."""

    def verdict(status: str, message: str) -> Verdict:
        return Verdict(
            case=case.name,
            adapter=adapter,
            device=device,
            quantity=quantity,
            status=status,
            exact=None,
            error_over_bound=None,
            message=message,
        )

    match outcome:
        case Raised(type=kind, message=text, stage=stage):
            refused = not due and not stage and not outcome.out_of_memory
            return verdict("conforms" if refused else "raised", " ".join(filter(None, [stage, f"{kind}: {text}"])))
        case Unsupported(reason=reason, raised=raised):
            return verdict("conforms" if not due and raised else "unsupported", reason)
        case TimedOut(seconds=seconds, message=text, computed=computed):
            return verdict("timed-out", f"no answer within {seconds:g} s{_busy(seconds, computed)}{text}")
        case Unavailable(reason=reason):
            return verdict("unavailable", reason)
        case Crashed(message=text):
            return verdict("crashed", text)
    return verdict("crashed", f"answered {type(outcome).__name__}, which was not asked for")


def _busy(limit: float, computed: float | None) -> str:
    """Whether the limit was the processor's time or only the clock's, as far as that is known."""
    if computed is None:
        return ""
    why = "" if computed > limit / 2 else ": it waits, or the machine was busy with something else"
    return f", of which its process computed {computed:.3g} s{why}"


def judge_gradients(case: Case, truths: Mapping[str, GradientTruth], outcome: Outcome, *, adapter: str, device: str) -> Verdict:
    """The verdict on the gradients with respect to input, kernel and bias: the first that differs is told, and who else does."""
    if not isinstance(outcome, Gradients):
        return _without_numbers(case, outcome, adapter=adapter, device=device, quantity="gradients", due=True)
    found = {
        name: compare(got, truths[name], name=f"d{name}")
        for name, got in (("input", outcome.input), ("kernel", outcome.kernel), ("bias", outcome.bias))
        if got is not None
    }
    wrong = [name for name, finding in found.items() if finding.mismatch is not None]
    ratios = [finding.error_over_bound for finding in found.values() if finding.error_over_bound is not None]
    first = found[wrong[0]] if wrong else None
    mismatch = None
    if first is not None and first.mismatch is not None:
        rest = f" (so do {' and '.join(f'd{name}' for name in wrong[1:])})" if len(wrong) > 1 else ""
        mismatch = {**first.mismatch, "gradient": wrong[0], "text": first.mismatch["text"] + rest}
    return Verdict(
        case=case.name,
        adapter=adapter,
        device=device,
        quantity="gradients",
        status="conforms" if first is None else "differs",
        exact=all(truth.exact for truth in truths.values()),
        error_over_bound=max(ratios, default=None),
        mismatch=mismatch,
        precision=next((finding.precision for finding in (first, *found.values()) if finding and finding.precision), None),
        compiled=None if outcome.compiled is None else dict(outcome.compiled),
        got=None if mismatch is None else excerpt(getattr(outcome, wrong[0]), mismatch.get("index")),
    )


def compare(
    got: Array, truth: Truth | GradientTruth, *, signed_zero: bool = False, name: str = "out", briefly: bool = False
) -> _Finding:
    """What disagrees, in this order: shape, dtype, the pattern of NaN and infinity, values. `name` is what messages call it.

    `briefly` leaves out the precision of what differs, which takes as long as the call.
    """
    if got.shape != truth.y.shape:
        text = f"{name}.shape={list(got.shape)}, should be {list(truth.y.shape)}"
        mismatch = {"kind": "shape", "got": list(got.shape), "expected": list(truth.y.shape), "text": text}
        return _Finding(mismatch=mismatch, error_over_bound=None)
    if got.dtype.name != truth.dtype:
        text = f"{name}.dtype={got.dtype.name}, should be {truth.dtype}"
        return _Finding(
            mismatch={"kind": "dtype", "got": got.dtype.name, "expected": truth.dtype, "text": text}, error_over_bound=None
        )
    with np.errstate(over="ignore", invalid="ignore"):
        held = truth.y.astype(dtype_of(truth.dtype))
    if truth.exact and not signed_zero and np.array_equal(got, held):
        return _Finding(mismatch=None, error_over_bound=0.0)
    with np.errstate(invalid="ignore"):  # a signalling NaN, as memory that was never written may hold
        values, rounded = got.astype(np.float64), held.astype(np.float64)
    strange = _pattern(values) != _pattern(rounded)
    if strange.any():
        return _Finding(mismatch=_mismatch("nonfinite", strange, values, truth.y, name), error_over_bound=None)
    error = _error(values, truth.y, rounded)
    if truth.exact:
        wrong = error > 0
        if signed_zero:
            wrong |= (values == 0) & (truth.y == 0) & (np.signbit(values) != np.signbit(truth.y))
    else:
        wrong = error > bound(truth)
    largest = _largest_ratio(error, truth) if error.any() else 0.0
    return _Finding(
        mismatch=_mismatch("values", wrong, values, truth.y, name) | _worst(error, wrong, truth) if wrong.any() else None,
        error_over_bound=largest,
        precision=(
            effective_precision(error, truth, within=not wrong.any())
            if not (briefly and wrong.any()) and _is_rounding(error, truth)
            else None
        ),
    )


def _worst(error: Float64, wrong: NDArray[np.bool_], truth: Truth | GradientTruth) -> dict[str, float]:
    """The largest absolute error of the elements that are wrong, and what was allowed there: nothing where all sums are exact."""
    place = np.unravel_index(np.argmax(np.where(wrong, error, -1.0)), error.shape)
    return {"abs_error": float(error[place]), "allowed": 0.0 if truth.exact else float(bound(truth)[place])}


def between(one: Array, other: Array, truth: Truth | GradientTruth, *, name: str = "out") -> dict[str, Any] | None:
    """How far apart two results for the same truth are; None if they hold the same numbers.

    {"largest", "over_bound", "beyond", "text"}: the largest difference, as a multiple of the bound too, and whether it is beyond
    that bound, or beyond nothing at all where the sums are exact.
    """
    if one.shape != other.shape or one.dtype != other.dtype:
        text = f"{name} of shape {list(other.shape)} and dtype {other.dtype.name}, not {list(one.shape)} and {one.dtype.name}"
        return {"largest": None, "over_bound": None, "beyond": True, "text": text}
    a, b = one.astype(np.float64), other.astype(np.float64)
    strange = _pattern(a) != _pattern(b)
    with np.errstate(invalid="ignore"):
        error = np.where(np.isfinite(a) & np.isfinite(b), abs(a - b), 0.0)
    apart = strange | (error > 0)
    if not apart.any():
        return None
    beyond = strange | (error > (0.0 if truth.exact else bound(truth)))
    index = tuple(int(i) for i in np.argwhere(beyond if beyond.any() else apart)[0])
    text = f"{name}{list(index)}={_number(float(b[index]))}, not {_number(float(a[index]))}"
    return {
        "largest": float(error.max()),
        "over_bound": _largest_ratio(error, truth),
        "beyond": bool(beyond.any()),
        "text": f"{text}; {int(apart.sum())} of {apart.size} elements differ",
    }


def gamma(n: Float64, u: float) -> Float64:
    """The relative error bound of a sum of n products: the smaller of the certain and the probable one."""
    with np.errstate(divide="ignore", over="ignore"):
        probable = np.expm1(LAMBDA * np.sqrt(n) * u + n * u**2 / (1 - u))
        certain = np.where(n * u < 1, n * u / np.maximum(1 - n * u, np.finfo(np.float64).tiny), np.inf)
    return np.asarray(np.minimum(certain, probable))


def _per_truth(make: Callable[[Truth | GradientTruth], Made]) -> Callable[[Truth | GradientTruth], Made]:
    """What is made of a truth once, and held as long as that is: all adapters are compared with the same."""
    held: WeakKeyDictionary[Truth | GradientTruth, Made] = WeakKeyDictionary()

    @wraps(make)
    def of(truth: Truth | GradientTruth) -> Made:
        if truth not in held:
            held[truth] = make(truth)
        return held[truth]

    return of


@_per_truth
def bound(truth: Truth | GradientTruth) -> Float64:
    """The largest error that rounding can explain, per element, of the shape of the output.

    16-bit dtypes are held to a float32 accumulator: their engines have one, and those that have not show it.
    """
    u = 2.0**-53 if truth.dtype == "float64" else 2.0**-24
    u_out = 2.0 ** -SIGNIFICAND_BITS[truth.dtype]
    eta = max(2.0 ** (_EXPONENT_OF_SMALLEST_SUBNORMAL[truth.dtype] - 1), 2.0**-1074)  # float64 cannot hold half of its own
    n = truth.terms
    with np.errstate(invalid="ignore", over="ignore"):
        sums = (gamma(n, u) + gamma(n, 2.0**-53)) * truth.magnitude
        largest = np.asarray(sums + u_out * (abs(truth.y) + abs(truth.before_bias)) + (n + 1) * eta)
    largest.setflags(write=False)
    return largest


def effective_precision(error: Float64, truth: Truth | GradientTruth, *, within: bool = False) -> dict[str, Any] | None:
    """Significand bits of the operands that would explain the error, by least squares, and the formats that fit.

    Rounding both operands of every product to p bits gives an element the variance 2 c 4^-p * sum of (x w)^2, and rounding the
    result (and adding the bias) c 4^-p * (y^2 + (y - b)^2): the relative error of one rounding is uniform in +-2^-p / m for a
    significand m in [1, 2), and m is taken as logarithmically distributed (Benford), so c = (3 / 8) / (3 ln 2). What rounding
    the result explains is not held against the operands. An accumulator of few bits lowers the figure as the sums get longer,
    so a format fits that has up to 2.5 bits more; operands that a format holds exactly raise it, so first the result of these
    operands rounded to 11 and to 8 bits is computed, and where its errors are as large, that is it. Where the errors are `within`
    the bound, the dtype itself explains them. None where nothing was rounded.
    """
    own = SIGNIFICAND_BITS[truth.dtype]
    finite, products, results = _squares(truth)
    seen = float(np.square(error[finite]).sum())
    if not seen or not products or not all(map(math.isfinite, (seen, products, results))):
        return None
    share = (3 / 8) / (3 * math.log(2))
    of_results = share * 4.0**-own * results
    bits = float(own)
    if seen > 4 * of_results:
        bits = min(bits, -0.5 * math.log2((seen - of_results) / products / (2 * share)))
    if within:
        return {"bits": round(bits), "formats": [truth.dtype]}
    for known in (11, 8):
        predicted = truth.rounded(known)[finite] - truth.y[finite]
        if known < own and 0.625 <= math.sqrt(seen / max(float((predicted**2).sum()), seen * 1e-9)) <= 1.6:
            return {"bits": known, "formats": list(_FORMATS[known])}
    fitting = [known for known in sorted(_FORMATS) if bits - 0.75 <= known <= bits + 2.5]
    return {"bits": round(bits), "formats": list(_FORMATS[fitting[0]]) if fitting else []}


@_per_truth
def _squares(truth: Truth | GradientTruth) -> tuple[Any, float, float]:
    """Which elements are finite, as an index, and over these the sums of the squares of all products and of what is rounded."""
    mask = np.isfinite(truth.y)
    finite: Any = ... if mask.all() else mask
    parts = (truth.y,) if truth.before_bias is truth.y else (truth.y, truth.before_bias)
    return finite, float(truth.squares[finite].sum()), sum(float(np.square(part[finite]).sum()) for part in parts)


def _is_rounding(error: Float64, truth: Truth | GradientTruth) -> bool:
    """Whether every error is small beside the sum of magnitudes; a larger one is another sum, and has no precision."""
    return bool(error.any()) and bool((error <= 2.0**-6 * truth.magnitude)[np.isfinite(truth.magnitude)].all())


def excerpt(array: Array, index: list[int] | None) -> dict[str, Any]:
    """An array for the record: whole up to 4096 elements, else the window round an index, with where it starts."""
    if array.size <= MOST_ELEMENTS:
        return {"shape": list(array.shape), "values": np.real(array).astype(np.float64).tolist()}
    index = index or [0] * array.ndim
    starts = [*index[:2], *(max(0, i - WINDOW // 2) for i in index[2:])] if array.ndim > 2 else [0] * array.ndim
    window = tuple(slice(start, start + (1 if axis < 2 else WINDOW)) for axis, start in enumerate(starts))
    return {"shape": list(array.shape), "start": starts, "values": np.real(array[window]).astype(np.float64).tolist()}


def _pattern(values: Float64) -> NDArray[np.int8]:
    """0 finite, 1 infinity, -1 minus infinity, 2 NaN."""
    pattern = np.zeros(values.shape, np.int8)
    pattern[np.isnan(values)] = 2
    pattern[np.isposinf(values)] = 1
    pattern[np.isneginf(values)] = -1
    return pattern


def _error(values: Float64, y: Float64, rounded: Float64) -> Float64:
    """|got - y| where the true value can be held by the dtype, 0 elsewhere: the pattern has agreed there."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(np.isfinite(y) & np.isfinite(rounded), abs(values - y), 0.0)


def _largest_ratio(error: Float64, truth: Truth | GradientTruth) -> float:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = error / bound(truth)
    return float(np.nanmax(np.where(error > 0, ratio, 0.0)))


def _mismatch(kind: str, wrong: NDArray[np.bool_], got: Float64, y: Float64, name: str) -> dict[str, Any]:
    """Where it begins, what is there, and how many there are; the text is one message grammar everywhere."""
    index = [int(i) for i in np.argwhere(wrong)[0]]
    count, total = int(wrong.sum()), int(wrong.size)
    place = tuple(index)
    found, wanted = float(got[place]), float(y[place])
    text = f"{name}{index}={_number(found)}, should be {_number(wanted)}; {count} of {total} elements differ"
    return {"kind": kind, "index": index, "got": found, "expected": wanted, "count": count, "of": total, "text": text}


def _number(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() and abs(value) < 2**53 else f"{value!r}"


def agrees_with_oracle(stated: float | Float64, y: float | Float64, scale: float | Float64) -> bool:
    """Whether numbers written into a case file are the oracle's, up to the order in which it adds.

    NaN agrees with NaN, an infinity with itself; else within 1e-12 of the sum of magnitudes.
    """
    stated, y = np.asarray(stated, np.float64), np.asarray(y, np.float64)
    with np.errstate(invalid="ignore"):
        near = np.isfinite(y) & np.isfinite(stated) & (abs(stated - y) <= 1e-12 * scale)
        return bool(((stated == y) | near | (np.isnan(stated) & np.isnan(y))).all())


def slack(truth: Truth) -> float:
    """How far an element may be from what a mistake makes of it: nothing where the case is exact, else twice the largest bound.

    A mistake changes the sums but hardly their size.
    """
    if truth.exact:
        return 0.0
    limit = bound(truth)
    return 2 * float(np.max(limit, where=np.isfinite(limit), initial=0.0))


def explained(got: Float64, candidate: Float64, dtype: str, limit: float | Float64) -> NDArray[np.bool_]:
    """Which elements of `got` the candidate, of the same shape, has too: rounded to the dtype, or within the limit."""
    with np.errstate(invalid="ignore", over="ignore"):
        rounded = candidate.astype(dtype_of(dtype)).astype(np.float64)
        return np.asarray(
            (got == rounded) | (np.isnan(got) & np.isnan(rounded)) | (np.isfinite(rounded) & (np.abs(got - candidate) <= limit))
        )


def is_right(got: Float64, truth: Truth) -> NDArray[np.bool_]:
    """Which elements of `got`, of the output's shape, are right: bit for bit or within their own bound."""
    return explained(got, truth.y, truth.dtype, 0.0 if truth.exact else bound(truth))
