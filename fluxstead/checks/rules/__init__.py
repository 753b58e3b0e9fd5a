"""The rules over the tree, one subject a file."""
