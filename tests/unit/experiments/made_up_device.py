"""A device that there is not: tensors on the processor, with their numbers, marked as those of a device.

What a device would refuse is refused: an operation on tensors of both, and NumPy's reading of a marked one. It is
stricter than a CUDA device: an index, or what is copied, has to be there too. A tensor without dimensions has not: it
is a number.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("meta")
"""Of the names that PyTorch knows, one that is no processor's, and that no driver is asked for."""

PROCESSOR = torch.device("cpu")
MARK = "is_on_the_made_up_device"


class ElsewhereError(RuntimeError):
    """What a device would refuse."""


class MadeUpDevice(TorchFunctionMode):
    """While it lasts, there is that device.

    Attributes:
        operations: How many were on it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0
        self._parameters = _marks_go_on_to_parameters()

    def __enter__(self) -> "MadeUpDevice":
        self._parameters.__enter__()
        return super().__enter__()

    def __exit__(self, *fault: Any) -> None:
        super().__exit__(*fault)
        self._parameters.__exit__(*fault)

    def __torch_function__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        """Run an operation on the processor, and mark what a device would hold."""
        leaves = tree_leaves((args, kwargs))
        given = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        there = any(map(is_there, given))
        if function == Tensor.device.__get__:
            return DEVICE if there else PROCESSOR
        named = [torch.device(leaf) for leaf in leaves if _is_device(leaf)]
        if function == Tensor.cpu:
            named = [PROCESSOR]
        if function not in (Tensor.to, Tensor.cpu) and there:
            if function in (Tensor.numpy, Tensor.__array__):
                raise ElsewhereError("NumPy reads the memory of a device")
            if any(tensor.dim() and not is_there(tensor) for tensor in given):
                raise ElsewhereError(f"{function.__name__}: one tensor is on the device and one on the processor")
        made = function(*tree_map(_on_the_processor, args), **tree_map(_on_the_processor, kwargs or {}))
        if named and named[-1] == PROCESSOR:
            return made.clone() if there and made is given[0] else made
        if not named and not there:
            return made
        self.operations += 1
        # What was moved is no longer what it was moved from.
        return tree_map(_marked, made.clone() if named and given and made is given[0] and not there else made)


def is_there(tensor: Tensor) -> bool:
    """Whether a tensor is on the made-up device."""
    return hasattr(tensor, MARK)


def _marks_go_on_to_parameters() -> AbstractContextManager:
    """Parameters of modules are made from tensors without an operation that could be seen."""
    make = torch.Tensor._make_subclass

    def marked(kind: type, data: Tensor, *options: Any) -> Tensor:
        made = make(kind, data, *options)
        return _marked(made) if is_there(data) else made

    return patch.object(torch.Tensor, "_make_subclass", marked)


def _is_device(leaf: Any) -> bool:
    return isinstance(leaf, torch.device) or (isinstance(leaf, str) and leaf in (DEVICE.type, PROCESSOR.type))


def _on_the_processor(leaf: Any) -> Any:
    return PROCESSOR if _is_device(leaf) else leaf


def _marked(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        setattr(leaf, MARK, True)
    return leaf
