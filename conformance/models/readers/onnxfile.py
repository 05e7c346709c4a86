"""An ONNX file as it is loaded: external data only from inside its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx

from conformance.models.results import ReadingError


def load(path: str) -> tuple[Any, Path]:
    """The model without its external data, and the folder in which that is. Raises ReadingError."""
    try:
        model = onnx.load(path, load_external_data=False)
    except OSError as error:
        raise ReadingError(f"cannot be read: {error.strerror}") from None
    except Exception as error:  # protobuf's own, of a name that depends on its implementation
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ReadingError(f"is not an ONNX model: {first}") from None
    if not model.graph.node:
        raise ReadingError("is not an ONNX model, or one without a node")
    return model, Path(path).parent


def array_of(tensor: Any, folder: Path) -> Any:
    """The numbers of a tensor; raises ReadingError where the file has others than it announces."""
    if onnx.external_data_helper.uses_external_data(tensor):
        return _external(tensor, folder)
    try:
        return onnx.numpy_helper.to_array(tensor)
    except Exception as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ReadingError(f"has a tensor {tensor.name} that cannot be read: {first}") from None


def external_file(tensor: Any, folder: Path) -> tuple[Path, int, int]:
    """The file of external data, its offset and its length, checked: inside the folder, no link,
    and large enough for the shape. Raises ReadingError.
    """
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    file = folder / location
    inside = file.resolve().is_relative_to(folder.resolve())
    if not location or Path(location).is_absolute() or not inside or file.is_symlink():
        raise ReadingError(
            f"keeps {tensor.name} in {location!r}, should keep it in a file of its own folder"
        )
    if not file.is_file():
        raise ReadingError(f"keeps {tensor.name} in {location!r}, which is not there")
    size = _bytes_of(tensor)
    offset, length = int(entries.get("offset", 0)), int(entries.get("length", size))
    if length != size or offset < 0 or offset + size > file.stat().st_size:
        raise ReadingError(
            f"announces {size} bytes of {tensor.name} at {offset} of {location}, which has "
            f"{file.stat().st_size}"
        )
    return file, offset, size


def _dtype(tensor: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    return dtype


def _bytes_of(tensor: Any) -> int:
    size = _dtype(tensor).itemsize
    for dimension in tensor.dims:
        size *= int(dimension)
    return size


def _external(tensor: Any, folder: Path) -> Any:
    file, offset, size = external_file(tensor, folder)
    shape = tuple(int(dimension) for dimension in tensor.dims)
    if not size:
        return np.zeros(shape, _dtype(tensor))
    return np.memmap(file, dtype=_dtype(tensor), mode="r", offset=offset, shape=shape)
