"""Which transposed convolutions has a model, and what do its tensors hold?

Every framework's own loader reads its files, in a process of its own.
"""

from conformance.models.model import Activation, Input, Layer, Model, StoredArray, Tensor
from conformance.models.reading import read_model
from conformance.models.samples import Sample, read_samples

__all__ = [
    "Activation",
    "Input",
    "Layer",
    "Model",
    "Sample",
    "StoredArray",
    "Tensor",
    "read_model",
    "read_samples",
]
