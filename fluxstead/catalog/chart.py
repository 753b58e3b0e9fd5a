"""What is to be known of a Helm chart beside its files, whoever installs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fluxstead.catalog.brings import Brings, Part, of_version
from fluxstead.core.version import is_exact

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SecretName:
    """A Secret that a chart's values name and the chart does not make, and the keys that are read of it."""

    name: object
    keys: tuple[str, ...] = ()


def _as_they_are(brings: Brings, values: Values) -> Brings:
    del values
    return brings


def _no_secrets(values: Values) -> Iterable[SecretName]:
    del values
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart. What is not said of it is not known, and then nothing is refused for it."""

    name: str
    title: str = ""
    """What people call what it installs; the name where nothing is said."""
    former_names: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    """What its versions bring with the chart's default values."""
    with_values: Callable[[Brings, Values], Brings] = _as_they_are
    """What a version brings with these values: classes can be renamed, and made the default."""
    single: bool = False
    """Its custom resources are the whole cluster's, so that a second release takes them from the first (F5)."""
    gives_addresses: bool = False
    """It gives addresses to load balancers itself, beside or instead of k3s's servicelb."""
    holds_volumes: str = ""
    """How it is uninstalled on purpose, where every volume of the cluster goes with it (U10, F17)."""
    secrets: Callable[[Values], Iterable[SecretName]] = _no_secrets
    inert_kinds: frozenset[str] = frozenset()
    """Custom kinds whose objects make no pods, no Services, no ConfigMaps and no Secrets but those that they name."""

    def __str__(self) -> str:
        return self.title or self.name


class Charts:
    """The charts that are known, by their names and former names."""

    def __init__(self, charts: Iterable[Chart]) -> None:
        self._known = {name: chart for chart in charts for name in (chart.name, *chart.former_names)}
        self.inert_kinds = frozenset[str]().union(*(chart.inert_kinds for chart in self._known.values()))

    def __getitem__(self, name: str) -> Chart:
        """The chart of this name; one of which nothing is known where it is another's."""
        return self._known.get(name) or Chart(name=name)

    def brings(self, name: str, version: str) -> Brings | None:
        """What this version brings with the chart's default values.

        None for a chart that is not known, and for a version that is a range or older than all that are known. One that is newer
        than all is taken to bring what the newest does.
        """
        return of_version(version, self[name].parts) if is_exact(version) else None
