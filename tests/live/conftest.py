"""What every test of the doctor compares a cluster with."""

import pytest

from fluxstead.assembly import Assembled
from fluxstead.embedded import run_program
from tests.conftest import REFERENCE, REPOSITORY


@pytest.fixture(scope="session")
def assembled() -> Assembled:
    """The reference cluster's tree."""
    found = run_program(REPOSITORY, REFERENCE).assembled
    assert found is not None
    return found
