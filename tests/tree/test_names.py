"""Files of objects: no two objects of a layer share one, and none is lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fluxstead.core.findings import Source
from fluxstead.core.manifest import Manifest, ObjectRef
from fluxstead.core.platform import Platform
from fluxstead.core.version import Version
from fluxstead.roster import SYSTEM_FACTS
from fluxstead.tree.layer import Layer
from fluxstead.tree.names import file_names
from fluxstead.tree.order import order
from fluxstead.tree.render import render
from fluxstead.tree.unique import findings_of

HERE = Source("Pulumi.test.yaml", 7)
WEB = ObjectRef("", "ConfigMap", "web", "settings")
PLATFORM = Platform(cluster="test", flux=Version("2.6.1"), kubernetes=Version("v1.33.1+k3s1"))


def obj(api: str, kind: str, namespace: str, name: str) -> dict[str, Any]:
    """An object of no content."""
    return {"apiVersion": api, "kind": kind, "metadata": {"namespace": namespace, "name": name}}


def files_of(*objects: dict[str, Any]) -> list[tuple[str, Any]]:
    """What one layer of these objects becomes."""
    layer = Layer(name="web", group="apps", source=HERE, manifests=tuple(Manifest(one, HERE) for one in objects))
    tree = render("generated/test", PLATFORM, order([layer], (), SYSTEM_FACTS.charts), stack_file=HERE.file)
    return [(file.path, file.object) for file in tree.by_layer["web"]]


def test_two_objects_of_one_kind_and_name_are_two_files_that_are_both_listed() -> None:
    """In two namespaces, and in two API groups: before, the second one took the first one's file without a word."""
    objects = [
        obj("v1", "ConfigMap", "a", "settings"),
        obj("v1", "ConfigMap", "b", "settings"),
        obj("v1", "Node", "", "k3s1"),
        obj("longhorn.io/v1beta2", "Node", "longhorn-system", "k3s1"),
    ]
    files = dict(files_of(*objects))
    assert [one for path, one in files.items() if path.startswith("apps/web/") and "kustomization" not in path] == objects
    assert files["apps/web/kustomization.yaml"]["resources"] == sorted(
        path.removeprefix("apps/web/") for path in files if path.startswith("apps/web/") and "kustomization" not in path
    )


def test_the_name_says_kind_and_name_and_more_only_where_it_must() -> None:
    """As the committed trees have it."""
    ingress = ObjectRef("networking.k8s.io", "Ingress", "web", "ui")
    other = ObjectRef("networking.k8s.io", "Ingress", "shop", "ui")
    assert file_names([WEB, ingress]) == ["config-map-settings.yaml", "ingress-ui.yaml"]
    assert file_names([ingress, WEB, other]) == [
        "ingress-ui.web.networking.k8s.io.yaml",
        "config-map-settings.yaml",
        "ingress-ui.shop.networking.k8s.io.yaml",
    ]


def test_names_that_become_the_same_when_they_are_made_safe_stay_apart() -> None:
    """RBAC's names have colons and capitals; some file systems take `A` for `a`."""
    group = "rbac.authorization.k8s.io"
    refs = [ObjectRef(group, "ClusterRole", "", name) for name in ("a:b", "a-b", "A-b", "a--b", "a/b")]
    assert len({name.lower() for name in file_names(refs)}) == len(refs)


def test_a_name_of_253_characters_fits_into_a_file_system() -> None:
    """Kubernetes takes it; 255 bytes with kind and suffix are too many."""
    names = file_names([ObjectRef("", "ConfigMap", "web", "a" * 252 + end) for end in "xy"])
    assert len(set(names)) == 2
    assert max(len(name) for name in names) < 230


_NAMES = st.sampled_from(["a", "a.b", "A", "a-b", "a:b", "kustomization", "a" * 253])
_REFS = st.builds(
    ObjectRef,
    st.sampled_from(["", "apps", "b"]),
    st.sampled_from(["ConfigMap", "Config", "Map"]),
    st.sampled_from(["", "b"]),
    _NAMES,
)


@given(st.lists(_REFS, max_size=12, unique=True))
def test_whatever_a_layer_holds_each_object_has_a_file(refs: list[ObjectRef]) -> None:
    """And the order in which they come changes no name."""
    names = file_names(refs)
    assert len({name.lower() for name in names}) == len(refs)
    assert dict(zip(refs, names, strict=True)) == dict(zip(reversed(refs), file_names(refs[::-1]), strict=True))


def test_one_identity_twice_is_two_files_for_the_check_of_owners_to_see() -> None:
    """One of the two would have been dropped without a word."""
    assert file_names([WEB, WEB]) == ["config-map-settings.web-9053c237.yaml", "config-map-settings.web-9053c237-2.yaml"]


def test_a_layer_cannot_be_called_like_the_list_of_its_group() -> None:
    """`apps/kustomization.yaml` would be both, and the group would lose all its layers."""
    [finding] = findings_of([Layer(name="kustomization", group="apps", source=HERE)], "test")
    assert (finding.id, finding.source) == ("tree/name-taken", HERE)
