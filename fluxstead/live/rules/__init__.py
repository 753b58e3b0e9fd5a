"""What can be wrong in a running cluster, one subject per file."""
