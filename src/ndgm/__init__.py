"""Mathematics of the paper: objectives, methods, closed forms, claims. Knows nothing of the workflow."""
