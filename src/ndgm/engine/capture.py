"""A step that is launched once and then replayed, on a CUDA device."""

from collections.abc import Callable

import torch
from torch import Tensor

Step = Callable[[], object]


def replayed(step: Step, memory: Callable[[], list], device: torch.device) -> Step:
    """Return a step that becomes a CUDA graph once its memory is stable; on the CPU return `step` itself.

    Launching the kernels of a small step takes longer than running them; a graph is launched as one. What changes from
    call to call has to be written into the tensors that the step reads, and the step must not wait for the device.

    Args:
        step: Works on `memory` and nothing else that changes.
        memory: What the step leaves behind. It does the same at every call if these are the same tensors as before;
            a Python number among them says that it does not.
        device: Where the tensors are.
    """
    return step if device.type == "cpu" else _Replayed(step, memory)


class _Replayed:
    def __init__(self, step: Step, memory: Callable[[], list]) -> None:
        self.step = step
        self.memory = memory
        self.replay: Step | None = None

    def __call__(self) -> None:
        if self.replay:
            self.replay()
            return
        before = self.memory()
        self.step()
        after = self.memory()
        if len(before) == len(after) and all(map(_same_tensor, before, after)):
            # The call just made was also what a capture needs before it: kernels are loaded and buffers exist.
            self.replay = _capture(self.step)


def _same_tensor(one: object, other: object) -> bool:
    return isinstance(one, Tensor) and one is other


def _capture(step: Step) -> Step:
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay
