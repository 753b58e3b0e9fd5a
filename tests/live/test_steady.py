"""A layer that Flux only applies again is well; one that stays so is not."""

from __future__ import annotations

import pytest

from fluxstead.assembly import Assembled
from tests.live.spoilt import Spoil, together
from tests.live.spoilt_flux import again
from tests.live.world import World, condition, roots_of

pytestmark = pytest.mark.reference
NOW, EARLIER = "2026-11-27T23:59:50Z", "2026-11-27T23:50:00Z"
IN_PROGRESS = ("Progressing", "Reconciliation in progress")


def waits(name: str, of: str) -> Spoil:
    """A layer that was looked at while another was being applied."""

    def change(world: World) -> None:
        [one] = [one for one in world["kustomizations"] if one["metadata"]["name"] == name]
        says = f"dependency 'flux-system/{of}' is not ready"
        one["spec"]["dependsOn"] = [{"name": of}]
        one["status"]["conditions"] = [
            condition("Ready", "False", reason="DependencyNotReady", message=says, lastTransitionTime=NOW)
        ]

    return change


def test_a_layer_that_is_applied_again_is_well_and_so_is_what_waits_for_it(assembled: Assembled) -> None:
    assert roots_of(assembled, together(again(*IN_PROGRESS, NOW), waits("longhorn-routes", "dns"))) == []


@pytest.mark.parametrize(
    "change", [again(*IN_PROGRESS, EARLIER), again(*IN_PROGRESS, NOW, "main@sha1:0")], ids=["for long", "a new revision"]
)
def test_otherwise_it_is_told_once(assembled: Assembled, change: Spoil) -> None:
    [root] = roots_of(assembled, together(change, waits("longhorn-routes", "dns")))
    assert (str(root.trouble.subject), root.trouble.gravity) == ("layer dns", "warning")
    assert [str(one.subject) for one in root.explains] == ["layer longhorn-routes"]
