"""What is minimised, batched over an ensemble of runs; one module an objective."""
