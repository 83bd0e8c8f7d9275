"""A CUDA graph in the place of which operations are kept on the processor: what a capture does and does not see.

A capture runs nothing: it keeps the operations of a step with the tensors and numbers that they had. A replay runs
these operations on these tensors. What a step does in Python is not seen, and what waits for the device is refused.
"""

import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WAITING = re.compile(
    "::(_local_scalar_dense|lift_fresh|nonzero|masked_select|unique|_?linalg_(eig|svd|solve|inv|chol|lu|qr))"
)
"""Operations that wait for the device or read from the memory of the processor."""


class Waits(RuntimeError):
    """An operation that can't be captured."""


class Capture(TorchDispatchMode):
    """Keeps operations, and what tensors held that they wrote to."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, tuple, dict, list[Tensor]]] = []
        self.held: dict[int, tuple[Tensor, Tensor]] = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = function._schema.name
        if WAITING.search(name) or _by_mask(name, args):
            raise Waits(f"{name} in a captured step")
        for tensor in _written(function, args, kwargs):
            self.held.setdefault(id(tensor), (tensor, tensor.clone()))
        made = function(*args, **kwargs)
        self.operations.append((function, args, kwargs, tensors(made)))
        return made

    def undo(self) -> None:
        """Put back what tensors held before."""
        for tensor, before in reversed(self.held.values()):
            tensor.copy_(before)


def capture(step: Callable[[], object]) -> Callable[[], object]:
    """A replay of a step, in the place of `ndgm.engine.capture._capture`."""
    captured = Capture()
    with captured:
        step()
    captured.undo()

    def replay() -> None:
        with torch._C._AutoDispatchBelowAutograd():  # a graph has the operations of a gradient, and asks for none
            for function, args, kwargs, made in captured.operations:
                for old, new in zip(made, tensors(function(*args, **kwargs)), strict=True):
                    if old.data_ptr() != new.data_ptr():  # neither written in place nor a view
                        old.copy_(new)

    return replay


def tensors(tree: object) -> list[Tensor]:
    """All tensors in what an operation takes or gives."""
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _written(function, args, kwargs) -> list[Tensor]:
    """Arguments that an operation writes to."""
    found = []
    for place, argument in enumerate(function._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            found += tensors(kwargs.get(argument.name) if argument.kwarg_only else args[place : place + 1])
    return found


def _by_mask(name: str, args: tuple) -> bool:
    """Whether an operation picks elements where a mask is true: how many these are is known on the device alone."""
    return name.startswith("aten::index") and any(each.dtype == torch.bool for each in tensors(args[1:2]))
