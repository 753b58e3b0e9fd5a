"""Asks: what a system wants from others, whoever they are: a way in, metrics collected, alerts, a dashboard, a Secret, k3s's keys.

Each says where in the description it comes from. A type has one owner, which turns what all systems ask for into objects once their
plans are together (`tree.resolve`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from fluxstead.core.findings import Source
from fluxstead.core.manifest import Manifest

if TYPE_CHECKING:  # what looks at secrets before each commit goes without pydantic
    from fluxstead.core.access import Access
    from fluxstead.core.backup import Backup
    from fluxstead.core.quantity import Quantity


class Route(NamedTuple):
    """One way in: requests for `host` (None: any) under `path` go to the Service's port.

    Its objects are in `layer`: one of the system's own, or one made for them, in `group`. A layer for them alone keeps its
    system from waiting for the controller. `strip_path` removes the path before the Service sees it, and redirects the bare path
    to the one with a slash, keeping host and port (failure F21: without the slash the UI is a blank page). `optional` is one that
    nobody wrote: it is left out where nothing answers for routes, and where nobody asks who comes in.

    `access`: who may come in, where the description says it here. `at_stake`: what everybody could do who comes in, since nothing
    behind it asks; such a route is never open unless it says so itself. `asks_itself`: what is behind it asks for a name and a
    password, in the header that basic authentication has. `secrets_layer`: the layer that may have Secrets of its namespace.
    `asleep`: whether nothing behind it runs, as described.
    """

    name: str
    namespace: str
    service: str
    port: int
    source: Source
    layer: str
    group: str
    host: str | None = None
    path: str = "/"
    strip_path: bool = False
    optional: bool = False
    access: Access | None = None
    at_stake: str = ""
    asks_itself: bool = False
    secrets_layer: str = ""
    asleep: bool = False


class Link(NamedTuple):
    """One thing to open in a browser."""

    name: str
    url: str


class ControllerPods(NamedTuple):
    """The pods through which requests come: their namespace, and labels that no other pods there have."""

    namespace: str
    labels: Mapping[str, str]


class CollectorPods(NamedTuple):
    """The pods that collect metrics: their namespace, and labels that no other pods there have."""

    namespace: str
    labels: Mapping[str, str]


class Router(Protocol):
    """The owner of routes. A cluster has one or none; which one follows from the description alone."""

    @property
    def controllers(self) -> tuple[ControllerPods, ...]:
        """The pods of the controller, and of a second one beside it, for network policies that let them in."""

    @property
    def tells_sources(self) -> bool:
        """Whether the controller is told from where requests come."""

    @property
    def needs_sign_in(self) -> bool:
        """Whether the controller has to be told where people log in, since it takes from who is asked no more than yes or no."""

    def manifests(self, route: Route) -> tuple[Manifest, ...]:
        """The objects that make `route` work, all in the route's namespace."""

    def link(self, route: Route) -> Link:
        """Where a person reaches `route`."""


class Issuer(Protocol):
    """The owner of certificates. A cluster has one or none; which one follows from the description alone.

    Whatever answers for routes has the certificates that it names, and never waits for them: until one is there, its own answers.
    """

    @property
    def default(self) -> str | None:
        """The Secret, in the controller's namespace, with what answers where no route's certificate does."""

    def secret_of(self, route: Route) -> str | None:
        """The Secret, in the route's namespace, with its certificate; None where it has no host, and the default answers."""


class Password(NamedTuple):
    """A name and a password, of those in the key `auth` of a Secret in the route's namespace, in htpasswd's form."""

    secret: str


class Networks(NamedTuple):
    """Only requests from these networks."""

    networks: tuple[str, ...]


class Forwarded(NamedTuple):
    """Whatever the program at `address` says of the request. `sign_in`: where people go who are not logged in.

    `redirects`: where it is asked so that it sends them there itself. `headers`: those of its answer that are passed on.
    """

    address: str
    redirects: str
    sign_in: str
    headers: tuple[str, ...] = ()


Guard = Password | Networks | Forwarded


class Gate(Protocol):
    """The owner of who may come in. A cluster has one; which one follows from the description alone."""

    def guard_of(self, route: Route) -> Guard | None:
        """What is in front of a route; None where everybody comes as far as what is behind it."""


