"""Faults that porting leaves are found in their layer and called by their name."""

from __future__ import annotations

from typing import Any

import networks
import numpy as np
import pytest
from faults import FAULTS, plant

from conformance.comparison import ModelComparison, compare_models
from conformance.models import Model, Sample, read_model

LEAST = 24
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> list[ModelComparison]:
    """Every fault's model beside the one it was made of, which is read once."""
    folder = tmp_path_factory.mktemp("faults")
    sources: dict[str, Model] = {}
    right, results = {}, []
    try:
        for name in {fault.network for fault in FAULTS}:
            program, right[name] = networks.export(name, folder)
            sources[name] = read_model(str(program), activations=True)
        for number, fault in enumerate(FAULTS):
            source, file = sources[fault.network], folder / f"{number}.onnx"
            plant(fault, right[fault.network], [*map(_arrays, source.layers)], file)
            with read_model(str(file), inputs=_sample(source), activations=True) as target:
                results.append(compare_models(source, target))
        return results
    finally:
        for source in sources.values():
            source.close()


def _arrays(layer: Any) -> tuple[Any, Any]:
    return np.array(layer.kernel.load()), layer.bias and np.array(layer.bias.load())


def _sample(source: Any) -> list[Sample]:
    x = source.inputs[0].sample.load()
    return [Sample(name=None, shape=x.shape, array=x)]


def test_faults_are_located_and_named(compared: list[ModelComparison]) -> None:
    """All of them: the layer alone is wrong, under the name of what was planted there."""
    assert len(FAULTS) >= LEAST
    missed = []
    for fault, comparison in zip(FAULTS, compared, strict=True):
        wrong = {pair.source.layer: pair.wrong for pair in comparison.pairs if pair.wrong}
        names = [finding.name for finding in wrong.get(fault.layer, ())]
        is_found = list(wrong) == [fault.layer] and bool(fault.names & set(names))
        print(f"{'found ' if is_found else 'MISSED'} {fault.title:45} {fault.layer:4} {names}")
        if not is_found:
            missed.append((fault.title, wrong))
    assert missed == []


def test_no_faulty_model_is_equivalent(compared: list[ModelComparison]) -> None:
    """And what comes behind a fault only inherits it."""
    assert not any(comparison.equivalent for comparison in compared)
    for fault, comparison in zip(FAULTS, compared, strict=True):
        statuses = [pair.status for pair in comparison.pairs]
        assert set(statuses[: fault.number]) <= {"same", "rounding"}, fault.title
        assert set(statuses[fault.number + 1 :]) <= {"inherited", "rounding"}, fault.title
