"""Which kinds are asked for, and that there was no answer: all that is to be known of the API without what asks it."""

from __future__ import annotations

from typing import NamedTuple


class Unanswered(Exception):  # noqa: N818 -- said to people as it is
    """The API gave no answer that can be used; the text says why and what to do. It holds no login and no value of a Secret."""


class Refused(Unanswered):
    """The API answered no, and will again: it is not allowed, or not valid."""


class Conflict(Unanswered):
    """Somebody else was there first: it exists, or was changed since it was read."""


class Resource(NamedTuple):
    """A kind, by the path under which the API serves it: `apis/apps/v1` and `deployments`. `within`: of one namespace alone."""

    base: str
    plural: str
    namespaced: bool = True
    within: str = ""


MACHINES = Resource("api/v1", "nodes", namespaced=False)
NAMESPACES = Resource("api/v1", "namespaces", namespaced=False)
SECRETS = Resource("api/v1", "secrets")
CONFIG_MAPS = Resource("api/v1", "configmaps")
CLAIMS = Resource("api/v1", "persistentvolumeclaims")
VOLUMES = Resource("api/v1", "persistentvolumes", namespaced=False)
CLASSES = Resource("apis/storage.k8s.io/v1", "storageclasses", namespaced=False)
DEPLOYMENTS = Resource("apis/apps/v1", "deployments")
STATEFUL_SETS = Resource("apis/apps/v1", "statefulsets")
DAEMON_SETS = Resource("apis/apps/v1", "daemonsets")
JOBS = Resource("apis/batch/v1", "jobs")
DEFINITIONS = Resource("apis/apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False)
LEASES = Resource("apis/coordination.k8s.io/v1", "leases")
