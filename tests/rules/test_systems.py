"""Each system stands in one list, and says all that others know of it: nothing else names it."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from fluxstead import embedded
from fluxstead.catalog.brings import Brings, Part, kinds
from fluxstead.catalog.chart import Chart, Charts, SecretName
from fluxstead.catalog.other_charts import OTHER_CHARTS
from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import read_applied_tree
from fluxstead.checks.reading.store import TextStore
from fluxstead.checks.registry import OF_TREES
from fluxstead.checks.rule import Rule, run
from fluxstead.checks.system_facts import RouteKind, Storage, SystemFacts
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source
from fluxstead.description.cluster import Cluster
from fluxstead.roster import SYSTEMS
from fluxstead.system import System
from fluxstead.systems import ingress, monitoring
from fluxstead.systems.ingress.settings import IngressSettings
from fluxstead.systems.monitoring.settings import MonitoringSettings
from fluxstead.tree.asks import AlertRules, Dashboard, Route, Scrape
from fluxstead.tree.layer import Layer, Plan, groups_of
from fluxstead.tree.resolve import layers_of, resolved
from tests.checks.planted import HOME, WEB, kept, layer, obj, release
from tests.conftest import REFERENCE, REPOSITORY, examples
from tests.volumes import VOLUMES

HERE = Source("Pulumi.home.yaml", 7)
OF_THE_CLUSTER = {"flux", "kubernetes", "accept", "secrets"}
CHARTS = (*(chart for system in SYSTEMS for chart in system.charts), *OTHER_CHARTS)
# An API group, and a part of k3s, have these names too.
NAMES = sorted({name for chart in CHARTS for name in (chart.name, *chart.former_names)} - {"cert-manager", "metrics-server"})


def test_no_check_and_no_rule_of_the_order_names_a_system_or_its_charts() -> None:
    """What is to be known of one stands in its slice, so that the next one touches no check."""
    assert {"longhorn", "traefik", "ingress-nginx", "kube-prometheus-stack"} <= set(NAMES)
    named = re.compile("|".join((*NAMES, "nginx")), re.IGNORECASE)
    files = [path for folder in ("checks", "tree") for path in (REPOSITORY / "fluxstead" / folder).rglob("*.py")]
    assert len(files) > 60
    found = {f"{path.name}: {one}" for path in files for one in named.findall(path.read_text())}
    assert not found


def test_the_list_has_each_slice_and_the_description_a_key_for_each() -> None:
    """What types need written out is held to be the list's; lines of the program are held in `test_rules.py`."""
    assert {system.key for system in SYSTEMS if system.key} == Cluster.model_fields.keys() - OF_THE_CLUSTER
    slices = {path.name for path in (REPOSITORY / "fluxstead/systems").iterdir() if (path / "system.py").is_file()}
    assert {system.name for system in SYSTEMS} == slices


def test_the_page_lists_each_system() -> None:
    """docs/systems.md holds this table."""
    rows = ["| system | in the stack file | charts | what it is |", "| --- | --- | --- | --- |"]
    for system in SYSTEMS:
        key = f"`{system.key}`" if system.key else "none"
        charts = ", ".join(f"`{chart.name}`" for chart in system.charts) or "none"
        rows.append(f"| {system.name.replace('_', ' ')} | {key} | {charts} | {system.does} |")
    table = "\n".join(rows)
    assert (REPOSITORY / "docs/systems.md").read_text().endswith(table + "\n"), f"docs/systems.md should end with\n{table}"


