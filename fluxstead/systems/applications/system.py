"""What applications say of themselves."""

from __future__ import annotations

from fluxstead.checks.subject import planned
from fluxstead.core.findings import Severity
from fluxstead.system import System

APPLICATIONS = System(
    name="applications",
    key="apps",
    does="the applications, a layer for each environment",
    checks=(
        planned("applications/autoscaling-range", "U7", "minReplicas 5 is above maxReplicas 3"),
        planned("applications/autoscaling-without-metrics", "U9", "`web-prod` scales by CPU, and metrics-server is switched off"),
        planned("applications/autoscaling-without-request", "U9", "`web-prod` scales by CPU and requests none"),
        planned("applications/bad-tag", "F4", "'1 2' is not a tag"),
        planned("applications/budget", "U7", "the budget of `web-prod` has to say one of minAvailable and maxUnavailable"),
        planned("applications/budget-blocks-drains", "F18", "the budget of `web-prod` lets none of its 2 pods go"),
        planned("applications/long-name", "U7", "`…` has 70 characters"),
        planned("applications/mutable-tag", "F23", "`web-prod` runs the tag latest"),
        planned(
            "applications/name-taken", "F8", "environment `prod` of `web` is the layer `web-prod`, which is already described at …"
        ),
        planned("applications/no-environment", "U7", "application `web` has no environment"),
        planned("applications/no-image", "U7", "application `web` has neither an image nor a path"),
        planned("applications/path-taken", "F8", "application `web` is to be reconciled from generated/web"),
        planned("applications/peer", "U7", "a peer has to be one of cidr and namespace"),
        planned(
            "applications/plain-secret",
            "F22",
            "the variable API_TOKEN looks like a secret, and its value stands here in plain text",
        ),
        planned("applications/request-above-limit", "U7", "512Mi of memory requested, above the limit of 256Mi"),
        planned("applications/reserved-namespace", "U7", "the namespace `kube-web` belongs to Kubernetes or Flux"),
        planned("applications/route-without-port", "F21", "`web-prod` has a route, and `web` listens on no port"),
        planned("applications/service-name", "U7", "no Service can be called `1web`"),
        planned("applications/shared-volume", "F1", "`web-prod` has a volume and up to 2 pods"),
        planned("applications/tag-in-image", "F23", "the image registry.example/web:1 carries a tag or a digest"),
        planned("applications/two-forms", "U7", "application `web` has a path, and beside it image"),
        planned("applications/two-sizes", "U9", "`web-prod` has replicas beside autoscaling"),
        planned("applications/moving-tag", "F23", "the tag edge of `web-prod` sounds like one that moves", Severity.WARNING),
        planned("applications/budget-of-one", "F18", "`web-prod` has a budget and 1 pod", Severity.WARNING),
    ),
)
