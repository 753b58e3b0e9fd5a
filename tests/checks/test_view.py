"""The tree as Flux sees it, where another source comes in."""

from __future__ import annotations

from fluxstead.checks.store import TextStore
from fluxstead.checks.view import view_of
from tests.checks.planted import WEB, layer


def test_the_root_of_another_source_is_not_ours() -> None:
    """Taken for ours, everything would be applied a second time, and wait for itself."""
    files = layer("web", WEB)
    charts = files["clusters/home/web.yaml"].replace("name: web,", "name: charts,").replace("./web", "./")
    files["clusters/home/charts.yaml"] = charts.replace("GitRepository, name: flux-system", "OCIRepository, name: charts")
    view = view_of(TextStore(files), ["clusters/home"])
    assert view.partial
    assert [unit.key for unit in view.units.values() if unit.elsewhere] == ["flux-system/charts"]
    assert len(list(view.of("Namespace"))) == 1
