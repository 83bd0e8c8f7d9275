"""Rows of run tables that several claims of a group speak of."""
