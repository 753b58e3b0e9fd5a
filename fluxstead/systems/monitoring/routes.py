"""Where people reach Grafana, Prometheus and Alertmanager, and what these are told about it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from fluxstead.core.shape import at
from fluxstead.systems.monitoring.names import grafana_service, stack_name
from fluxstead.systems.monitoring.settings import MonitoringSettings
from fluxstead.systems.monitoring.values import Reached
from fluxstead.tree.asks import Route, Router


def routes_of(settings: MonitoringSettings) -> Iterator[Route]:
    """The described ways in. Grafana asks who comes in; the other two ask nobody anything."""
    grafana, prometheus, alertmanager = settings.grafana.route, settings.prometheus.route, settings.alertmanager.route
    to = partial(Route, namespace=settings.namespace, layer="monitoring-routes", group="monitoring")
    stack = stack_name(settings.release_name)
    if grafana:
        yield to(
            name="grafana",
            service=grafana_service(settings.release_name),
            port=80,
            host=grafana.host,
            path=grafana.path,
            source=grafana.source,
            optional="route" not in settings.grafana.model_fields_set,
            access=grafana.access,
            asks_itself=not _lets_everybody_in(settings),
            at_stake="it shows everything that is measured here" if _lets_everybody_in(settings) else "",
        )
    if prometheus:
        yield to(
            name="prometheus",
            service=f"{stack}-prometheus",
            port=9090,
            host=prometheus.host,
            path=prometheus.path,
            source=prometheus.source,
            access=prometheus.access,
            at_stake="it tells everything that runs here",
        )
    if alertmanager:
        yield to(
            name="alertmanager",
            service=f"{stack}-alertmanager",
            port=9093,
            host=alertmanager.host,
            path=alertmanager.path,
            source=alertmanager.source,
            access=alertmanager.access,
            at_stake="it can silence every alert",
        )


def _lets_everybody_in(settings: MonitoringSettings) -> bool:
    """Whether values tell Grafana to ask nobody, or to believe what a header says."""
    grafana = settings.values.get("grafana")
    told = [at(grafana, ("grafana.ini", section, "enabled")) for section in ("auth.anonymous", "auth.proxy")]
    told += [at(grafana, ("env", name)) for name in ("GF_AUTH_ANONYMOUS_ENABLED", "GF_AUTH_PROXY_ENABLED")]
    return any(str(one).lower() == "true" for one in told)


def reached_by(router: Router | None, settings: MonitoringSettings) -> dict[str, Reached]:
    """The addresses that people use, by what they reach there; empty in a cluster without a way in."""
    return {route.name: Reached(router.link(route).url, route.path) for route in routes_of(settings)} if router else {}
