"""What the API server refuses to change is told, and what it does not mind is not."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from fluxstead.catalog.immutable import FIXED, differences

_POD = "spec: {restartPolicy: Never, containers: [{name: a, image: 'example.test/a:1'}]}"

REFUSED = (
    (
        "",
        "PersistentVolumeClaim",
        "spec: {accessModes: [ReadWriteOnce]}",
        "spec: {accessModes: [ReadWriteMany]}",
        "spec.accessModes",
    ),
    ("", "PersistentVolumeClaim", "spec: {storageClassName: a}", "spec: {storageClassName: b}", "spec.storageClassName"),
    ("", "PersistentVolumeClaim", "spec: {storageClassName: a}", "spec: {}", "spec.storageClassName"),
    ("", "PersistentVolumeClaim", "spec: {volumeName: a}", "spec: {volumeName: b}", "spec.volumeName"),
    ("", "PersistentVolumeClaim", "spec: {}", "spec: {volumeMode: Block}", "spec.volumeMode"),
    ("", "PersistentVolumeClaim", "spec: {}", "spec: {selector: {matchLabels: {a: b}}}", "spec.selector"),
    ("", "PersistentVolumeClaim", "spec: {}", "spec: {dataSource: {kind: VolumeSnapshot, name: a}}", "spec.dataSourceRef"),
    ("", "PersistentVolume", "spec: {nfs: {server: a, path: /a}}", "spec: {nfs: {server: b, path: /a}}", "spec.nfs.server"),
    ("", "PersistentVolume", "spec: {csi: {volumeHandle: a}}", "spec: {csi: {volumeHandle: b}}", "spec.csi.volumeHandle"),
    ("", "Service", "spec: {clusterIP: 10.43.0.9}", "spec: {clusterIP: 10.43.0.8}", "spec.clusterIP"),
    ("", "Service", "spec: {}", "spec: {clusterIP: None}", "spec.clusterIP"),
    ("", "ConfigMap", "{immutable: true, data: {a: b}}", "{immutable: true, data: {a: c}}", "data"),
    ("", "ConfigMap", "{immutable: true, data: {a: b}}", "{data: {a: b}}", "immutable"),
    ("", "Secret", "{stringData: {a: b}}", "{type: kubernetes.io/tls, stringData: {a: b}}", "type"),
    ("", "Pod", _POD, _POD.replace("name: a", "command: [b], name: a"), "spec"),
    ("apps", "Deployment", "spec: {selector: {matchLabels: {a: b}}}", "spec: {selector: {matchLabels: {a: c}}}", "spec.selector"),
    ("apps", "StatefulSet", "spec: {serviceName: a}", "spec: {serviceName: b}", "spec.serviceName"),
    ("apps", "StatefulSet", "spec: {}", "spec: {podManagementPolicy: Parallel}", "spec.podManagementPolicy"),
    (
        "apps",
        "StatefulSet",
        "spec: {volumeClaimTemplates: [{metadata: {name: a}, spec: {resources: {requests: {storage: 1Gi}}}}]}",
        "spec: {volumeClaimTemplates: [{metadata: {name: a}, spec: {resources: {requests: {storage: 2Gi}}}}]}",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job", f"spec: {{template: {{{_POD}}}}}", f"spec: {{template: {{{_POD.replace('a:1', 'a:2')}}}}}", "spec.template"),
    ("batch", "Job", "spec: {completions: 1}", "spec: {completions: 2}", "spec.completions"),
    ("rbac.authorization.k8s.io", "RoleBinding", "roleRef: {kind: Role, name: a}", "roleRef: {kind: Role, name: b}", "roleRef"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", "roleRef: {name: a}", "roleRef: {name: b}", "roleRef"),
    ("storage.k8s.io", "StorageClass", "{}", "reclaimPolicy: Retain", "reclaimPolicy"),
    ("storage.k8s.io", "StorageClass", "{}", "volumeBindingMode: WaitForFirstConsumer", "volumeBindingMode"),
    ("scheduling.k8s.io", "PriorityClass", "value: 1", "value: 2", "value"),
    ("networking.k8s.io", "IngressClass", "spec: {controller: a}", "spec: {controller: b}", "spec.controller"),
    ("node.k8s.io", "RuntimeClass", "handler: a", "handler: b", "handler"),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "spec: {scope: Cluster}", "spec: {scope: Namespaced}", "spec.scope"),
    ("gateway.networking.k8s.io", "GatewayClass", "spec: {controllerName: a}", "spec: {controllerName: b}", "spec.controllerName"),
)

ACCEPTED = (
    pytest.param("", "PersistentVolumeClaim", "spec: {}", "spec: {storageClassName: a}", id="the default class, named"),
    pytest.param("", "PersistentVolumeClaim", "spec: {}", "spec: {volumeName: a}", id="the volume it is bound to, named"),
    pytest.param("", "PersistentVolumeClaim", "spec: {}", "spec: {volumeMode: Filesystem}", id="a default, named"),
    pytest.param(
        "",
        "PersistentVolumeClaim",
        "spec: {dataSource: {kind: VolumeSnapshot, name: a}}",
        "spec: {dataSourceRef: {kind: VolumeSnapshot, name: a}}",
        id="the same source under its newer name",
    ),
    pytest.param("", "PersistentVolumeClaim", "spec: {accessModes: ['${MODE}']}", "spec: {accessModes: [a]}", id="a variable"),
    pytest.param("", "Service", "spec: {clusterIP: None}", "spec: {}", id="what is left out is kept"),
    pytest.param("", "Service", "spec: {}", "spec: {clusterIP: 10.43.0.9}", id="the address it has, named"),
    pytest.param("", "Service", "spec: {type: ExternalName}", "spec: {clusterIP: None}", id="it had no address"),
    pytest.param("", "ConfigMap", "data: {a: b}", "{immutable: true, data: {a: c}}", id="sealed from now on"),
    pytest.param("", "Secret", "{immutable: true, sops: {}, data: {a: x}}", "{immutable: true, data: {a: y}}", id="encrypted anew"),
    pytest.param("", "Pod", _POD, _POD.replace("a:1", "a:2"), id="a pod's image"),
    pytest.param("apps", "Deployment", "spec: {template: {a: b}}", "spec: {template: {a: c}}", id="a Deployment's template"),
    pytest.param(
        "apps",
        "StatefulSet",
        "spec: {volumeClaimTemplates: [{spec: {resources: {requests: {storage: 1Gi}}}}]}",
        "spec: {volumeClaimTemplates: [{kind: PersistentVolumeClaim, spec: {resources: {requests: {storage: 1024Mi}}}}]}",
        id="the same amount",
    ),
    pytest.param(
        "batch",
        "Job",
        f"spec: {{ttlSecondsAfterFinished: 60, template: {{{_POD}}}}}",
        f"spec: {{ttlSecondsAfterFinished: 60, template: {{{_POD.replace('a:1', 'a:2')}}}}}",
        id="a Job that goes by itself",
    ),
    pytest.param(
        "batch",
        "Job",
        f"spec: {{template: {{{_POD}}}}}",
        f"spec: {{template: {{{_POD.replace('name: a', 'name: a, imagePullPolicy: IfNotPresent, resources: {}')}}}}}",
        id="defaults of a Job's pods",
    ),
    pytest.param("batch", "CronJob", "spec: {jobTemplate: {a: b}}", "spec: {jobTemplate: {a: c}}", id="a CronJob"),
    pytest.param(
        "rbac.authorization.k8s.io",
        "RoleBinding",
        "roleRef: {kind: Role, name: a}",
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}",
        id="the only group there is",
    ),
    pytest.param("example.test", "Deployment", "spec: {selector: a}", "spec: {selector: b}", id="a kind of somebody else's"),
)


def _differences(group: str, kind: str, old: str, new: str) -> list[str]:
    was, now = (_data(text) for text in (old, new))
    return [found.path for found in differences(group, kind, was, now)]


def _data(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.mark.parametrize(("group", "kind", "old", "new", "path"), REFUSED)
def test_what_the_api_server_refuses(group: str, kind: str, old: str, new: str, path: str) -> None:
    assert _differences(group, kind, old, new) == [path]


@pytest.mark.parametrize(("group", "kind", "old", "new"), ACCEPTED)
def test_what_it_accepts(group: str, kind: str, old: str, new: str) -> None:
    assert _differences(group, kind, old, new) == []


def test_the_value_that_changed_is_told() -> None:
    """It is where the line is looked for."""
    old, new = (_data(f"spec: {{template: {{{_POD}}}}}".replace("a:1", image)) for image in ("a:1", "a:2"))
    [found] = differences("batch", "Job", old, new)
    assert (found.key, found.value) == ("image", "example.test/a:2")


def test_most_of_the_table_is_looked_at_here() -> None:
    assert len(FIXED) >= 20
    assert len({(group, kind) for group, kind, *_ in REFUSED}) >= 15
