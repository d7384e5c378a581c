"""Read all rows of one kind, for a file."""
