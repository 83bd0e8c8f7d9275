"""Curvature along a run: Hessian products, the largest eigenvalue, and what consecutive gradients say."""
