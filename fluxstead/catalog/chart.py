"""What there is to know about a Helm chart besides its files, whoever installs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from fluxstead.catalog.brings import Brings, Part, of_version
from fluxstead.core.duration import Duration
from fluxstead.core.version import Version

Values = Mapping[str, Any]


class SecretName(NamedTuple):
    """A Secret that a chart's values name and the chart does not create, and the keys that are read from it."""

    name: object
    keys: tuple[str, ...] = ()


class ClaimValue(NamedTuple):
    """Where a chart's values say what a claim asks for: a mapping at `path`, and in it the keys of its size and class.

    `made_by`: the `release` itself, whose claim Helm changes; a `set` of the release, whose templates never change; or an
    `operator`, which makes its set anew for changed templates and leaves the claims that are there as they are.
    """

    path: str
    made_by: Literal["release", "set", "operator"]
    size: str = "size"
    storage_class: str = "storageClass"


class MonitoredService(NamedTuple):
    """A Service that a chart makes for metrics: labels that it is found by, the names of its ports, and since when.

    `renamed_by`: the value that gives a port another name.
    """

    labels: Mapping[str, str]
    ports: frozenset[str]
    since: tuple[int, int, int]
    renamed_by: tuple[str, ...] = ("",)


class OpenUi(NamedTuple):
    """A page of a chart that asks nobody who it is, and what everybody could do there.

    `services`: the names of the Services that have it, as a pattern. `ingress`, `http_route`, `service`: the values by which the
    chart lets people in. `grave`: whether that is an error, and no warning.
    """

    name: str
    services: str
    at_stake: str
    ingress: tuple[str, ...] = ()
    http_route: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    grave: bool = False


class ChartImage(NamedTuple):
    """An image that a chart runs by default, and that was built for these architectures only, as Kubernetes calls them.

    `switch`: the value that switches it on, where it is off by default. `image`: the mapping that names another image in its place.
    `selector`: the node selector of its pods.
    """

    name: str
    architectures: frozenset[str]
    switch: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    selector: tuple[str, ...] = ()


def _as_they_are(brings: Brings, values: Values) -> Brings:
    del values
    return brings


def _no_secrets(values: Values) -> Iterable[SecretName]:
    del values
    return ()


def _not_on_the_host(values: Values) -> str:
    del values
    return ""


def _never(values: Values) -> bool:
    del values
    return False


class Chart(NamedTuple):
    """One chart. What is not stated is not known, and then nothing is refused for it."""

    name: str
    title: str = ""
    """What people call what it installs; its name by default."""
    former_names: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    """What its versions bring with the chart's default values."""
    with_values: Callable[[Brings, Values], Brings] = _as_they_are
    """What a version brings with these values: classes can be renamed or made the default."""
    single: bool = False
    """Its custom resources are cluster-wide, so a second release takes them from the first (F5)."""
    gives_addresses: bool = False
    """It assigns addresses to load balancers itself, besides or instead of k3s's servicelb."""
    holds_volumes: str = ""
    """How it is uninstalled on purpose, if every volume in the cluster goes with it (U10, F17)."""
    secrets: Callable[[Values], Iterable[SecretName]] = _no_secrets
    claims: tuple[ClaimValue, ...] = ()
    on_the_host: Callable[[Values], str] = _not_on_the_host
    """What of it needs more of its node than Pod Security baseline admits, with these values; nothing by default."""

    crds_by_helm: Callable[[Values], bool] = _never
    """Whether its CRDs come, with these values, from a folder that Helm never upgrades from."""
    monitored: tuple[MonitoredService, ...] = ()
    open_uis: tuple[OpenUi, ...] = ()
    images: tuple[ChartImage, ...] = ()
    """Those that do not exist for every architecture that k3s runs on; not what nobody has looked up."""
    takes: Duration | None = None
    """How long one of its steps may take where nothing is wrong: jobs before it, images, volumes to attach."""
    stateless: bool = False
    """Whether its release may end with all that it made: it keeps nothing, and brings no kinds of which others have objects."""
    inert_kinds: frozenset[str] = frozenset()
    """Custom kinds whose objects create no pods, Services, ConfigMaps or Secrets except those that they name."""

    def __str__(self) -> str:
        return self.title or self.name


class Charts:
    """The known charts, by their names and former names."""

    def __init__(self, charts: Iterable[Chart]) -> None:
        self._known = {name: chart for chart in charts for name in (chart.name, *chart.former_names)}
        self.address_givers = tuple(name for name, chart in self._known.items() if chart.gives_addresses)
        self.open_uis = tuple(ui for name, chart in self._known.items() if name == chart.name for ui in chart.open_uis)
        self.singles = {name: chart.name for name, chart in self._known.items() if chart.single}
        """The charts that a cluster can have only once, by their names and former names."""
        self.inert_kinds = frozenset[str]().union(*(chart.inert_kinds for chart in self._known.values()))

    def __getitem__(self, name: str) -> Chart:
        """The chart with this name; one about which nothing is known if it is not in the table."""
        return self._known.get(name) or Chart(name=name)

    def brings(self, name: str, version: str) -> Brings | None:
        """What this version brings with the chart's default values.

        None for an unknown chart, and for a version that is a range or older than all known ones. A version newer
        than all is assumed to bring what the newest does.
        """
        exact = Version.read(version)
        return of_version(exact, self[name].parts) if exact else None
