"""How a claim is decided: evidence, tests, and the rows of a table that count."""
