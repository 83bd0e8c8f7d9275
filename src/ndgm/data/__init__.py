"""Data sets: generated ones, and real tables; one module a kind."""
