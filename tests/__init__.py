"""The tests, by the folders of what they test."""
