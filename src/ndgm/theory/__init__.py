"""Closed forms and exact reference solutions, in float64 NumPy."""