class Scrape(NamedTuple):
    """Collect metrics from the Services in `namespace` that carry `labels`, at their port named `port`.

    `guarded_port` is the pods' port where the namespace's own network policies would keep the collector out, and one that lets it
    in has to be written; `pod_labels` are then the labels of those pods. It stays None where no policy selects them: the only
    policy that selects a pod shuts out everything that it does not name.
    """

    name: str
    namespace: str
    labels: Mapping[str, str]
    port: str
    source: Source
    path: str = "/metrics"
    guarded_port: int | None = None
    pod_labels: Mapping[str, str] | None = None


class AlertRules(NamedTuple):
    """Alert rules as a PrometheusRule holds them."""

    name: str
    source: Source
    rules: tuple[Mapping[str, Any], ...]


class Dashboard(NamedTuple):
    """What shows metrics, as a dashboard's JSON model."""

    name: str
    source: Source
    model: Mapping[str, Any]


class VolumeClaim(NamedTuple):
    """A claim that a layer makes, or a release in it, whose volume people would miss.

    `backup`: what the description says of its backups; None for what every volume has.
    `database`: the product that writes to it, where it is one.
    """

    namespace: str
    name: str
    layer: str
    storage_class: str
    size: Quantity
    source: Source
    backup: Backup | None = None
    database: str = ""
    access_mode: str = "ReadWriteOnce"

    @property
    def qualified_name(self) -> str:
        """Its namespace and its name, as it is asked for."""
        return f"{self.namespace}/{self.name}"


class Keeper(Protocol):
    """The owner of backups. A cluster has one or none; which one follows from the description alone."""

    def labels(self, storage_class: str, backup: Backup | None) -> Mapping[str, str]:
        """What a claim of this class carries, so that its volume gets these backups."""


class Volumes(NamedTuple):
    """What there is to know about volumes before there are any: the class of those that name none, and who backs them up."""

    default_class: str
    keeper: Keeper

    def class_of(self, named: str | None) -> str:
        """The class of a volume."""
        return named or self.default_class

    def labels(self, storage_class: str, backup: Backup | None) -> Mapping[str, str]:
        """What its claim carries."""
        return self.keeper.labels(storage_class, backup)


class HostSetting(NamedTuple):
    """A key of k3s's own configuration, on every machine whose role knows it.

    Of a key that takes several values, what all systems ask for is added up. `purpose`: what it is needed for. `instead`: what to
    describe for doing without.
    """

    key: str
    value: str | int | bool | tuple[str, ...]
    purpose: str
    instead: str
    source: Source


SecretForm = Literal[
    "text",
    "one line",
    "PEM",
    "Alertmanager's configuration",
    "Docker's configuration",
    "YAML",
    "htpasswd",
    "token",
    "known_hosts",
]
"""What a value has to be; `one line` has no spaces and line ends around it, which some programs refuse and others send along."""
SecretMaker = Literal["password", "token", "cookie", "htpasswd", "ssh-key", "ca"]
"""How a value that nobody has to know beforehand is made."""


class SecretKey(NamedTuple):
    """One key of a Secret. `maker`: how its value may be made; None where only people have it.

    `made_with`: the key whose maker makes this one as well.
    """

    name: str
    form: SecretForm = "text"
    maker: SecretMaker | None = None
    made_with: str = ""
    optional: bool = False
    hint: str = ""


class SecretNeed(NamedTuple):
    """A Secret that people have to give, and that the layer named `layer` applies.

    `purpose`: what does not work without it. Without `keys`, only they know which there are. `type`: Kubernetes' own.
    `shared`: those of one word here hold one value. `live`: the Secret that it is in the cluster, where that is called otherwise.
    `alone`: whoever reads it takes no other keys beside its own. `rotation`: how it is changed once it was committed, where
    whatever goes by the former value would be shut out.
    """

    namespace: str
    name: str
    layer: str
    purpose: str
    source: Source
    keys: tuple[SecretKey, ...] = ()
    type: str = "Opaque"
    shared: str = ""
    live: tuple[str, str] | None = None
    alone: bool = False
    rotation: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        """The namespace and the name that its file says."""
        return self.live or (self.namespace, self.name)

    @property
    def qualified_name(self) -> str:
        """Its namespace and its name, as it is asked for."""
        return f"{self.namespace}/{self.name}"
