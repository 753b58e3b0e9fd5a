"""`valuesFrom` of HelmReleases: what Flux makes of it, and what nothing is said about."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from fluxstead.checks.reading.applied_tree import read_applied_tree
from fluxstead.checks.reading.store import TextStore
from fluxstead.checks.reading.values_from import Values, values_of
from tests.checks.planted import HOME, WEB, Planted, kept, layer, look, obj, release

_SOPS = "sops: {mac: 'ENC[AES256_GCM,data:x]', age: [{recipient: age1x}]}"


def merged(values: str, references: str, *objects: str) -> Values:
    """What a release says with these values and references, beside these objects."""
    chart = release("web/site", "site", "1.0.0", f", values: {values}, valuesFrom: [{references}]")
    tree = read_applied_tree(TextStore(layer("web", WEB, chart, *objects)), ["clusters/home"])
    [item] = tree.of("HelmRelease")
    return values_of(tree, item)


def config(name: str, text: str, key: str = "values.yaml") -> str:
    """A ConfigMap with values."""
    return obj("ConfigMap", f"web/{name}", f"data: {{{key}: {text!r}}}")


def ref(name: str, more: str = "", kind: str = "ConfigMap") -> str:
    """A reference to one."""
    return f"{{kind: {kind}, name: {name}{more}}}"


@pytest.mark.parametrize(
    ("inline", "references", "objects", "certain"),
    [
        ("{a: {x: 1}}", ref("one"), [config("one", "{a: {x: 2, y: 3}}")], {"a": {"x": 1, "y": 3}}),
        ("{}", f"{ref('one')}, {ref('two')}", [config("one", "{a: 1, b: 1}"), config("two", "{a: 2}")], {"a": 2, "b": 1}),
        ("{}", ref("one", ", valuesKey: k"), [config("one", "a: 1", "k")], {"a": 1}),
        ("{}", ref("one", ", valuesKey: k, targetPath: a.b"), [config("one", "5", "k")], {"a": {"b": 5}}),
        ("{}", ref("one", ", valuesKey: k, targetPath: a.b"), [config("one", '"5"', "k")], {"a": {"b": "5"}}),
        ("{}", ref("one", ", valuesKey: k, targetPath: a.b"), [config("one", "TRUE", "k")], {"a": {"b": True}}),
        ("{}", ref("one", ", valuesKey: k, targetPath: 'a.b\\.c'"), [config("one", "x", "k")], {"a": {"b.c": "x"}}),
        # In Flux, the value at a path overrides the release's own where that already has the mapping, and not at the top.
        ("{a: {b: own}}", ref("one", ", valuesKey: k, targetPath: a.b"), [config("one", "x", "k")], {"a": {"b": "x"}}),
        ("{a: own}", ref("one", ", valuesKey: k, targetPath: a"), [config("one", "x", "k")], {"a": "own"}),
        ("{a: 1}", ref("one", ", optional: true, valuesKey: k"), [config("one", "{b: 2}")], {"a": 1}),
        ("{a: 1}", ref("one"), [config("one", "")], {"a": 1}),
        ("{}", ref("one", kind="Secret"), [obj("Secret", "web/one", "stringData: {values.yaml: 'a: 1'}")], {"a": 1}),
        (
            "{}",
            ref("one", kind="Secret"),
            [obj("Secret", "web/one", f"data: {{values.yaml: {base64.b64encode(b'a: 1').decode()}}}")],
            {"a": 1},
        ),
    ],
)
def test_what_is_known_is_merged_as_flux_does(inline: str, references: str, objects: list[str], certain: dict[str, Any]) -> None:
    said = merged(inline, references, *objects)
    assert said.certain == certain
    assert said.complete


@pytest.mark.parametrize(
    ("inline", "references", "objects", "certain", "named"),
    [
        ("{a: 1}", ref("one", kind="Secret"), [], {"a": 1}, {"a": 1}),
        (
            "{a: 1}",
            ref("one", kind="Secret"),
            [obj("Secret", "web/one", f"stringData: {{values.yaml: x}}\n{_SOPS}")],
            {"a": 1},
            {"a": 1},
        ),
        # What comes before may be overridden, what comes after may not.
        ("{}", f"{ref('one')}, {ref('no')}", [config("one", "{a: 1}")], {}, {"a": 1}),
        ("{}", f"{ref('no')}, {ref('one')}", [config("one", "{a: 1}")], {"a": 1}, {"a": 1}),
        ("{}", ref("no", ", targetPath: a.b", kind="Secret"), [], {"a": {}}, {"a": {"b": None}}),
        ("{a: {b: 1}}", ref("no", ", targetPath: a.b"), [], {"a": {}}, {"a": {"b": None}}),
        ("{a: 1}", ref("no", ", optional: true"), [], {"a": 1}, {"a": 1}),
        ("{}", ref("one", ", valuesKey: k, targetPath: 'a[0].b'"), [config("one", "5", "k")], {}, {"a": None}),
        ("{}", ref("one", ", valuesKey: k, targetPath: a"), [config("one", "x,b=y", "k")], {}, {"a": None}),
        ("{}", ref("one"), [config("one", "{a: 1}"), config("one", "{a: 2}")], {}, {}),
        ("{}", "{kind: Other, name: one}, 5, {}", [], {}, {}),
    ],
)
def test_nothing_is_taken_for_certain_that_something_unknown_may_change(
    inline: str, references: str, objects: list[str], certain: dict[str, Any], named: dict[str, Any]
) -> None:
    said = merged(inline, references, *objects)
    assert (said.certain, said.said) == (certain, named)
    assert not said.complete


def told(
    check: str, *objects: str, references: str = ref("one"), more: dict[str, str] | None = None, values: str = "{}"
) -> list[tuple[str, str]]:
    """Where this check finds something about a release of Longhorn with values from elsewhere: file and text of the line."""
    chart = release("web/longhorn", "longhorn", "1.9.0", f", values: {values}, valuesFrom: [{references}]")
    files = {**layer("web", WEB, chart, *objects), **(more or {})}
    findings = look(Planted(files=files, cure=("", ""), says="", platform=HOME), files)
    return [(one.source.file, files[one.source.file].splitlines()[one.source.line - 1]) for one in findings if one.id == check]


_OBJECTS = "web/objects.yaml"
_WRONG = "persistence:\n  defaultClasReplicaCount: 2\n"
_OLD = "data:\n  values.yaml: |\n    csi:\n      kubeletRootDir: /var/lib/rancher/k3s/agent/kubelet"


def test_a_value_in_a_config_map_is_told_in_its_own_line() -> None:
    wrong = "data:\n  values.yaml: |\n    csi: {}\n    persistence:\n      defaultClasReplicaCount: 2"
    assert told("tree/chart-value", obj("ConfigMap", "web/one", wrong)) == [(_OBJECTS, "      defaultClasReplicaCount: 2")]


def test_a_value_in_a_file_that_a_config_map_is_generated_from_is_told_in_that_file() -> None:
    listing = "resources: [objects.yaml]\nnamespace: web\nconfigMapGenerator: [{name: one, files: [values.yaml=longhorn.yaml]}]\n"
    more = {"web/kustomization.yaml": listing, "web/longhorn.yaml": f"csi: {{}}\n{_WRONG}"}
    assert told("tree/chart-value", more=more) == [("web/longhorn.yaml", "  defaultClasReplicaCount: 2")]


def test_the_key_of_a_value_that_nobody_can_see_is_seen() -> None:
    references = ref("one", ", valuesKey: k, targetPath: persistence.defaultClasReplicaCount", kind="Secret")
    assert len(told("tree/chart-value", references=references)) == 1


def test_what_is_wrong_in_values_from_elsewhere_is_found_and_what_a_later_secret_may_mend_is_not() -> None:
    wrong = obj("ConfigMap", "web/one", _OLD)
    assert told("longhorn/kubelet-root", wrong) == [(_OBJECTS, "      kubeletRootDir: /var/lib/rancher/k3s/agent/kubelet")]
    assert not told("longhorn/kubelet-root", wrong, references=f"{ref('one')}, {ref('hidden', kind='Secret')}")
    assert not told("longhorn/kubelet-root", wrong, values="{csi: {kubeletRootDir: /var/lib/kubelet}}")


def test_values_from_elsewhere_that_are_not_yaml_are_told_where_they_are() -> None:
    assert told("tree/values-not-yaml", config("one", "a: [")) == [(_OBJECTS, "data: {values.yaml: 'a: ['}")]
    assert not told("tree/values-not-yaml", config("one", "a: ${B} : c"))


def test_a_default_class_that_a_secret_may_switch_off_is_not_counted() -> None:
    other = obj("StorageClass", "fast", "provisioner: example.test/a", "storage.k8s.io/v1").replace(
        "name: fast", 'name: fast, annotations: {storageclass.kubernetes.io/is-default-class: "true"}'
    )
    on, off = (config("one", f"{{persistence: {{defaultClass: {said}}}}}") for said in ("true", "false"))
    assert told("ownership/two-defaults", other, on)
    assert not told("ownership/two-defaults", other, off)
    assert not told("ownership/two-defaults", other, references=ref("hidden", kind="Secret"))


_DATABASE = "persistence:\n  d:\n    existingClaim: db\nimage:\n  repository: postgres\n  tag: '%s'"


@pytest.mark.parametrize(
    ("check", "chart", "values", "said"),
    [
        ("longhorn/no-longer-kept", "longhorn", "persistence:\n  reclaimPolicy: %s", ("Retain", "Delete")),
        ("longhorn/one-copy-left", "longhorn", "persistence:\n  defaultClassReplicaCount: %s", ("3", "1")),
        ("moves/data-version", "app-template", _DATABASE, ("16", "17")),
        ("moves/chart-claim", "grafana", "persistence:\n  enabled: true\n  size: %s", ("5Gi", "1Gi")),
    ],
)
def test_what_changes_in_values_from_elsewhere_is_told_there(check: str, chart: str, values: str, said: tuple[str, str]) -> None:
    """Also what a commit changes: in the ConfigMap, and not at the head of a release that stays as it was."""

    def tree(one: str) -> dict[str, str]:
        text = "\n".join(f"    {line}" for line in (values % one).splitlines())
        held = obj("ConfigMap", "web/one", f"data:\n  values.yaml: |\n{text}")
        own = kept(release("web/x", chart, "1.9.0", f", valuesFrom: [{ref('one')}]"))
        return layer("web", kept(WEB), own, held)

    before, files = map(tree, said)
    found = look(Planted(files=files, before=before, cure=("", ""), says="", platform=None), files)
    lines = [files[one.source.file].splitlines()[one.source.line - 1] for one in found if one.id == check]
    assert [line.strip() for line in lines] == [(values % said[1]).splitlines()[-1].strip()]
