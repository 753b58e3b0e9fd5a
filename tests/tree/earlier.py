"""The layout that trees had before each machine had layers of its own, for clusters that still run it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

GATE = "spec.disks.all(d, d in status.diskStatus && has(status.diskStatus[d].diskUUID) && status.diskStatus[d].diskUUID != '')"
WAITS: dict[str, dict[str, Any]] = {
    "longhorn-storage": {
        "dependsOn": [{"name": "longhorn"}],
        "healthCheckExprs": [{"apiVersion": "longhorn.io/v1beta2", "kind": "Node", "current": GATE}],
    },
    "node-labels": {
        "dependsOn": [{"name": "node-labels-access"}],
        "healthCheckExprs": [{"apiVersion": "v1", "kind": "Node", "current": "has(metadata.uid)"}],
        "serviceAccountName": "node-labels",
    },
}


def to_earlier_layout(tree: Path) -> None:
    """Turn a generated tree into what it was: all Longhorn Nodes in longhorn-storage, all labels in node-labels."""
    layers = tree / "infrastructure"
    for pattern, target in (("longhorn-node-*/", "longhorn-storage"), ("node-*-labels/", "node-labels")):
        (layers / target).mkdir(exist_ok=True)
        for folder in sorted(layers.glob(pattern)):
            for file in folder.glob("node-*.yaml"):
                file.rename(layers / target / file.name)
            _remove(folder)
        _list(layers / target)
        _write(layers / f"{target}.yaml", _kustomization(layers / "longhorn.yaml", target))
    for name in ("longhorn-disks", "longhorn-disks-registered"):
        if (layers / name).is_dir():
            _remove(layers / name)
    _list(layers)
    for file in tree.glob("*/*.yaml"):
        layer = yaml.safe_load(file.read_text())
        for dependency in layer.get("spec", {}).get("dependsOn", ()):
            dependency.pop("readyExpr", None)
        _write(file, layer)


def _kustomization(like: Path, name: str) -> dict[str, Any]:
    layer: dict[str, Any] = yaml.safe_load(like.read_text())
    layer["metadata"]["name"] = name
    layer["spec"].pop("dependsOn", None)
    layer["spec"] |= {"path": str(layer["spec"]["path"]).replace("longhorn", name), "wait": True, **WAITS[name]}
    if name == "node-labels":
        del layer["metadata"]["annotations"], layer["spec"]["deletionPolicy"]
    return layer


def _list(folder: Path) -> None:
    names = sorted(file.name for file in folder.glob("*.yaml") if file.name != "kustomization.yaml")
    _write(
        folder / "kustomization.yaml",
        {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": names},
    )


def _remove(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.with_name(f"{folder.name}.yaml").unlink()


def _write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(content, sort_keys=False, width=4096))


def to_one_layer_for_each_application(tree: Path) -> None:
    """Turn a generated tree into what it was while an application's namespace, without an account, lay in its own layer."""
    layers = tree / "apps"
    for access in sorted(layers.glob("*-access/")):
        name = access.name.removesuffix("-access")
        merged = layers / name
        (layers / f"{name}-workload").rename(merged)
        for file in access.glob("*.yaml"):
            if file.name not in {
                "kustomization.yaml",
                "role-flux.yaml",
                "role-binding-flux.yaml",
                f"service-account-app-{name}.yaml",
            }:
                file.rename(merged / file.name)
        _remove(access)
        namespace = merged / f"namespace-{name}.yaml"
        content = yaml.safe_load(namespace.read_text())
        if not any(merged.glob("persistent-volume-claim-*.yaml")):
            del content["metadata"]["annotations"]
        _write(namespace, content)
        _list(merged)
        layer = yaml.safe_load((layers / f"{name}.yaml").read_text())
        del layer["spec"]["serviceAccountName"]
        layer["spec"] |= {
            "path": layer["spec"]["path"].removesuffix("-workload"),
            "dependsOn": [one for one in layer["spec"]["dependsOn"] if one["name"] != access.name],
        }
        _write(layers / f"{name}.yaml", layer)
        # The namespace of its certificates is then the application's own layer's.
        for tls in layers.glob(f"{name}-tls.yaml"):
            _write(tls, yaml.safe_load(tls.read_text().replace(f"- name: {access.name}\n", f"- name: {name}\n")))
    _list(layers)
