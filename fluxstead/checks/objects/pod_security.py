"""What a pod does that a Pod Security Standard forbids (kubernetes.io/docs/concepts/security/pod-security-standards)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.checks.objects.pods import containers_of
from fluxstead.checks.reading.store import texts_of
from fluxstead.core.shape import entries_of, mapping

_BASIC_CAPABILITIES = frozenset(
    {
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    }
)
_VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"}
)
_PROFILES = frozenset({"RuntimeDefault", "Localhost"})


def forbidden_by(level: str, template: Mapping[str, Any]) -> Iterator[str]:
    """What the pods of this template do that the standard `baseline` or `restricted` forbids."""
    if level not in {"baseline", "restricted"}:
        return
    yield from _beyond_baseline(template)
    if level == "restricted" and mapping(mapping(template, "spec"), "os").get("name") != "windows":
        yield from _beyond_restricted(template)


def _beyond_baseline(template: Mapping[str, Any]) -> Iterator[str]:
    spec = mapping(template, "spec")
    yield from (f"{key}: true" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key) is True)
    yield from (f"a hostPath volume, {one.get('name')}" for one in entries_of(spec, "volumes") if "hostPath" in one)
    if mapping(mapping(spec, "securityContext"), "seccompProfile").get("type") == "Unconfined":
        yield "seccompProfile Unconfined"
    for container in containers_of(template):
        security = mapping(container, "securityContext")
        if security.get("privileged") is True:
            yield f"privileged: true in container {container.get('name')}"
        added = [one for one in texts_of(mapping(security, "capabilities"), "add") if one not in _BASIC_CAPABILITIES]
        if added:
            yield f"capabilities {', '.join(added)} in container {container.get('name')}"
        ports = [str(port["hostPort"]) for port in entries_of(container, "ports") if port.get("hostPort")]
        if ports:
            yield f"hostPort {', '.join(ports)}"


def _beyond_restricted(template: Mapping[str, Any]) -> Iterator[str]:
    spec = mapping(template, "spec")
    of_pod, containers = mapping(spec, "securityContext"), list(containers_of(template))
    contexts = [mapping(container, "securityContext") for container in containers]
    for volume in entries_of(spec, "volumes"):
        kinds = volume.keys() - {"name"} - _VOLUMES - {"hostPath"}
        if kinds:
            yield f"a volume of type {', '.join(sorted(kinds))}"
    if any(one.get("runAsNonRoot", of_pod.get("runAsNonRoot")) is not True for one in contexts):
        yield "no runAsNonRoot: true"
    if any(one.get("runAsUser", of_pod.get("runAsUser")) == 0 for one in contexts):
        yield "runAsUser: 0"
    if any(one.get("allowPrivilegeEscalation") is not False for one in contexts):
        yield "no allowPrivilegeEscalation: false"
    if any("ALL" not in texts_of(mapping(one, "capabilities"), "drop") for one in contexts):
        yield "no capabilities: {drop: [ALL]}"
    if any(mapping(_first(one, of_pod), "seccompProfile").get("type") not in tuple(_PROFILES) for one in contexts):
        yield "no seccompProfile of type RuntimeDefault"


def _first(own: Mapping[str, Any], of_pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """Whose seccomp profile counts: the container's, or else the pod's."""
    return own if mapping(own, "seccompProfile") else of_pod
