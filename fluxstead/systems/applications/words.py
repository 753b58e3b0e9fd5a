"""Words that people know from Kubernetes and Compose, and what says the same here: spelling alone would lead somewhere else."""

from __future__ import annotations

from collections.abc import Mapping

_OWN = "path: with a directory of your own manifests: nothing else can say this"
_COMMAND = "command: and args:, as in Kubernetes"
_CONTAINER = f"image:, command:, args: and env: of the one container; for several, {_OWN}"
_LIMITS = "resources: {limits: {cpu: …, memory: …}}"
_PROBES = "probes: {readiness: /…, liveness: /…, startup: 1m}"
_ROUTE = "environments: with route: {host: …}"
_USER = "runAsUser:, runAsRoot: {reason: …} or readOnlyRootFilesystem: false"
_VOLUMES = "volume: {size: …, mountPath: …}, or volumes:"

OF_APPLICATIONS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("affinity", "capabilities", "cap_add", "cronJob", "daemonSet", "dnsConfig", "dnsPolicy", "hostAliases", "hostIPC"),
            *("hostNetwork", "hostPID", "hostPath", "initialDelaySeconds", "job", "kind", "lifecycle", "network_mode", "nfs"),
            *("podAnnotations", "podLabels", "priorityClassName", "privileged", "runtimeClassName", "schedule", "shm_size"),
            *("sidecar", "sidecars", "smb", "statefulSet", "strategy", "sysctls", "terminationGracePeriodSeconds", "tmpfs"),
            *("topologySpreadConstraints", "updateStrategy"),
        ),
        _OWN,
    ),
    **dict.fromkeys(("container", "containers", "deployment", "pod", "services", "spec", "template"), _CONTAINER),
    **dict.fromkeys(("configMap", "configMaps", "config", "configs"), "files: with the path of each and its text"),
    **dict.fromkeys(("cpu", "cpus", "limits", "memory", "mem_limit", "requests"), _LIMITS),
    **dict.fromkeys(("domain", "host", "hostname", "hosts", "ingress", "url"), _ROUTE),
    **dict.fromkeys(("healthcheck", "livenessProbe", "readinessProbe", "startupProbe"), _PROBES),
    **dict.fromkeys(("networkPolicy", "networkPolicies", "networks"), "allow: with ingress: and egress:"),
    **dict.fromkeys(("persistence", "persistentVolumeClaim", "pvc", "storage", "volumeMounts"), _VOLUMES),
    **dict.fromkeys(("podSecurityContext", "securityContext", "user", "runAsNonRoot", "fsGroup"), _USER),
    **dict.fromkeys(("expose", "service"), "port:, and ports: for more: the Service is made from them"),
    "entrypoint": _COMMAND,
    "env_file": "env:, and secrets: for what nobody should see",
    "envFrom": "secrets: with the names of Secrets, and env: for the rest",
    "environment": "env: for variables, environments: for where it runs",
    "hpa": "environments: with autoscaling: {maxReplicas: …}",
    "namespace": "nothing: each environment has the namespace <application>-<environment>",
    "restart": "nothing: a pod that ends is always restarted",
    "restartPolicy": "nothing: a pod that ends is always restarted",
    "serviceAccountName": f"nothing: its pods have an account without a token; for rights of their own, {_OWN}",
}
"""Keys that neither an application nor an environment has, and what to write in their place."""

OF_VOLUMES: Mapping[str, str] = {
    **dict.fromkeys(("hostPath", "nfs", "smb", "cifs", "csi", "emptyDir", "server", "existingClaim"), _OWN),
    **dict.fromkeys(("claimName", "class"), "storageClass: of a claim that is made for it"),
}
OF_PORTS: Mapping[str, str] = {
    **dict.fromkeys(("containerPort", "targetPort"), "port: the one that the application listens on"),
    **dict.fromkeys(("hostPort", "nodePort"), "environments: with nodePorts: {NAME: …}"),
}
OF_ROUTES: Mapping[str, str] = {
    **dict.fromkeys(("port", "service"), "port: of the application, to which its route leads"),
    **dict.fromkeys(("annotations", "middlewares", "tls"), _OWN),
    **dict.fromkeys(("auth", "authentication", "basicAuth", "login", "oauth"), "access: {by: basic}, oidc, network or open"),
}
