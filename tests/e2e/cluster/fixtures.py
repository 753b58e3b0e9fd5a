"""What tests of Flux start from: an empty cluster with the one machine that is live, and the description in its repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from fluxstead.secrets.makers import made as made_of
from fluxstead.secrets.vault import secret_object
from tests.e2e.cluster.description import PROJECT, Project
from tests.e2e.cluster.flux import TOOLS, Cluster, running
from tests.edge_keys import CLUSTER

Need = Callable[..., dict[str, Path]]
NODE = "k3s1"
EDGE = PROJECT / "examples/edge"


@pytest.fixture
def cluster(need: Need) -> Iterator[Cluster]:
    """An empty cluster with one machine, which is all the reference cluster has that is live."""
    with reference_running(need) as made:
        yield made


@contextmanager
def reference_running(need: Need, *, cure_at_once: bool = False, step: str = "2s") -> Iterator[Cluster]:
    """The same for a test that keeps it, or whose Flux drops a wait when a new commit is there."""
    with running(need(*TOOLS), cure_at_once=cure_at_once, step=step) as made:
        made.control_plane.add_node(NODE)
        hand_over_authority(made)
        yield made


def hand_over_authority(made: Cluster) -> None:
    """The Secret that the description says is missing, without which no issuer is ready, as a person makes it by hand."""
    authority = secret_object("cert-manager", "own-ca", made_of("ca", "tls.key", "own-ca"), "kubernetes.io/tls")
    made.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "cert-manager"}})
    made.api.create(dict(authority))


@pytest.fixture
def project(cluster: Cluster) -> Project:
    """The reference cluster's description and tree, in the repository that Flux reads."""
    return Project(cluster.repository.folder)


@contextmanager
def edge_running(need: Need, *, cure_at_once: bool = False) -> Iterator[Cluster]:
    """An empty cluster with the second cluster's machines, all that its k3s brings, and the key of its secrets."""
    with running(need(*TOOLS), cure_at_once=cure_at_once) as made:
        for file in sorted((EDGE / "nodes").glob("*.yaml")):
            made.control_plane.add_node(file.stem)
        described = yaml.safe_load((EDGE / "Pulumi.edge.yaml").read_text())["config"]
        made.as_k3s(described["fluxstead:kubernetes"])
        made.hand_over_key(described["fluxstead:flux"]["sopsSecret"], CLUSTER)
        yield made


@pytest.fixture
def edge_cluster(need: Need) -> Iterator[Cluster]:
    """The second cluster, with nothing applied yet."""
    with edge_running(need) as made:
        yield made


@pytest.fixture
def edge_project(edge_cluster: Cluster) -> Project:
    """The second cluster's description and tree, in the repository that Flux reads."""
    return Project(edge_cluster.repository.folder, EDGE, "edge")