@examples(0.08, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=st.randoms(use_true_random=False))
@pytest.mark.parametrize(
    ("root", "stack"),
    [pytest.param(REPOSITORY, REFERENCE, marks=pytest.mark.reference), (REPOSITORY / "examples/edge", "edge")],
)
def test_the_order_of_pass_ones_lines_decides_nothing(
    root: Path, stack: str, random: Random, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes, whichever system is planned first."""
    expected = files_of(root, stack)
    module = ast.parse((REPOSITORY / "__main__.py").read_text())
    places = [number for number, line in enumerate(module.body) if ast.unparse(line).startswith("program.add(")]
    assert len(places) == len(SYSTEMS)
    shuffled = [module.body[number] for number in places]
    random.shuffle(shuffled)
    for number, line in zip(places, shuffled, strict=True):
        module.body[number] = line
    program = tmp_path / "program.py"
    program.write_text(ast.unparse(module))
    monkeypatch.setattr(embedded, "PROGRAM", program)
    assert files_of(root, stack) == expected


def files_of(root: Path, stack: str) -> dict[str, str]:
    """The tree's files."""
    assembled = embedded.run_program(root, stack).assembled
    assert assembled is not None
    return assembled.files


DEEP = refuses("queues/deep", "U7", "Queue web/q is deep")


def _deep(context: CheckContext) -> list[Finding]:
    queues = [item for item in context.tree.of("Queue") if item.spec.get("depth", 0) > 100]
    return [DEEP(item.source, what=f"{item} is deep", why="…", fix="depth: 100") for item in queues]


QUEUES = System(
    name="queues",
    key="queues",
    does="a made-up system",
    charts=(
        Chart(
            name="queues",
            title="Queues",
            parts=(Part((2, 0), Brings(crds=kinds("queues.example", "Queue Door"), storage_classes=frozenset({"queued"}))),),
            single=True,
            holds_volumes="its own way to go",
            secrets=lambda values: (SecretName(values.get("login"), ("user",)),),
            inert_kinds=frozenset({"Queue", "Door"}),
        ),
    ),
    storage=Storage(provisioner="queues.example", disks="Shelf.queues.example"),
    routes=(RouteKind(kind="Door", groups=frozenset({"queues.example"}), rules="doors", backends="leadTo"),),
    rules=(Rule(_deep, (DEEP,)),),
)
WITH_QUEUES = SystemFacts(
    charts=Charts(QUEUES.charts), storages=(QUEUES.storage,) if QUEUES.storage else (), routes=QUEUES.routes, copies=QUEUES.copies
)
QUEUE = obj("Queue", "web/q", "spec: {depth: 5}", "queues.example/v1")


@pytest.mark.parametrize(
    ("files", "found"),
    [
        # Its own check.
        (layer("web", WEB, QUEUE.replace("depth: 5", "depth: 500")), "queues/deep"),
        # The order of its kinds, by its chart's table.
        (layer("web", WEB, release("web/queues", "queues", "2.1.0"), QUEUE), "coldstart/stuck"),
        # A Secret that its chart's values name.
        (layer("web", WEB, release("web/queues", "queues", "2.1.0", ", values: {login: key}")), "references/missing-secret"),
        (
            layer("web", WEB, release("web/queues", "queues", "2.1.0"), release("web/q2", "queues", "2.1.0")),
            "ownership/two-releases",
        ),
        (
            layer("web", WEB, obj("Door", "web/d", "spec: {doors: [{leadTo: [{name: sit}]}]}", "queues.example/v1")),
            "missing-service",
        ),
        # What holds volumes is not pruned, and Helm does not roll it back.
        (layer("web", kept(WEB), release("web/queues", "queues", "2.1.0")), "storage/prunable"),
        (
            layer("web", WEB, release("web/queues", "queues", "2.1.0", ", upgrade: {remediation: {retries: 3}}")),
            "storage/remediation",
        ),
    ],
)
def test_a_made_up_system_is_known_to_every_check_by_what_it_says(files: dict[str, str], found: str) -> None:
    applied = read_applied_tree(TextStore(files), ["clusters/home"])
    context = CheckContext(tree=applied, facts=WITH_QUEUES, platform=HOME)
    ids = ids_of(context, (*OF_TREES, *QUEUES.rules))
    assert any(one.endswith(found) for one in ids), ids
    nobodys = CheckContext(tree=applied, facts=SystemFacts(charts=Charts(())), platform=HOME)
    without = ids_of(nobodys, OF_TREES)
    assert not any(one.endswith(found) for one in without), without


def ids_of(context: CheckContext, rules: Sequence[Rule[CheckContext]]) -> set[str]:
    return {said.id for said in run(context, rules) if isinstance(said, Finding)}


def test_what_a_made_up_system_asks_is_answered_by_the_owners() -> None:
    """A route in a layer of its own, one in the system's layer; metrics, alerts and a dashboard; nothing is written for it here."""
    nginx = IngressSettings.model_validate({"controller": "ingress-nginx", "version": "4.12.3"})
    router = ingress.router_of(nginx, HOME, ())
    stack = MonitoringSettings.model_validate({"version": "75.6.0", "grafana": {"route": None}})
    way = Route(name="q", namespace="web", service="q", port=80, source=HERE, layer="queues-routes", group="queues")
    plans = {
        "queues": Plan(
            layers=(Layer(name="queues", group="queues", source=HERE),),
            routes=(way, way._replace(name="inside", layer="queues", path="/in")),
            scrapes=(Scrape(name="q", namespace="web", labels={"app": "q"}, port="metrics", source=HERE),),
            alerts=(AlertRules(name="q", source=HERE, rules=({"alert": "Deep", "expr": "q > 1"},)),),
            dashboards=(Dashboard(name="q", source=HERE, model={"title": "Queues"}),),
        ),
        "ingress": ingress.plan(nginx, HOME, router),
        "monitoring": monitoring.plan(stack, HOME, router, VOLUMES._replace(default_class="fast"), ()),
    }
    answered = resolved(plans)
    objects = {layer.name: {str(one.ref) for one in layer.manifests} for plan in answered.values() for layer in plan.layers}
    assert objects["queues-routes"] == {"Ingress web/q"}
    assert objects["queues"] == {"Ingress web/inside"}
    assert {"ServiceMonitor.monitoring.coreos.com monitoring/q", "ConfigMap monitoring/dashboard-q"} <= objects[
        "monitoring-scrapes"
    ]
    assert "PrometheusRule.monitoring.coreos.com monitoring/q" in objects["monitoring-scrapes"]
    assert [link.url for link in answered["queues"].links] == ["http://localhost:30080/", "http://localhost:30080/in"]
    layers = layers_of(answered)
    assert [layer.name for layer in layers].index("queues-routes") > [layer.name for layer in layers].index("ingress-nginx")
    assert groups_of(layers) == ["infrastructure", "monitoring", "queues"]
