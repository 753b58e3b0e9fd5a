"""Mistakes in what applications mount, open, tolerate and run as."""

from __future__ import annotations

from tests.rules.mistakes import K1, STACK, Mistake, edge, reference

_BEFORE = "    - name: whoami\n"


def _app(id_: str, at: str, *lines: str, beside: str = "", more: str = "") -> Mistake:
    """One more application of the second cluster, with these lines."""
    head = ("- name: box", "  image: registry.example.test/box", f"  environments: [{{name: live, tag: 1.0.0{more}}}]")
    text = "".join(f"    {line}\n" for line in (*head, *(f"  {line}" for line in lines)))
    return edge(id_, at, (_BEFORE, text + _BEFORE), beside=beside)


_READ_ONLY = "volume: {size: 1Gi, mountPath: /media, readOnly: true}"
_SHARED = "volume: {size: 1Gi, mountPath: /media, accessMode: ReadWriteMany}"
_ALPHA = "nodeSelector: {kubernetes.io/hostname: alpha}"
_MQTT, _LAN = "ports: [{name: mqtt, port: 1883}]", "allow: {ingress: [{cidr: 10.20.0.0/24}]}"
_STICK = "devices: [{hostPath: /dev/serial/by-id/usb-Stick-if00}]"
_CHART = "    - name: tides\n      chart: {name: tides, repository: https://charts.example.test, version: 1.0.0%s}\n%s"
_LIVE, _GIVEN = "      environments: [{name: live}]\n", "secrets/missing"
_PRIVILEGED = "applications/privileged"

OF_APPLICATIONS = (
    _app("applications/below-read-only", "/media/app.ini", _READ_ONLY, "files: {/media/app.ini: x}"),
    _app("applications/below-read-only", "/app.ini/x", "files: {/app.ini: x, /app.ini/x: z}"),
    _app("applications/mounted-twice", "/media: x", "volume: {size: 1Gi, mountPath: /media}", "files: {/media: x}"),
    _app(
        "applications/class-not-shared",
        "local-path",
        _SHARED.replace("1Gi", "1Gi, storageClass: local-path"),
        beside="longhorn/no-backups",
    ),
    _app("applications/files-too-big", "files:", f"files: {{/app.ini: {'x' * 1048577}}}"),
    _app("applications/volume-name", "name: tmp", "volumes: [{name: tmp, size: 1Gi, mountPath: /x}]"),
    _app("applications/name-twice", "port: 2", "ports: [{name: a, port: 1}, {name: a, port: 2}]"),
    _app("applications/port-twice", "name: b", "ports: [{name: a, port: 1}, {name: b, port: 1}]"),
    _app("applications/no-such-port", "probes:", "probes: {liveness: /alive}"),
    _app("applications/no-such-port", "metrics:", "port: 80", "metrics: {port: admin}"),
    _app("applications/nothing-first", "migrate", "initContainers: [{name: migrate}]"),
    _app("applications/init-image", "busybox", "initContainers: [{name: wait, image: busybox}]"),
    _app("applications/init-image", "Busybox", "initContainers: [{name: wait, image: Busybox:1.36.1}]"),
    _app("applications/toleration", "Exists", "tolerations: [{key: a, operator: Exists, value: b}]"),
    _app("applications/tolerates-nothing", "tolerations", "tolerations: [{key: dedicated, value: gpu}]"),
    _app("applications/two-users", "runAsUser: 5", "runAsRoot: {reason: s6}", "runAsUser: 5"),
    _app("applications/runs-as-root", "runAsRoot", "runAsRoot: {reason: s6}"),
    _app("applications/device-anywhere", "devices", _STICK, beside=_PRIVILEGED),
    _app(_PRIVILEGED, "devices", _STICK, _ALPHA),
    _app(
        "applications/moving-device",
        "ttyUSB0",
        "devices: [{hostPath: /dev/ttyUSB0}]",
        _ALPHA,
        beside=_PRIVILEGED,
    ),
    _app(
        "applications/device-of-many",
        "replicas: 2",
        _STICK,
        _ALPHA,
        beside=_PRIVILEGED,
        more=", replicas: 2",
    ),
    edge(
        _PRIVILEGED,
        "podSecurity",
        (_BEFORE, _CHART % (", podSecurity: privileged", "      environments: [{name: live}]\n") + _BEFORE),
    ),
    edge(
        "applications/chart-twice",
        "repository",
        (_BEFORE, _CHART.replace("https://charts.example.test", "oci://charts.example.test/tides") % ("", _LIVE) + _BEFORE),
    ),
    *(
        edge(
            "applications/unnamed-secret", "tides-login", (_BEFORE, _CHART % ("", f"      {key}\n{_LIVE}") + _BEFORE), beside=_GIVEN
        )
        for key in ("secrets: [tides-login]", "imagePullSecrets: [tides-login]")
    ),
    edge(
        "applications/two-forms",
        "tag: 1.0.0",
        (_BEFORE, _CHART % ("", "      environments: [{name: live, tag: 1.0.0}]\n") + _BEFORE),
    ),
    edge(
        "applications/two-forms",
        "env:",
        (_BEFORE, _CHART % ("", "      environments: [{name: live}]\n      env: {A: b}\n") + _BEFORE),
    ),
    edge("applications/two-forms", "values:", ("tag: 4.2.0", "tag: 4.2.0\n          values: {a: 1}")),
    _app(
        "applications/device-of-many",
        "spare",
        _STICK,
        _ALPHA,
        beside=_PRIVILEGED,
        more="}, {name: spare, tag: 1.0.0",
    ),
    _app("applications/no-such-port", "nodePorts", _ALPHA, more=", nodePorts: {mqtt: 31883}"),
    _app("applications/nobody-let-in", "nodePorts", _MQTT, _ALPHA, more=", nodePorts: {mqtt: 31883}"),
    _app(
        "applications/port-twice",
        "nodePorts",
        "ports: [{name: a, port: 1}, {name: b, port: 2}]",
        _ALPHA,
        _LAN,
        more=", nodePorts: {a: 30018, b: 30018}",
    ),
    _app("applications/nobody-let-in", "loadBalancer", _MQTT, _ALPHA, more=", loadBalancer: [mqtt]"),
    _app("applications/answers-at-one-machine", "nodePorts", _MQTT, _LAN, more=", nodePorts: {mqtt: 31883}"),
    _app("applications/no-way-in", "cidr", _MQTT, _LAN),
    _app("applications/one-sided", "wiki-live", "allow: {egress: [{namespace: wiki-live}]}"),
    edge(
        "applications/long-name",
        f"name: {'t' * 54}",
        (_BEFORE, _CHART.replace("name: tides\n", f"name: {'t' * 54}\n") % ("", "      environments: [{name: live}]\n") + _BEFORE),
        beside="tree/schema",
    ),
    _app("applications/named-secret", "/app.ini", "files: {/app.ini: 'password = hunter22'}"),
    reference(
        "applications/nfs-client",
        "accessMode",
        (K1, "state: live\n", "state: live\nprepare: false\n"),
        (STACK, "      viewers: developers # our choice\n", f"      viewers: developers\n      {_SHARED}\n"),
    ),
)
