"""Examples in docstrings of the engine give what they say, and every noun has one."""

import doctest
import importlib
import pkgutil

import pytest

import ndgm.engine
from ndgm.engine.activations import Activation
from ndgm.engine.curvature.observer import Observer
from ndgm.engine.descent import Trace
from ndgm.engine.method import Method
from ndgm.engine.objectives.objective import Objective

MODULES = [module.name for module in pkgutil.walk_packages(ndgm.engine.__path__, "ndgm.engine.") if not module.ispkg]
NOUNS = [Activation, Method, Objective, Observer, Trace]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.REPORT_NDIFF)
    assert not found.failed


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_every_noun_has_an_example(noun):
    assert any(test.examples for test in doctest.DocTestFinder(recurse=False).find(noun))
