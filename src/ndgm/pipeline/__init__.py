"""What the workflow needs around the mathematics: the checked config, dependencies, verification."""
