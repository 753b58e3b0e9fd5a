"""How Flux comes into an empty cluster: its files in Git, what must be true before, and the wait for the first sync."""
