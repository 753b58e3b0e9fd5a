"""The pods of an application: its container and what runs before it, what they mount, as whom and where they run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fluxstead.systems.applications import files
from fluxstead.systems.applications.instance import Instance
from fluxstead.systems.applications.mounts import TEMPORARY
from fluxstead.systems.applications.parts import HTTP, ExtraPort, InitContainer, Toleration
from fluxstead.systems.applications.settings import Application, Resources

_ANY_USER = 65532
"""The "nonroot" of common base images; as a volume's group it lets any user ID write."""

_ROOT_NEEDS = ("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID", "SYS_CHROOT")
"""Of what root may by default, what images need that hand files and processes to a user of their own, as those on s6 or gosu do.

sshd locks itself into an empty directory before it knows who asks, and accounts for logins (openssh: sshd.c, audit-linux.c). The
baseline standard admits them all.
"""

_STARTUP_PERIOD = 2
"""Seconds between two runs of the startup probe."""


def template(instance: Instance, labels: Mapping[str, str]) -> dict[str, Any]:
    """The template of the pods; it changes with the config files, so that the pods restart with them."""
    metadata: dict[str, Any] = {"labels": dict(labels)}
    if instance.files:
        metadata["annotations"] = {files.ANNOTATION: files.digest(instance)}
    return {"metadata": metadata, "spec": _pod(instance, labels)}


def _pod(instance: Instance, labels: Mapping[str, str]) -> dict[str, Any]:
    app, mounts = instance.app, _mounts(instance)
    volumes = _volumes(instance)
    return {
        "serviceAccountName": app.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        **({"imagePullSecrets": [{"name": name} for name in app.image_pull_secrets]} if app.image_pull_secrets else {}),
        **_placed(instance, labels),
        "securityContext": _user(instance),
        **({"initContainers": [_before(instance, one, mounts) for one in app.init_containers]} if app.init_containers else {}),
        "containers": [_container(instance, mounts)],
        **({"volumes": volumes} if volumes else {}),
    }


def _placed(instance: Instance, labels: Mapping[str, str]) -> dict[str, Any]:
    """Which machines take the pods; several pods go to several machines, as long as there are some."""
    placed: dict[str, Any] = {}
    if instance.node_selector:
        placed["nodeSelector"] = dict(instance.node_selector)
    if instance.app.tolerations:
        placed["tolerations"] = [_toleration(one) for one in instance.app.tolerations]
    if instance.most > 1:
        placed["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": dict(labels)},
                # Those of the version before, which are about to go, do not count.
                "matchLabelKeys": ["pod-template-hash"],
            }
        ]
    return placed


def _toleration(one: Toleration) -> dict[str, Any]:
    return {
        **({"key": one.key} if one.key is not None else {}),
        "operator": one.operator,
        **({"value": one.value} if one.value else {}),
        **({"effect": one.effect} if one.effect else {}),
        **({"tolerationSeconds": one.toleration_seconds} if one.toleration_seconds is not None else {}),
    }


def _user(instance: Instance) -> dict[str, Any]:
    app = instance.app
    security: dict[str, Any] = {} if app.run_as_root else {"runAsNonRoot": True}
    security["seccompProfile"] = {"type": "RuntimeDefault"}
    if app.run_as_root or app.run_as_user is not None:
        security["runAsUser"] = 0 if app.run_as_root else app.run_as_user
    if (instance.volumes or app.secret_files) and not app.run_as_root:
        security |= {"fsGroup": app.run_as_user or _ANY_USER, "fsGroupChangePolicy": "OnRootMismatch"}
    if app.supplemental_groups:
        security["supplementalGroups"] = list(app.supplemental_groups)
    return security


def _volumes(instance: Instance) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [
        {"name": one.name, "persistentVolumeClaim": {"claimName": one.claim}} for one in instance.volumes
    ]
    if instance.files:
        volumes.append({"name": files.VOLUME, "configMap": {"name": files.name(instance)}})
    for number, name in enumerate(instance.app.secret_files.values()):
        # Only who runs in the pod may read them: its group is the pod's own.
        volumes.append({"name": f"secret-{number}", "secret": {"secretName": name, "defaultMode": 0o440}})
    for number, device in enumerate(instance.app.devices):
        volumes.append({"name": f"device-{number}", "hostPath": {"path": device.host_path, "type": device.kind}})
    if instance.app.read_only_root_filesystem:
        volumes.append({"name": "tmp", "emptyDir": {"sizeLimit": str(instance.resources.scratch)}})
    return volumes


