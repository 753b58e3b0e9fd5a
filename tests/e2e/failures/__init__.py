"""Rows of the failure log that take real parts: the failure by hand, and not with the preparation, or in a cluster."""
