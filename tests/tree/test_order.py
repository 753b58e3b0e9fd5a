"""The order: edges come from needs and offers, and what cannot be ordered is said by name."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fluxstead.core.findings import Source
from fluxstead.core.manifest import Manifest
from fluxstead.core.requirement import Requirement, storage_class
from fluxstead.core.requirement import namespace as a_namespace
from fluxstead.roster import SYSTEM_FACTS
from fluxstead.tree.layer import Layer
from fluxstead.tree.order import order
from fluxstead.tree.picture import mermaid, text

CHARTS = SYSTEM_FACTS.charts
HERE = Source("Pulumi.test.yaml", 7)


def namespace(name: str) -> dict[str, Any]:
    """A namespace: offers itself."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def claim(name: str, storage_class: str, in_namespace: str) -> dict[str, Any]:
    """A claim: needs its namespace and a class."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": in_namespace},
        "spec": {"storageClassName": storage_class},
    }


def layer(name: str, *objects: dict[str, Any], offers: tuple[Requirement, ...] = (), after: tuple[str, ...] = ()) -> Layer:
    """A layer of these objects."""
    manifests = tuple(Manifest(obj, HERE) for obj in objects)
    return Layer(name=name, group="apps", source=HERE, manifests=manifests, offers=frozenset(offers), depends_on=after)


def test_a_claim_waits_for_the_layer_that_makes_its_class_usable() -> None:
    """F1: the chart makes the class, but only the layer of the disks makes it usable."""
    longhorn = layer("longhorn", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "longhorn"}})
    storage = layer("storage", offers=(storage_class("longhorn"),))
    app = layer("app", namespace("app"), claim("data", "longhorn", "app"))
    result = order([app, longhorn, storage], (), CHARTS)
    assert not result.findings
    assert result.dependencies("app") == ("storage",)
    assert [one.name for one in result.layers].index("storage") < [one.name for one in result.layers].index("app")
    assert "after storage: StorageClass longhorn" in text(result)
    assert "layer_storage --> layer_app" in mermaid(result)


def test_a_layer_is_ready_with_what_it_watches_and_does_not_wait_to_be_applied() -> None:
    """It comes after it in the order, without a dependsOn; a circle through it is one all the same."""
    watched = {"apiVersion": "v1", "kind": "Namespace", "name": "opened"}
    storage = layer("storage")._replace(health_checks=(watched,))
    result = order([storage, layer("app", after=("storage",)), layer("opened", namespace("opened"))], (), CHARTS)
    assert [one.name for one in result.layers] == ["opened", "storage", "app"]
    assert result.dependencies("storage") == ()
    assert "after opened: ready only with Namespace opened" in text(result)
    assert "layer_opened -.-> layer_storage" in mermaid(result)
    [finding] = order([storage, layer("opened", namespace("opened"), after=("storage",))], (), CHARTS).findings
    assert finding.id == "order/cycle"


def test_what_the_cluster_has_needs_no_edge() -> None:
    """kube-system is there before Flux is."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "kube-system"}}
    result = order([layer("dns", config)], [a_namespace("kube-system")], CHARTS)
    assert not result.findings
    assert result.dependencies("dns") == ()


def test_a_need_that_nobody_offers_is_named_with_the_nearest_offer() -> None:
    """U5, with a misspelt storage class."""
    storage = layer("storage", offers=(storage_class("longhorn-hdd"),))
    [finding] = order([storage, layer("app", namespace("app"), claim("d", "longhorn-hd", "app"))], (), CHARTS).findings
    assert (finding.id, finding.source) == ("order/unmet-need", HERE)
    assert "StorageClass longhorn-hd," in finding.what
    assert "longhorn-hdd" in finding.fix


def test_a_dependency_that_does_not_exist_names_the_nearest() -> None:
    """F2: a Kustomization waited forever for one that nobody had made."""
    [finding] = order([layer("longhorn"), layer("app", after=("longhon",))], (), CHARTS).findings
    assert "`app` depends on `longhon`" in finding.what
    assert finding.fix == "longhorn"


def test_a_circle_is_printed_with_its_way_round() -> None:
    """Flux would apply none of them."""
    [finding] = order(
        [layer("a", after=("c",)), layer("b", after=("a",)), layer("c", after=("b",)), layer("d")], (), SYSTEM_FACTS.charts
    ).findings
    assert finding.id == "order/cycle"
    assert "a → c → b → a" in finding.what
    assert finding.fix == "the dependsOn of `a` without `c`"


def test_a_circle_of_needs_blames_no_depends_on_that_nobody_wrote() -> None:
    """What one layer takes from the other is named; and where a step is written, that one."""
    one = layer("one", namespace("a"), claim("d", "x", "b"))
    two = layer("two", namespace("b"), claim("d", "x", "a"))
    [finding] = order([one, two], [storage_class("x")], CHARTS).findings
    assert finding.fix == "`one` without what it uses from `two`: Namespace b"
    [finding] = order([one, layer("two", namespace("b"), after=("one",))], [storage_class("x")], CHARTS).findings
    assert finding.fix == "the dependsOn of `two` without `one`"


@given(
    st.integers(1, 25).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)))))
)
def test_every_layer_stands_below_what_it_waits_for(graph: tuple[int, set[tuple[int, int]]]) -> None:
    """Over any graph without a circle, in any declared order."""
    size, pairs = graph
    after = {one: tuple(f"l{low}" for high, low in sorted(pairs) if high == one and low < high) for one in range(size)}
    layers = [layer(f"l{one}", after=after[one]) for one in reversed(range(size))]
    result = order(layers, (), CHARTS)
    rank = {one.name: position for position, one in enumerate(result.layers)}
    assert not result.findings
    assert len(rank) == size
    assert all(rank[f"l{one}"] > rank[name] for one in range(size) for name in after[one])


def test_an_unrelated_layer_moves_nothing() -> None:
    """The tree's listing would otherwise change for files that did not."""
    layers = [layer("b"), layer("a", after=("b",)), layer("c")]
    names = [one.name for one in order(layers, (), CHARTS).layers]
    more = [one.name for one in order([*layers, layer("new")], (), CHARTS).layers]
    assert [name for name in more if name != "new"] == names
