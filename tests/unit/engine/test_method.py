"""What every method has."""

from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest
import torch

from ndgm.engine.method import Memoryless, Method
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.objective import Averaging, Objective


def test_a_method_without_memory_remembers_nothing_and_reports_where_it_is():
    w = torch.ones(2, 3)
    assert Memoryless().start(w) == () and Memoryless().iterate(w, ()) is w
    with pytest.raises(NotImplementedError):
        Memoryless().step(Objective(), w, (), w)
    with pytest.raises(NotImplementedError):
        Method().start(w)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_methods_are_frozen_dataclasses_with_typed_states(method):
    assert is_dataclass(method) and {field.name for field in fields(method)} >= {"schedule"}
    with pytest.raises(FrozenInstanceError):
        method.schedule = None
    state = method.start(torch.ones(2, 3))
    assert state == () or (isinstance(state, tuple) and state._fields and type(state).__doc__)
    # What a method may ask for is what an objective may have; `Averaging` passes all of it on.
    known = Averaging(Objective(), None)
    known.lowest = 0.0
    assert not known.lacks(method.asks)
