"""Make and change list entries here: who may write what, where, and how conflicts are settled."""
