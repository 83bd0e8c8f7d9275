"""Which table lacks a column that a claim reads: what pandas raises names no table."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

NO_COLUMN = (KeyError, AttributeError)
"""What pandas raises where a column is missing: of a table, or of a row."""


class MissingColumn(LookupError):
    """A claim reads a column that a table has not.

    Attributes:
        experiment: Of the table.
        column: The column.
    """

    def __init__(self, claim: str, experiment: str, column: str) -> None:
        """Say it in one line."""
        super().__init__(f"{claim} reads the column {column}, and the table of {experiment} has none")
        self.experiment = experiment
        self.column = column


def missing_column(
    gather: Callable[..., Any], experiments: Sequence[str], tables: Mapping[str, pd.DataFrame], fault: Exception
) -> tuple[str, str] | None:
    """Experiment and column without which a claim ended in a fault: with it, the claim gets beyond that fault.

    None where no table with one more column helps: then the fault is of another kind, such as a name in a dictionary.

    Args:
        gather: The claim's function.
        experiments: Tables that it reads.
        tables: Run tables by experiment.
        fault: How it ended.
    """
    words = dict.fromkeys(re.findall(r"[\w.-]+", str(fault)))  # pandas says it in several ways
    for experiment in experiments:
        for column in [word for word in words if word not in tables[experiment]]:
            completed = {**tables, experiment: tables[experiment].assign(**{column: 1.0})}
            if _gets_beyond(fault, gather, [completed[name] for name in experiments]):
                return experiment, column
    return None


def _gets_beyond(fault: Exception, gather: Callable[..., Any], tables: Sequence[pd.DataFrame]) -> bool:
    """Whether a function of tables does not end in a fault."""
    try:
        gather(*tables)
    except Exception as other:  # of another kind where it had the column, and could do nothing with what stands there
        return str(other) != str(fault)
    return True
