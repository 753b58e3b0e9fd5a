"""The failure log, one file for each number: the failure without its protection, and not with it."""
