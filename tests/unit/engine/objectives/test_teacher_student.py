"""Population losses of students and teachers, against the NumPy closed form and autograd of an independent one."""

import numpy as np
import pytest
import torch

from ndgm.engine.objectives.teacher_student import TeacherStudent
from ndgm.theory.spurious_minima import gradient, loss

RUNS, NEURONS, TARGETS, DIMENSION = 4, 5, 3, 6


@pytest.fixture
def problem():
    """A teacher, shape (3, 6), and students, shape (4, 5, 6)."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((TARGETS, DIMENSION)), rng.standard_normal((RUNS, NEURONS, DIMENSION))


def test_value_and_gradient_are_the_closed_form(problem):
    teacher, students = problem
    objective, w = TeacherStudent(torch.tensor(teacher)), torch.tensor(students).flatten(1)
    np.testing.assert_allclose(objective.value(w), loss(students, teacher), rtol=1e-13)
    np.testing.assert_allclose(objective.neurons(objective.subgradient(w)), gradient(students, teacher), atol=1e-14)


def test_the_gradient_is_that_of_autograd(problem):
    teacher, students = problem
    objective, leaf = TeacherStudent(torch.tensor(teacher)), torch.tensor(students, requires_grad=True)
    others = torch.cat([leaf, torch.tensor(teacher).expand(RUNS, -1, -1)], 1)
    signs = torch.tensor([1.0] * NEURONS + [-1.0] * TARGETS).double()
    lengths = others.norm(dim=2)
    cosine = others @ others.mT / lengths.unsqueeze(1) / lengths.unsqueeze(2)
    angle = torch.acos(cosine * (1 - torch.eye(len(signs))))  # of a vector to itself, π/2 takes the place of 0
    kernel = lengths.unsqueeze(1) * lengths.unsqueeze(2) * (angle.sin() + (torch.pi - angle) * angle.cos())
    each = kernel * (1 - torch.eye(len(signs))) / (2 * torch.pi) + torch.diag_embed(lengths.square() / 2)
    (signs @ each @ signs / 2).sum().backward()
    found = objective.neurons(objective.subgradient(torch.tensor(students).flatten(1)))
    torch.testing.assert_close(found, leaf.grad, rtol=0, atol=1e-14)


def test_parallel_neurons_lose_no_digits():
    # Two halves of a neuron that are 1e-9 apart: the loss is flat along their difference but for its kink.
    teacher, apart = np.eye(3), np.array([[0.5, 0.0, 0.0], [0.5, 5e-10, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    objective = TeacherStudent(torch.tensor(teacher))
    w = torch.tensor(apart).flatten().unsqueeze(0)
    np.testing.assert_allclose(objective.subgradient(w)[0].view(4, 3), gradient(apart, teacher), atol=1e-16)


def test_a_neuron_of_length_0_counts_as_orthogonal(problem):
    teacher, students = problem
    students[:, 0] = 0
    objective, w = TeacherStudent(torch.tensor(teacher)), torch.tensor(students).flatten(1)
    np.testing.assert_allclose(objective.value(w), loss(students[:, 1:], teacher), rtol=1e-13)
    g = objective.neurons(objective.subgradient(w))
    np.testing.assert_allclose(g[:, 0], (students.sum(1) - teacher.sum(0)) / 4, atol=1e-14)
