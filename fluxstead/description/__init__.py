"""From the files that the operator writes to a typed description, with positions."""
