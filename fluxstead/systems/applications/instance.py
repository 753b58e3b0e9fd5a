"""An application in one environment: what both say, combined."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from fluxstead.core.findings import Source
from fluxstead.core.names import bounded
from fluxstead.core.quantity import Quantity
from fluxstead.systems.applications.settings import Application, Environment, Resources, Volume


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
    def volume(self) -> Volume | None:
        """The volume, if there is one."""
        return self.environment.volume or self.app.volume

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
