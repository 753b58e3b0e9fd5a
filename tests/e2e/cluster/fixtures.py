"""What tests of Flux start from: an empty cluster with the one machine that is live, and the description in its repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster.description import Project
from tests.e2e.cluster.flux import TOOLS, Cluster, running

Need = Callable[..., dict[str, Path]]
NODE = "k3s1"


@pytest.fixture
def cluster(need: Need) -> Iterator[Cluster]:
    """An empty cluster with one machine, which is all the reference cluster has that is live."""
    with running(need(*TOOLS)) as made:
        made.control_plane.add_node(NODE)
        yield made


@pytest.fixture
def project(cluster: Cluster) -> Project:
    """The reference cluster's description and tree, in the repository that Flux reads."""
    return Project(cluster.repository.folder)
