"""What is done to a model to make it fast: one technique a file."""
