"""What the API server does not let anybody change on an object that is there, by kind and path.

Source: Kubernetes' own validation of updates, `Validate…Update` in pkg/apis/<group>/validation/validation.go; for custom resource
definitions staging/src/k8s.io/apiextensions-apiserver; for GatewayClasses the rule `self == oldSelf` in the Gateway API's CRD.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.core.quantity import Quantity
from fluxstead.core.shape import at


class _Live:
    """Stands for what the cluster itself fills in: where the files said nothing before, nobody knows what is there."""


LIVE = _Live()
ANY = _Live()
"""Stands for every value but none."""


class Fixed(NamedTuple):
    """One such field. `default`: what the API server makes of a missing one. `stays`: one that is left out is kept as it was.

    `instead`: another field for the same. `never`: a value that the cluster does not fill in. `only`, `unless`: the field and its
    value with which this holds at all, or with which it does not, before or now. `may`: keys inside that can change.
    """

    path: str
    default: object = None
    stays: bool = False
    instead: str = ""
    never: object = None
    only: tuple[str, object] | None = None
    unless: tuple[tuple[str, object], ...] = ()
    may: frozenset[str] = frozenset()


_SEALED = ("immutable", True)
# A suspended Job's template may change. One with a time to live is gone some time after it ends, and then made anew.
_JOB_MAY = (("spec.suspend", True), ("spec.ttlSecondsAfterFinished", ANY))
_IN_PODS = frozenset({"image", "tolerations", "activeDeadlineSeconds", "terminationGracePeriodSeconds", "schedulingGates"})
_ROLE = (Fixed("roleRef"),)
_SELECTOR = (Fixed("spec.selector"),)

FIXED: Mapping[tuple[str, str], tuple[Fixed, ...]] = {
    ("", "PersistentVolumeClaim"): (
        Fixed("spec.storageClassName", LIVE),
        Fixed("spec.accessModes"),
        Fixed("spec.volumeName", LIVE),
        Fixed("spec.volumeMode", "Filesystem"),
        Fixed("spec.selector"),
        Fixed("spec.dataSourceRef", instead="spec.dataSource"),
    ),
    ("", "PersistentVolume"): (
        *(Fixed(f"spec.csi.{key}") for key in ("driver", "volumeHandle", "fsType", "volumeAttributes")),
        *(Fixed(f"spec.{key}") for key in ("nfs.server", "nfs.path", "hostPath.path", "local.path", "iscsi.iqn", "iscsi.lun")),
        Fixed("spec.volumeMode", "Filesystem"),
        Fixed("spec.nodeAffinity", LIVE),
    ),
    ("", "Service"): (
        Fixed("spec.clusterIP", LIVE, stays=True, never="None", unless=(("spec.type", "ExternalName"),)),
        Fixed("spec.loadBalancerClass", LIVE, stays=True),
    ),
    ("", "ConfigMap"): tuple(Fixed(key, only=_SEALED) for key in ("data", "binaryData", "immutable")),
    ("", "Secret"): (
        Fixed("type", "Opaque"),
        Fixed("immutable", only=_SEALED),
        # What is encrypted anew is another text for the same value.
        *(Fixed(key, only=_SEALED, unless=(("sops", ANY),)) for key in ("data", "stringData")),
    ),
    ("", "Pod"): (Fixed("spec", may=_IN_PODS),),
    ("apps", "Deployment"): _SELECTOR,
    ("apps", "DaemonSet"): _SELECTOR,
    ("apps", "ReplicaSet"): _SELECTOR,
    ("apps", "StatefulSet"): (
        *_SELECTOR,
        Fixed("spec.serviceName", ""),
        Fixed("spec.podManagementPolicy", "OrderedReady"),
        Fixed("spec.volumeClaimTemplates"),
    ),
    ("batch", "Job"): (
        Fixed("spec.template", unless=_JOB_MAY),
        Fixed("spec.selector", LIVE, unless=_JOB_MAY),
        Fixed("spec.completions", LIVE, unless=(*_JOB_MAY, ("spec.completionMode", "Indexed"))),
        Fixed("spec.completionMode", "NonIndexed", unless=_JOB_MAY),
        *(Fixed(f"spec.{key}", unless=_JOB_MAY) for key in ("podFailurePolicy", "successPolicy", "managedBy")),
    ),
    ("rbac.authorization.k8s.io", "RoleBinding"): _ROLE,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _ROLE,
    ("storage.k8s.io", "StorageClass"): (
        Fixed("provisioner"),
        Fixed("parameters"),
        Fixed("reclaimPolicy", "Delete"),
        Fixed("volumeBindingMode", "Immediate"),
    ),
    ("storage.k8s.io", "VolumeAttributesClass"): (Fixed("driverName"), Fixed("parameters")),
    ("storage.k8s.io", "CSIDriver"): (Fixed("spec.attachRequired", True), Fixed("spec.volumeLifecycleModes", ["Persistent"])),  # noqa: FBT003 -- the API's default
    ("scheduling.k8s.io", "PriorityClass"): (Fixed("value", 0), Fixed("preemptionPolicy", "PreemptLowerPriority")),
    ("networking.k8s.io", "IngressClass"): (Fixed("spec.controller"),),
    ("node.k8s.io", "RuntimeClass"): (Fixed("handler"),),
    ("discovery.k8s.io", "EndpointSlice"): (Fixed("addressType"),),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (
        Fixed("spec.group"),
        Fixed("spec.scope"),
        Fixed("spec.names.kind"),
        Fixed("spec.names.plural"),
    ),
    ("gateway.networking.k8s.io", "GatewayClass"): (Fixed("spec.controllerName"),),
}

_DEFAULTS: Mapping[str, object] = {
    "apiGroup": "rbac.authorization.k8s.io",
    "apiVersion": "v1",
    "defaultMode": 420,
    "dnsPolicy": "ClusterFirst",
    "enableServiceLinks": True,
    "failureThreshold": 3,
    "hostIPC": False,
    "hostNetwork": False,
    "hostPID": False,
    "kind": "PersistentVolumeClaim",
    "periodSeconds": 10,
    "protocol": "TCP",
    "readOnly": False,
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "scheme": "HTTP",
    "successThreshold": 1,
    "terminationGracePeriodSeconds": 30,
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "timeoutSeconds": 1,
    "value": "",
    "volumeMode": "Filesystem",
}
"""What the API server makes of a missing key in a pod, a claim or a reference to a role (pkg/apis/*/v1/defaults.go)."""
_LEFT_OUT = frozenset({"status", "creationTimestamp"})
_QUANTITIES = frozenset({"limits", "requests"})
_VARIABLE = "${"


class ImmutableChange(NamedTuple):
    """A field that differs, and the key and the value of the first thing in it that does, as it is now."""

    path: str
    key: str
    value: object


def differences(group: str, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[ImmutableChange]:
    """The fields in which two states of an object differ, and must not."""
    for fixed in FIXED.get((group, kind), ()):
        if not _holds(fixed, old, new):
            continue
        was, now = (_settled(_of(fixed, obj), fixed.may) for obj in (old, new))
        first = _first(fixed.path.rpartition(".")[2], was, now)
        if first is not None:
            yield ImmutableChange(fixed.path, *first)


def _holds(fixed: Fixed, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    if fixed.only and at(old, fixed.only[0].split(".")) != fixed.only[1]:
        return False
    if any(
        (found is not None) if value is ANY else found == value for key, value in fixed.unless for found in _both(key, old, new)
    ):
        return False
    was, now = _both(fixed.path, old, new)
    if now is None and fixed.stays:
        return False
    return was is not None or fixed.default is not LIVE or (now is not None and now == fixed.never)


def _both(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Any, Any]:
    return at(old, path.split(".")), at(new, path.split("."))


def _of(fixed: Fixed, obj: Mapping[str, Any]) -> Any:
    found = at(obj, fixed.path.split("."))
    if found is None and fixed.instead:
        found = at(obj, fixed.instead.split("."))
    return fixed.default if found is None and fixed.default is not LIVE else found


def _settled(value: Any, may: frozenset[str]) -> Any:
    """As the API server has it: nothing that is empty, nothing that is there anyway, and quantities as amounts."""
    if isinstance(value, list):
        return [_settled(one, may) for one in value]
    if not isinstance(value, Mapping):
        return value
    found = {
        key: {name: _amount(amount) for name, amount in one.items()}
        if key in _QUANTITIES and isinstance(one, Mapping)
        else _settled(one, may)
        for key, one in value.items()
        if key not in may and key not in _LEFT_OUT and not _is_default(key, one, value)
    }
    return {key: one for key, one in found.items() if one is not None and one not in ({}, [])}


def _is_default(key: Any, value: Any, around: Mapping[str, Any]) -> bool:
    if key == "imagePullPolicy":
        tag = str(around.get("image")).rpartition("/")[2].partition(":")[2]
        return bool(value == ("Always" if tag in {"", "latest"} else "IfNotPresent"))
    return key in _DEFAULTS and type(value) is type(_DEFAULTS[key]) and bool(value == _DEFAULTS[key])


def _amount(value: Any) -> object:
    found = Quantity.read(str(value)) if isinstance(value, (str, int)) else None
    return found.amount if found else value


def _first(key: str, was: Any, now: Any) -> tuple[str, object] | None:
    """The first thing that differs; nothing where a variable stands in it, whose value the files may not say."""
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        pairs = ((str(one), was.get(one), now.get(one)) for one in (*now, *(was.keys() - now.keys())))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        pairs = ((key, one, other) for one, other in zip(was, now, strict=True))
    else:
        return None if was == now or _VARIABLE in f"{was}{now}" else (key, now)
    return next((found for found in (_first(*pair) for pair in pairs) if found is not None), None)
