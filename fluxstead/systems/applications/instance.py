"""An application in one environment: what both say, combined."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

from fluxstead.core.findings import Source
from fluxstead.core.names import bounded
from fluxstead.core.quantity import Quantity
from fluxstead.systems.applications.mounts import Volume
from fluxstead.systems.applications.parts import HTTP
from fluxstead.systems.applications.settings import Application, Environment, Resources

DATA = "data"
"""What a pod calls the volume of `volume`."""


class Claimed(NamedTuple):
    """A volume: what the pod calls it, the name of its claim, and what is described of it."""

    name: str
    claim: str
    volume: Volume


class Instance(NamedTuple):
    """An application in one environment. `name` is that of its layer and of its namespace."""

    app: Application
    environment: Environment
    name: str

    @property
    def source(self) -> Source:
        """Where the environment is described."""
        return self.environment.source

    @property
    def access_layer(self) -> str:
        """The name of the layer with its namespace, and with what Flux acts as in it."""
        return bounded(f"{self.name}-access")

    @property
    def resources(self) -> Resources:
        """What each pod gets."""
        return self.environment.resources or self.app.resources

    @property
    def volumes(self) -> tuple[Claimed, ...]:
        """Its volumes. The claim of `volume` has the application's name, and those of `volumes` add theirs."""
        first = self.environment.volume or self.app.volume
        named = {volume.name: volume for volume in (*self.app.volumes, *self.environment.volumes)}
        return (
            *((Claimed(DATA, self.app.name, first),) if first else ()),
            *(Claimed(name, f"{self.app.name}-{name}", volume) for name, volume in named.items()),
        )

    @property
    def single(self) -> bool:
        """Whether only one pod at a time can have what it has: a volume of one machine, or a device."""
        return any(device.exclusive for device in self.app.devices) or any(not one.volume.shared for one in self.volumes)

    @property
    def files(self) -> dict[str, str]:
        """The config files by their paths."""
        return self.app.files | self.environment.files

    @property
    def ports(self) -> tuple[tuple[str, int, str], ...]:
        """Name, number and protocol of each port that it listens on."""
        own = ((HTTP, self.app.port, "TCP"),) if self.app.port else ()
        return (*own, *((one.name, one.port, one.protocol) for one in self.app.ports))

    @property
    def metrics_port(self) -> int | None:
        """The number of the port with its metrics; None without such a port, or without metrics."""
        metrics = self.app.metrics
        if metrics is None or metrics.port is None:
            return self.app.port if metrics else None
        return next((one.port for one in self.app.ports if one.name == metrics.port), None)

    @property
    def node_selector(self) -> dict[str, str]:
        """The labels of the machines that may run it."""
        own = self.environment.node_selector
        return (self.app.node_selector or {}) if own is None else own

    @property
    def pod_security(self) -> Literal["restricted", "baseline", "privileged"]:
        """The strictest Pod Security Standard that its pods keep to."""
        if self.app.chart:
            return self.app.chart.pod_security
        if self.app.devices:
            return "privileged"
        return "baseline" if self.app.run_as_root else "restricted"

    @property
    def viewers(self) -> str | None:
        """The group that may look into the namespace."""
        return self.environment.viewers or self.app.viewers

    @property
    def secrets(self) -> tuple[str, ...]:
        """The Secrets whose keys become environment variables."""
        return tuple(dict.fromkeys((*self.app.secrets, *self.environment.secrets)))

    @property
    def online(self) -> bool:
        """Whether pods are meant to run."""
        return self.environment.state == "online"

    @property
    def fewest(self) -> int:
        """The fewest pods there are while it is online."""
        scaling = self.environment.autoscaling
        if scaling:
            return scaling.min_replicas
        return 1 if self.environment.replicas is None else self.environment.replicas

    @property
    def most(self) -> int:
        """The most pods there are."""
        scaling = self.environment.autoscaling
        return scaling.max_replicas if scaling else self.fewest


def instances(app: Application) -> list[Instance]:
    """The application in each of its environments."""
    return [Instance(app, environment, f"{app.name}-{environment.name}") for environment in app.environments]


@lru_cache(maxsize=4096)
def times(quantity: Quantity, factor: int) -> str:
    """`quantity` taken `factor` times, in its own unit."""
    return f"{(quantity.number * factor).normalize():f}{quantity.unit}"
