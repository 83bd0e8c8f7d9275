"""Where data come from: what `source` in the config's table of samples may name."""

SOURCES = {
    "gaussian": "regression",
    "autoregressive": "regression",
    "diabetes": "regression",
    "diabetes_quadratic": "regression",
    "csv": "regression",
    "two_classes": "classification",
    "breast_cancer": "classification",
    "zeros_and_eights": "classification",
    "digits": "networks",
    "teacher": "networks",
    "cifar10": "networks",
    "split_digits": "networks",
    "mnist": "networks",
    "split_mnist": "networks",
    "digit_pictures": "pictures",
    "mnist_pictures": "pictures",
    "cifar10_pictures": "pictures",
    "halves_of_digits": "subspaces",
}
"""Module of `ndgm.data` with a function of the source's name: of a generator, and of the other keys of the entry."""
