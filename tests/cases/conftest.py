"""What the cases share with the tests of checks."""

from tests.checks.conftest import somebody

__all__ = ["somebody"]
