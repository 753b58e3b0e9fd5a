"""The few types that all use; imports nothing of ours."""
