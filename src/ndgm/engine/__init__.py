"""What is minimised, how, and on which ensemble of runs: PyTorch, batched, deterministic."""
