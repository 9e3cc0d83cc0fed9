"""Arrays and texts as one sealed safetensors file: the last 32 bytes are the sha256 of all bytes before them.

The layout is that of the safetensors library, which reads these files. Its writer is not used, because it copies every
array with the GIL held. The seal is the data of a last tensor, ``sha256``, so a flipped bit anywhere, the header and
the seal itself included, and a file that ends early are found before anything of it is believed.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEAL = "sha256"
_SEAL_BYTES = 32
_METADATA = "__metadata__"
_DTYPES = {
    "F64": "<f8", "I64": "<i8", "U64": "<u8", "F32": "<f4", "I32": "<i4", "U32": "<u4",
    "F16": "<f2", "I16": "<i2", "U16": "<u2", "I8": "|i1", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
_CODES = {np.dtype(name): code for code, name in _DTYPES.items()}


class Damaged(Exception):
    """The bytes are not a file that was sealed; the text says why."""


@dataclass(frozen=True, slots=True)
class TensorFile:
    """What a file holds.

    Attributes
    ----------
    metadata : name -> text.
    arrays : name -> array, the seal left out. After `unsealed` they are views of the file's bytes.
    """

    metadata: dict[str, str]
    arrays: dict[str, NDArray[Any]]


def sealed(metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> list[memoryview | bytes]:
    """Return the bytes of a file as parts to be written one after the other.

    Parameters
    ----------
    metadata : name -> text.
    arrays : name -> array of bool, int8-64, uint8-64 or float16-64, any shape. C-contiguous ones are not copied: the
        parts are views of them, so they must not change before the parts are written.

    Raises
    ------
    TypeError
        If an array is of a type that safetensors does not have.
    """
    # The library's order: wide types first, so that every tensor is aligned without a hole between two of them.
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    header: dict[str, Any] = {_METADATA: dict(sorted(metadata.items()))}
    end = 0
    for name in order:
        array = arrays[name]
        code = _CODES.get(array.dtype)
        if code is None or name in (SEAL, _METADATA):
            raise TypeError(f"{name} ({array.dtype}) cannot be kept in a safetensors file")
        header[name] = {"dtype": code, "shape": array.shape, "data_offsets": (end, end + array.nbytes)}
        end += array.nbytes
    header[SEAL] = {"dtype": "U8", "shape": (_SEAL_BYTES,), "data_offsets": (end, end + _SEAL_BYTES)}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    parts: list[memoryview | bytes] = [len(text).to_bytes(8, "little") + text]
    parts += [np.ascontiguousarray(arrays[name]).reshape(-1).view(np.uint8).data for name in order]
    return [*parts, _seal(parts)]


def unsealed(data: memoryview) -> TensorFile:
    """Check the seal and return what the file holds.

    Raises
    ------
    Damaged
        If the seal does not fit the bytes, or they are not the layout of a tensor file.
    """
    if len(data) <= _SEAL_BYTES:
        raise Damaged(f"it has only {len(data)} bytes")
    if _seal([data[:-_SEAL_BYTES]]) != data[-_SEAL_BYTES:]:
        raise Damaged("its sha256 does not fit its bytes")
    metadata, tensors, begin = _header(data)
    arrays = {}
    for name, tensor in tensors.items():
        try:
            first, last = tensor["data_offsets"]
            flat = np.frombuffer(data[begin + first : begin + last], _DTYPES[tensor["dtype"]])
            arrays[name] = flat.reshape(tensor["shape"])
        except (KeyError, TypeError, ValueError) as error:
            raise Damaged(f"its tensor {name} is not readable") from error
    if arrays.pop(SEAL, None) is None:
        raise Damaged("it has no seal")
    return TensorFile(metadata, arrays)


def metadata_of(data: memoryview) -> dict[str, str]:
    """Return the texts at the beginning of a file of which only that was read; the seal is not checked.

    Raises
    ------
    Damaged
        If the header is not whole.
    """
    return _header(data)[0]


def _seal(parts: Sequence[memoryview | bytes]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def _header(data: memoryview) -> tuple[dict[str, str], dict[str, Any], int]:
    """Return metadata, tensors, and where the data begins."""
    begin = 8 + int.from_bytes(data[:8], "little")
    if len(data) < max(begin, 8):
        raise Damaged("its header is not whole")
    try:
        header = json.loads(bytes(data[8:begin]))
        metadata = header.pop(_METADATA)
        if not isinstance(header, dict) or not isinstance(metadata, dict):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Damaged("its header is not readable") from error
    return {str(name): str(text) for name, text in metadata.items()}, header, begin
