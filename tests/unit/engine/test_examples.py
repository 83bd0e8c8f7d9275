"""Examples in docstrings of the engine give what they say, and every noun has one."""

import doctest
import importlib
import pkgutil
import re

import pytest

import ndgm.engine
from ndgm.engine.activations import Activation
from ndgm.engine.curvature.observer import Observer
from ndgm.engine.descent import Trace
from ndgm.engine.method import Method
from ndgm.engine.objectives.objective import Objective

MODULES = [module.name for module in pkgutil.walk_packages(ndgm.engine.__path__, "ndgm.engine.") if not module.ispkg]
NOUNS = [Activation, Method, Objective, Observer, Trace]


NUMBER = re.compile(r"-?\d+\.\d*(?:e[+-]?\d+)?")


LAST_DIGIT = 0.51e-4
"""Half of the last digit that PyTorch prints, and a rounding error."""


class Rounded(doctest.OutputChecker):
    """Takes numbers for equal that processors round otherwise: one printed 0.0000, another -5.9605e-08."""

    def check_output(self, want, got, optionflags):
        numbers = [[float(each) for each in NUMBER.findall(text)] for text in (want, got)]
        others = ["".join(NUMBER.sub("", text).split()) for text in (want, got)]
        alike = len(numbers[0]) == len(numbers[1]) and numbers[1] == pytest.approx(numbers[0], rel=0, abs=LAST_DIGIT)
        return super().check_output(want, got, optionflags) or (others[0] == others[1] and alike)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    runner = doctest.DocTestRunner(Rounded(), optionflags=doctest.REPORT_NDIFF)
    for test in doctest.DocTestFinder().find(importlib.import_module(name)):
        runner.run(test)
    assert not runner.failures


def test_another_number_is_another_result():
    checker = Rounded()
    assert checker.check_output("tensor([0.0000, 0.0908])\n", "tensor([-5.9605e-08,  9.0845e-02])\n", 0)
    assert not checker.check_output("tensor([0.0000, 0.0908])\n", "tensor([0.0000, 0.0912])\n", 0)
    assert not checker.check_output("tensor([0.5])\n", "array([0.5])\n", 0)


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_every_noun_has_an_example(noun):
    assert any(test.examples for test in doctest.DocTestFinder(recurse=False).find(noun))
