"""The tool that makes the data: what it keeps of what upstream publishes, and that a run again gives the same bytes."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tools.catalog import main
from tools.catalog_charts import CLOSED, OPEN, shape_of
from tools.catalog_schemas import normalised, packed
from tools.catalog_sets import CORE_KINDS, layered
from tools.catalog_values import history, shape_at

PORT: dict[str, Any] = {
    "description": "a port",
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "x-kubernetes-int-or-string": True,
}
DEFINITION = """
apiVersion: v1
kind: Namespace
metadata: {name: beside}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  group: example.org
  names: {kind: Thing}
  versions:
    - {name: v1beta1, served: false, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object}}}}}
    - name: v1
      served: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {%s: {type: string, enum: [=]}}}}}}
"""


def archive(folder: Path, version: str, values: str, template: str = "", about: str = "") -> Path:
    """A chart as `helm package` makes it."""
    path = folder / f"site-{version}.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in {
            "Chart.yaml": f"{{name: site, version: v{version}{about}}}",
            "values.yaml": values,
            "templates/all.yaml": template,
            "charts/inner/values.yaml": "inner: only",
        }.items():
            member = tarfile.TarInfo(f"site/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def content(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_schema_becomes_strict_and_keeps_what_validates() -> None:
    """Descriptions, defaults and formats go; unknown keys are refused; int-or-string and nullable stay."""
    source = {
        "type": "object",
        "description": "a thing",
        "properties": {
            "count": {"type": "integer", "format": "int64", "default": 1},
            "port": PORT,
            "maybe": {"type": "array", "nullable": True, "items": {"type": "string"}},
            "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "description": {"type": "string"},
        },
    }
    assert normalised(source, {}) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "count": {"type": "integer"},
            "port": {"type": ["integer", "string"]},
            "maybe": {"type": ["array", "null"], "items": {"type": "string"}},
            "any": {"type": "object"},
            "description": {"type": "string"},
        },
    }


def test_null_is_no_value_of_kubernetes_own_kinds() -> None:
    """Their document allows it everywhere, because the server drops it: in a manifest somebody forgot the value."""
    definitions = {"io.k8s.Inner": {"type": ["object", "null"], "properties": {"name": {"type": ["string", "null"]}}}}
    assert normalised({"$ref": "#/$defs/io.k8s.Inner"}, definitions) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {"name": {"type": "string"}},
    }


def test_what_repeats_is_stored_once() -> None:
    """And a key that is called like a keyword is a key."""
    part = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"items": {"type": "string", "pattern": "^long enough$"}},
    }
    small = packed({"type": "object", "properties": {"a": part, "b": part, "c": {"type": "array", "items": part}}})
    assert small["$defs"] == {"d0": part}
    assert small["properties"]["c"] == {"type": "array", "items": {"$ref": "#/$defs/d0"}}


def test_a_version_holds_what_changed() -> None:
    """The same kind is not stored twice; one that went is taken back by an empty file."""
    versions: dict[tuple[int, ...], dict[str, bytes]] = {
        (1, 9): {"A.json": b"1", "B.json": b"1"},
        (1, 10): {"A.json": b"1", "C.json": b"2"},
    }
    assert layered("x", versions) == {"x-1.9/A.json": b"1", "x-1.9/B.json": b"1", "x-1.10/C.json": b"2", "x-1.10/B.json": b""}


@pytest.mark.parametrize(
    ("defaults", "template", "shape"),
    [
        ({"log": {"format": "json"}, "free": {}}, "", {"log": {"format": CLOSED}, "free": OPEN}),
        ({"resources": {"cpu": 1}, "nodeSelector": {"os": "linux"}}, "", {"resources": OPEN, "nodeSelector": OPEN}),
        ({"a": {"b": {"c": 1}}}, "{{- toYaml .Values.a.b | nindent 4 }}", {"a": {"b": OPEN}}),
        ({"a": {"b": {"c": 1}}}, "{{ tpl (toYaml .Values.a.b) . }}", {"a": {"b": OPEN}}),
        ({"a": {"b": 1}}, "{{- with .Values.a }}\nx:\n{{- toYaml . | nindent 2 }}{{ end }}", {"a": OPEN}),
        (
            {"a": {"b": 1}},
            "{{- with .Values.a }}x{{ end }}{{ with .Values.c }}{{ toYaml . }}{{ end }}",
            {"a": {"b": CLOSED}, "c": OPEN},
        ),
        ({"ports": {"web": {"port": 1}}}, "{{ range $name, $one := .Values.ports }}{{ end }}", {"ports": OPEN}),
        ({"a": {"b": 1}}, "{{ .Values.a.hidden.deep }}", {"a": {"b": CLOSED, "hidden": {"deep": OPEN}}}),
        ({"a": 1}, "{{ if .Values.old }}\n{{ fail `gone` }}{{ end }}", {"a": CLOSED}),
        ({"a": 1}, ".Values.words of no action, {{/* .Values.comment */}}", {"a": CLOSED}),
        ({"my.ini": {"x": 1}}, '{{ range $key, $one := index .Values "my.ini" }}{{ end }}', {"my.ini": OPEN}),
        (
            {"a": {"b": 1}},
            '{{ dig "c" "d" "" .Values.a }}{{ dig "e" dict $.Values.a }}',
            {"a": {"b": 0, "c": {"d": OPEN}, "e": OPEN}},
        ),
        ({"a": {"spec": {"x": 1}, "b": {"x": 1}}}, "{{ toYaml $one.spec }}", {"a": {"spec": OPEN, "b": {"x": CLOSED}}}),
        (
            {"a": {"b": 1}},
            "{{ with .Values.a }}{{ .c }}{{ range .d }}{{ .e }}{{ end }}{{ end }}{{ .f }}",
            {"a": {"b": 0, "c": 1, "d": 1}},
        ),
        ({"a": {"spec": {"x": 1}}}, "{{ with $one.spec }}{{ toYaml . }}{{ end }}", {"a": {"spec": OPEN}}),
    ],
)
def test_the_shape_of_values(defaults: dict[str, Any], template: str, shape: dict[str, Any]) -> None:
    """What the chart hands on takes any key; a key that its templates name is known, unless they name it only to refuse it."""
    assert shape_of(defaults, [template], []) == shape


def test_what_charts_inside_the_chart_take_is_open() -> None:
    assert shape_of({"inner": {"a": 1}, "own": {"a": 1}}, [], ["inner", "global"]) == {
        "inner": OPEN,
        "own": {"a": CLOSED},
        "global": OPEN,
    }


SHAPES: list[dict[str, Any]] = [
    {"a": 0, "old": {"x": 0}, "turns": 1},
    {"a": 0, "old": {"x": 0, "y": 1}, "new": 1, "turns": {"p": 0}},
    {"a": 0, "new": {"z": 0}, "turns": {"q": 0}},
    {"a": 0, "old": {"y": 1}, "turns": {"p": 0, "q": 0}},
]


def test_the_versions_of_a_chart_are_one_tree() -> None:
    """What not all versions have says which; of a parent that was away, the child is only spoken of where the parent is there."""
    assert history(SHAPES) == {
        "a": 0,
        "old": [{"x": [0, [0, 3]], "y": [1, [1]]}, [0, 2, 3]],
        "new": [1, [1, 2], {"z": 0}, [2, 3]],
        "turns": [1, [0, 1], {"p": [0, [1, 2, 3]], "q": [0, [2]]}, [1]],
    }


def test_each_version_is_read_back_as_it_went_in() -> None:
    for order in permutations(SHAPES):
        keys = history(order)
        assert [shape_at(keys, index) for index in range(len(order))] == list(order)


def test_charts_come_in_any_order_and_again(tmp_path: Path) -> None:
    """The same archives are the same bytes: at once, one by one, newest first, and a second time."""
    archives = [archive(tmp_path, version, values) for version, values in (("1.9.0", "a: 1"), ("1.10.0", "b: 1"), ("2.0.0", "{}"))]
    runs = [[archives], [[one] for one in reversed(archives)], [archives, archives[:1]]]
    written = []
    for number, run in enumerate(runs):
        for some in run:
            main(["--data", str(tmp_path / str(number)), "charts", *map(str, some)])
        written.append(content(tmp_path / str(number)))
    assert written[0] == written[1] == written[2]
    assert json.loads(written[0]["chart_values/site.json"]) == {
        "keys": {"a": [0, [0, 1]], "b": [0, [1, 2]]},
        "versions": ["1.9.0", "1.10.0", "2.0.0"],
    }


def test_definitions_become_a_set_beside_the_others(tmp_path: Path) -> None:
    """An older version that comes later changes what the newer one has to say, and not what it means."""
    files = {version: tmp_path / f"{version}.yaml" for version in ("1.9", "1.10")}
    for version, file in files.items():
        file.write_text(DEFINITION % {"1.9": "old", "1.10": "new"}[version])
    for number, order in enumerate((["1.9", "1.10"], ["1.10", "1.9", "1.9"])):
        for version in order:
            main(["--data", str(tmp_path / f"data{number}"), "crds", f"thing-{version}", str(files[version])])
    assert content(tmp_path / "data0") == content(tmp_path / "data1")
    name = "Thing.v1.example.org.json"
    assert set(content(tmp_path / "data0")) == {f"schemas/thing-1.9/{name}", f"schemas/thing-1.10/{name}"}
    spec = json.loads((tmp_path / "data0/schemas/thing-1.10" / name).read_bytes())["properties"]["spec"]
    assert spec == {"additionalProperties": False, "properties": {"new": {"enum": ["="], "type": "string"}}, "type": "object"}


def test_kubernetes_is_read_from_its_wheel(tmp_path: Path) -> None:
    """Each minor version becomes a set; those that came before the oldest are left out."""
    definitions: dict[str, Any] = {
        f"io.k8s.api.{group}.{kind}": {
            "type": "object",
            "properties": {"spec": {"type": "object"}},
            "x-kubernetes-group-version-kind": [{"group": group.partition(".")[0], "version": group.partition(".")[2]}],
        }
        for group, kinds in CORE_KINDS.items()
        for kind in kinds
    }
    for shared in ("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "io.k8s.api.core.v1.PodSpec"):
        definitions[shared] = {"type": "object", "properties": {}}
    wheel = tmp_path / "kubernetes_validate.whl"
    with zipfile.ZipFile(wheel, "w") as package:
        for minor in (30, 31, 32):
            path = f"kubernetes_validate/kubernetes-json-schema/v1.{minor}.0-local-strict/_definitions.json"
            package.writestr(path, json.dumps({"$defs": definitions}))
    main(["--data", str(tmp_path / "data"), "kubernetes", str(wheel)])
    assert sorted(path.name for path in (tmp_path / "data/schemas").iterdir()) == ["kubernetes-1.31", "kubernetes-1.32"]
    assert (tmp_path / "data/schemas/kubernetes-1.31/Deployment.v1.apps.json").is_file()


def test_what_is_missing_in_the_range_is_told(tmp_path: Path) -> None:
    """Versions before the oldest one held, and release candidates, do not count as missing."""
    main(["--data", str(tmp_path), "charts", *(str(archive(tmp_path, version, "a: 1")) for version in ("1.0.0", "1.2.0"))])
    index = tmp_path / "index.yaml"
    listed = ", ".join(f"{{version: {version}}}" for version in ("0.9.0", "v1.0.0", "1.1.0", "1.2.0-rc.1", "1.2.0", "1.3.0"))
    index.write_text(f"entries: {{site: [{listed}]}}")
    with pytest.raises(SystemExit, match=r"^site: not known: 1.1.0$"):
        main(["--data", str(tmp_path), "releases", "site", str(index)])
    main(["--data", str(tmp_path), "charts", str(archive(tmp_path, "1.1.0", "a: 1"))])
    main(["--data", str(tmp_path), "releases", "site", str(index)])


@pytest.mark.parametrize(
    ("command", "text", "said"),
    [
        ("charts", "no archive", "not the archive of a chart"),
        ("crds some-1.0", "kind: ConfigMap", "holds no CustomResourceDefinition"),
        ("crds some-1.0", "a: [", "no custom resource definitions can be read"),
        ("crds some-1.0", "kind: CustomResourceDefinition", "no custom resource definitions can be read"),
        ("kubernetes", "no wheel", "not a wheel"),
        ("releases site", "entries: {}", "not an index of a chart repository that has site"),
    ],
)
def test_what_is_no_such_input_is_said_in_a_line(tmp_path: Path, command: str, text: str, said: str) -> None:
    """With the file's name, and nothing written."""
    file = tmp_path / "input"
    file.write_text(text)
    with pytest.raises(SystemExit) as stopped:
        main(["--data", str(tmp_path / "data"), *command.split(), str(file)])
    assert str(stopped.value).startswith(f"{file}: ")
    assert said in str(stopped.value)
    assert not list((tmp_path / "data").rglob("*.json"))


def test_two_archives_of_one_version_have_to_agree(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    archives = [archive(tmp_path, "1.0.0", "a: 1"), archive(other, "1.0.0", "b: 1")]
    with pytest.raises(SystemExit, match=r"another archive says 1\.0\.0 of site has other values"):
        main(["--data", str(tmp_path / "data"), "charts", *map(str, archives)])
    with pytest.raises(SystemExit, match=r"of the form 1\.2\.3"):
        main(["--data", str(tmp_path / "data"), "charts", str(archive(tmp_path, "1.0.0-rc.1", "a: 1"))])
