"""From asks to layers, once the plans of all systems are together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from fluxstead.core.requirement import secret
from fluxstead.tree.asks import Gate, HostSetting, Route, Router, SecretNeed, VolumeClaim
from fluxstead.tree.layer import Layer, Plan


def resolved(plans: Mapping[str, Plan], applied: Sequence[SecretNeed] = ()) -> dict[str, Plan]:
    """The same plans with their asks resolved: the observer has its layers, and who asks for a route has its objects.

    `applied`: the needed Secrets that layers apply; the others are made by hand, or missing on purpose.
    """
    router = next((plan.router for plan in plans.values() if plan.router), None)
    routed = {name: _with_routes(_with_observed(plan, plans), router) for name, plan in plans.items()}
    by_layer = _by_layer(applied)
    return {name: _with_secrets(plan, by_layer) for name, plan in routed.items()}


def guarded(plans: Mapping[str, Plan]) -> dict[str, Plan]:
    """The same plans, without the routes that nobody wrote and nobody would guard; and with what guarding the others needs."""
    gate = next((plan.gate for plan in plans.values() if plan.gate), None)
    kept = {name: plan._replace(routes=tuple(_closed(plan.routes, gate))) for name, plan in plans.items()}
    router = next((plan.router for plan in plans.values() if plan.router), None)
    if router is None:
        return kept
    routes = tuple(chain.from_iterable(plan.routes for plan in kept.values()))
    return {name: _with_guards(plan, routes, router) for name, plan in kept.items()}


def _closed(routes: Sequence[Route], gate: Gate | None) -> Iterator[Route]:
    for route in routes:
        if not route.optional or route.asks_itself or (gate and gate.guard_of(route)):
            yield route


def _with_guards(plan: Plan, routes: Sequence[Route], router: Router) -> Plan:
    if plan.admit is None:
        return plan
    made = plan.admit(routes, router)
    return plan._replace(secrets=(*plan.secrets, *made.secrets), findings=(*plan.findings, *made.findings))


def certified(plans: Mapping[str, Plan]) -> dict[str, Plan]:
    """The same plans; whoever issues certificates has one for each route that something answers, and one for everything else."""
    router = next((plan.router for plan in plans.values() if plan.router), None)
    routes = tuple(chain.from_iterable(plan.routes for plan in plans.values()))
    return {name: _with_certificates(plan, routes, router) for name, plan in plans.items()}


def _with_certificates(plan: Plan, routes: Sequence[Route], router: Router | None) -> Plan:
    if plan.certify is None or router is None:
        return plan
    made = plan.certify(routes, router.controllers)
    return plan._replace(
        layers=(*plan.layers, *made.layers),
        secrets=(*plan.secrets, *made.secrets),
        findings=(*plan.findings, *made.findings),
    )


def backed_up(plans: Mapping[str, Plan]) -> dict[str, Plan]:
    """The same plans, with what whoever backs volumes up finds in all systems' claims."""
    claims = claims_of(plans)
    return {
        name: plan._replace(findings=(*plan.findings, *plan.keep(claims))) if plan.keep else plan for name, plan in plans.items()
    }


def claims_of(plans: Mapping[str, Plan]) -> tuple[VolumeClaim, ...]:
    """What all systems claim."""
    return tuple(chain.from_iterable(plan.claims for plan in plans.values()))


def layers_of(plans: Mapping[str, Plan]) -> list[Layer]:
    """The layers of resolved plans, as they are listed where nothing else decides: routes after the router's own layers."""
    answers = next((position for position, plan in enumerate(plans.values()) if plan.router), 0)
    placed: list[tuple[int, bool, Layer]] = []
    for position, plan in enumerate(plans.values()):
        routed = {route.layer for route in plan.routes}
        for layer in plan.layers:
            behind = layer.name in routed and position < answers
            placed.append((answers if behind else position, behind, layer))
    return [layer for _, _, layer in sorted(placed, key=lambda one: one[:2])]


def _with_observed(plan: Plan, plans: Mapping[str, Plan]) -> Plan:
    if plan.observe is None:
        return plan
    observed = plan.observe(
        tuple(chain.from_iterable(one.scrapes for one in plans.values())),
        tuple(chain.from_iterable(one.alerts for one in plans.values())),
        tuple(chain.from_iterable(one.dashboards for one in plans.values())),
    )
    return plan._replace(layers=(*plan.layers, *observed))


def _with_routes(plan: Plan, router: Router | None) -> Plan:
    if router is None:
        return plan._replace(routes=())
    if not plan.routes:
        return plan
    layers = list(plan.layers)
    # Two with one name are a mistake, which is reported later for both.
    places = {layer.name: place for place, layer in enumerate(layers)}
    for route in plan.routes:
        if route.layer not in places:
            places[route.layer] = len(layers)
            layers.append(Layer(name=route.layer, group=route.group, source=route.source))
        layer = layers[places[route.layer]]
        layers[places[route.layer]] = layer._replace(manifests=(*layer.manifests, *router.manifests(route)))
    return plan._replace(layers=tuple(layers), links=tuple(map(router.link, plan.routes)))


def needs_of(plans: Mapping[str, Plan]) -> tuple[SecretNeed, ...]:
    """The Secrets that all systems need; of one that two need in the same layer, the keys of both."""
    found: dict[tuple[str, str], SecretNeed] = {}
    for plan in plans.values():
        for need in plan.secrets:
            known = found.get((need.layer, need.qualified_name))
            found[need.layer, need.qualified_name] = known._replace(keys=(*known.keys, *need.keys)) if known else need
    return tuple(found.values())


def settings_of(plans: Mapping[str, Plan]) -> tuple[HostSetting, ...]:
    """What all systems ask of k3s's configuration."""
    return tuple(chain.from_iterable(plan.host_settings for plan in plans.values()))


def _with_secrets(plan: Plan, applied: Mapping[str, tuple[SecretNeed, ...]]) -> Plan:
    """Each layer applies what is needed in it, whoever needs it."""
    if not applied:
        return plan
    layers = (
        layer._replace(secrets=needs, offers=layer.offers | {secret(need.namespace, need.name) for need in needs})
        if (needs := applied.get(layer.name))
        else layer
        for layer in plan.layers
    )
    return plan._replace(layers=tuple(layers))


def _by_layer(needs: Sequence[SecretNeed]) -> dict[str, tuple[SecretNeed, ...]]:
    found: dict[str, list[SecretNeed]] = {}
    for need in needs:
        found.setdefault(need.layer, []).append(need)
    return {layer: tuple(of) for layer, of in found.items()}
