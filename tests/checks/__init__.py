"""Tests of the checks, and the defects that are planted for them."""