def _mounts(instance: Instance) -> list[dict[str, Any]]:
    mounts: list[dict[str, Any]] = [
        {"name": one.name, "mountPath": one.volume.mount_path, **({"readOnly": True} if one.volume.read_only else {})}
        for one in instance.volumes
    ]
    for path, key in files.keys(instance).items():
        # One file and not its directory: what the image has beside it stays.
        mounts.append({"name": files.VOLUME, "mountPath": path, "subPath": key, "readOnly": True})
    for number, path in enumerate(instance.app.secret_files):
        mounts.append({"name": f"secret-{number}", "mountPath": path, "readOnly": True})
    for number, device in enumerate(instance.app.devices):
        mounts.append({"name": f"device-{number}", "mountPath": device.inside})
    if instance.app.read_only_root_filesystem:
        mounts.append({"name": "tmp", "mountPath": TEMPORARY})
    return mounts


def _container(instance: Instance, mounts: list[dict[str, Any]]) -> dict[str, Any]:
    app = instance.app
    container: dict[str, Any] = {
        "name": app.name,
        "image": f"{app.image}:{instance.environment.tag}",
        **_program(app),
    }
    ports = [*([{"name": HTTP, "containerPort": app.port}] if app.port else []), *map(_port, app.ports)]
    if ports:
        container["ports"] = ports
    container |= _environment(instance)
    container["resources"] = _resources(instance.resources)
    container |= _probes(app)
    return _enclosed(container, instance, mounts)


def _before(instance: Instance, one: InitContainer, mounts: list[dict[str, Any]]) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": one.name,
        "image": one.image or f"{instance.app.image}:{instance.environment.tag}",
        **_program(one),
        **_environment(instance),
        "resources": _resources(instance.resources),
    }
    return _enclosed(container, instance, mounts)


def _program(one: Application | InitContainer) -> dict[str, Any]:
    return {
        **({"command": list(one.command)} if one.command else {}),
        **({"args": list(one.args)} if one.args else {}),
    }


def _port(one: ExtraPort) -> dict[str, Any]:
    protocol = {"protocol": one.protocol} if one.protocol != "TCP" else {}
    return {"name": one.name, "containerPort": one.port, **protocol}


def _environment(instance: Instance) -> dict[str, Any]:
    found: dict[str, Any] = {}
    variables = instance.app.env | instance.environment.env
    if variables:
        found["env"] = [{"name": name, "value": value} for name, value in variables.items()]
    if instance.secrets:
        found["envFrom"] = [{"secretRef": {"name": name}} for name in instance.secrets]
    return found


def _enclosed(container: dict[str, Any], instance: Instance, mounts: list[dict[str, Any]]) -> dict[str, Any]:
    """The container with what it may do, and what it mounts."""
    app = instance.app
    if app.devices:
        # A container sees only devices that its runtime was told of, and the kubelet tells it of none.
        security: dict[str, Any] = {"privileged": True}
    else:
        capabilities: dict[str, Any] = {"drop": ["ALL"], **({"add": list(_ROOT_NEEDS)} if app.run_as_root else {})}
        security = {"allowPrivilegeEscalation": False, "capabilities": capabilities}
    container["securityContext"] = security | ({"readOnlyRootFilesystem": True} if app.read_only_root_filesystem else {})
    if mounts:
        container["volumeMounts"] = mounts
    return container


def _resources(resources: Resources) -> dict[str, dict[str, str]]:
    return {
        kind: {name: str(quantity) for name, quantity in amounts.items()}
        for kind, amounts in (("requests", resources.asked), ("limits", resources.most))
    }


def _probes(app: Application) -> dict[str, Any]:
    probes, port = app.probes, app.probes.port or (HTTP if app.port else None)
    if port is None:
        return {}
    result: dict[str, Any] = {
        "readinessProbe": {"httpGet": {"path": probes.readiness, "port": port}}
        if probes.readiness
        else {"tcpSocket": {"port": port}}
    }
    if probes.liveness:
        asked = {"httpGet": {"path": probes.liveness, "port": port}}
        result["livenessProbe"] = asked
        result["startupProbe"] = {
            **asked,
            "periodSeconds": _STARTUP_PERIOD,
            "failureThreshold": math.ceil(probes.startup.seconds / _STARTUP_PERIOD),
        }
    return result
