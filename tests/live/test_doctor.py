"""The doctor's rules over a cluster's objects: nothing of a healthy one, and each thing that is spoilt once, at its root."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.assembly import Assembled
from fluxstead.cli.doctor import expected_of
from fluxstead.cli.formats import workflow_command
from fluxstead.live.doctor import kinds_of, overview, troubles_in
from fluxstead.live.resources import Resource
from tests.conftest import Project, examples
from tests.live.all_spoilt import PLANTED
from tests.live.around import thing
from tests.live.spoilt import begun, changed, more, says
from tests.live.spoilt_longhorn import SAME
from tests.live.world import COUNTS, FLUX, RULES, World, condition, facts_of, healthy, ready, roots_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


pytestmark = pytest.mark.reference


def test_of_a_healthy_cluster_it_says_nothing(assembled: Assembled) -> None:
    assert roots_of(assembled) == []


@pytest.mark.parametrize("planted", PLANTED)
def test_each_trouble_is_told_once_at_its_root(assembled: Assembled, planted: str) -> None:
    spoil, subject, words = PLANTED[planted]
    [root] = roots_of(assembled, spoil)
    assert str(root.trouble.subject) == subject
    assert words in root.trouble.says
    assert root.trouble.do
    assert root.trouble.means


OF_ONE = (
    ("F19 a full disk of the system", "a machine that is down", "a machine that never came"),
    (
        "Git cannot be read",
        "a layer that is behind",
        "a layer that cannot be built",
        "a layer that is not there",
        "a suspended layer",
        "Flux reads nothing",
    ),
    ("F17 a release that stopped trying", "a suspended release"),
    ("an authority without its key", "a certificate that does not come"),
    ("an image that is not there", "a machine that is down"),
    *SAME,
    ("a procedure that was cut off", "a procedure whose runner is dead"),
    ("a clock that is ahead", "a clock that is behind, on a machine that is ready"),
)
"""Of which each says another thing of the same object."""


@examples(40)
@given(
    st.lists(st.sampled_from(sorted(PLANTED)), min_size=2, max_size=5, unique=True).filter(
        lambda names: all(len(set(of) & set(names)) < 2 for of in OF_ONE)
    )
)
def test_of_several_at_once_none_is_lost_and_none_told_twice(assembled: Assembled, names: list[str]) -> None:
    """Each is a root, or follows from another that is."""
    found = roots_of(assembled, *(PLANTED[name][0] for name in names))
    said = [(one.subject, one.says) for root in found for one in (root.trouble, *root.explains)]
    assert len(said) == len(set(said))
    subjects = {str(subject) for subject, _ in said}
    above = {"a machine that never came", "a machine that is down", "a machine that is down, and all of Longhorn there"}
    above |= {"Flux reads nothing"}
    lost = {PLANTED[name][1] for name in names} - subjects
    assert not lost or above & set(names), "what a machine that is not there says is not known"


@pytest.mark.parametrize(
    ("refusal", "is_root"),
    [
        ("dry-run failed: .spec.disks.sdg1.diskUUID: field not declared in schema", True),
        ('dry-run failed: admission webhook "validator.longhorn.io" denied the request: Please disable the disk', True),
        ('dry-run failed: failed calling webhook "validator.longhorn.io": connection refused', False),
    ],
)
def test_what_the_api_refuses_does_not_follow_from_how_the_object_is(assembled: Assembled, refusal: str, is_root: bool) -> None:
    """F14 and F28 beside F15: whoever cures the disk still has the file that is refused."""
    says_it = says("kustomizations", "longhorn-node-k3s1", "False", "ReconciliationFailed", f"Node/longhorn-system/k3s1 {refusal}")
    found = roots_of(assembled, PLANTED["F15 a disk without a UUID"][0], says_it)
    assert ("layer longhorn-node-k3s1" in {str(root.trouble.subject) for root in found}) == is_root


def test_the_sentence_of_the_failure_log(assembled: Assembled) -> None:
    """Monitoring waits for storage, which waits for a disk: one trouble, with what to type, and the page."""
    [root] = roots_of(assembled, PLANTED["F15 a disk without a UUID"][0])
    held = [str(one.subject) for one in root.explains]
    assert held[:2] == ["layer longhorn-disks", "layer longhorn-disks-registered"]
    assert {"layer longhorn-storage", "layer kube-prometheus-stack", "layer monitoring-routes"} <= set(held)
    assert "longhorn-disk.cfg" in root.trouble.do
    assert root.trouble.page == "docs/tasks/longhorn-disk-cfg.md"


def test_what_gives_no_answer_is_said_and_nothing_is_made_up_of_it(assembled: Assembled) -> None:
    """A kubeconfig that may not read them."""
    facts = facts_of(healthy(assembled))
    hidden = dict.fromkeys(facts.seen, "forbidden")
    found = list(troubles_in(RULES, expected_of(assembled), facts._replace(seen={}, unanswered=hidden)))
    assert [(one.subject.kind, one.gravity) for one in found] == [("API", "error")]
    assert f"and {len({kind.resource.plural for kind in kinds_of(RULES)}) - 3} more" in found[0].subject.name


@examples(60)
@given(st.data())
def test_of_whatever_kinds_give_no_answer_nothing_is_made_up(assembled: Assembled, data: st.DataObject) -> None:
    """As where the API ends in the middle of a look: the others are well, and nothing is known of these."""
    facts = facts_of(healthy(assembled))
    kinds = sorted(facts.seen)
    hidden = data.draw(st.sets(st.sampled_from(kinds), min_size=1, max_size=len(kinds) - 1))
    seen = {one: found for one, found in facts.seen.items() if one not in hidden}
    unanswered = dict.fromkeys(sorted(hidden), "none within 10 s")
    [one] = troubles_in(RULES, expected_of(assembled), facts._replace(seen=seen, unanswered=unanswered))
    assert one.subject.kind == "API"


def test_what_one_kind_hides_is_worth_knowing(assembled: Assembled) -> None:
    """The others are seen, and said to be well."""
    facts = facts_of(healthy(assembled))
    hidden = next(one for one in facts.seen if one.plural == "orphans")
    seen = {one: found for one, found in facts.seen.items() if one != hidden}
    [one] = troubles_in(RULES, expected_of(assembled), facts._replace(seen=seen, unanswered={hidden: "forbidden"}))
    assert (str(one.subject), one.says, one.gravity) == ("API for orphans", "gave no answer: forbidden", "warning")


@examples(60)
@given(
    st.lists(st.sampled_from(sorted(PLANTED)), max_size=3, unique=True),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000), JSON), min_size=1, max_size=12),
)
def test_objects_of_any_shape_give_no_traceback(assembled: Assembled, names: list[str], odd: list[tuple[int, int, Any]]) -> None:
    """What the rules read, with anything in the place of anything."""
    world = copy.deepcopy(healthy(assembled))
    for name in names:
        PLANTED[name][0](world)
    objects = [one for kind in sorted(world) for one in world[kind]]
    for which, where, value in odd:
        places = list(_places(objects[which % len(objects)]))
        holder, key = places[where % len(places)]
        holder[key] = value
    list(troubles_in(RULES, expected_of(assembled), facts_of(world)))


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Where something stands in an object, at any depth."""
    keys = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in keys:
        yield data, key
        yield from _places(data[key])


def test_the_whole_is_counted_from_what_was_seen(assembled: Assembled) -> None:
    expected, world = expected_of(assembled), healthy(assembled)
    layers = len(expected.layers)
    assert overview(COUNTS, expected, facts_of(world)) == [
        "machines 1 of 1 ready",
        f"layers {layers} of {layers} ready",
        "volumes 2",
    ]
    for name in ("a machine that is down", "a suspended layer", "a layer that cannot be built", "F18 a faulted volume"):
        PLANTED[name][0](world)
    assert overview(COUNTS, expected, facts_of(world)) == [
        "machines 0 of 1 ready",
        f"layers {layers - 1} of {layers} ready",
        "volumes 4, 1 degraded, 1 faulted",
    ]
    assert overview(COUNTS, expected, facts_of({})._replace(seen={})) == [], "nothing is known, so nothing is counted"


def test_each_kind_is_asked_for_once() -> None:
    kinds = kinds_of(RULES)
    assert len({kind.resource for kind in kinds}) == len(kinds)
    assert len({kind for rule in RULES for kind in rule.kinds}) == len(kinds), "two rules read one kind otherwise"
    [secrets] = [kind for kind in kinds if kind.resource == Resource("api/v1", "secrets")]
    assert secrets.names, "no value of a Secret is ever read"


def test_nothing_of_it_is_imported_by_render(reference: Project) -> None:
    """What the doctor needs costs no other command anything."""
    program = (
        "import sys; from fluxstead.cli.__main__ import main; main(['render', '--check', '--project', sys.argv[1]]);"
        "ours = ('lightkube', 'fluxstead.live.rules', 'fluxstead.live.facts');"
        "print(sorted(name for name in sys.modules if name.startswith(ours)))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(reference.root)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_is_only_worth_knowing_hides_no_error(assembled: Assembled) -> None:
    """A cordoned machine, and a volume without a good copy: both are told."""
    found = roots_of(assembled, PLANTED["a cordoned machine"][0], PLANTED["F18 a faulted volume"][0])
    assert [(str(one.trouble.subject), one.trouble.gravity) for one in found] == [
        ("volume pvc-9", "error"),
        ("machine k3s1", "warning"),
    ]


def test_what_is_under_way_is_no_error(assembled: Assembled) -> None:
    """Right after a commit: the condition is about the generation before, and its words are as well."""
    [root] = roots_of(assembled, changed("kustomizations", "dns", "metadata", "generation", to=2))
    assert (root.trouble.gravity, root.trouble.says) == ("warning", "is being applied")


def test_a_layer_of_that_name_elsewhere_is_another(assembled: Assembled) -> None:
    """People have Kustomizations of their own."""
    theirs = {"observedGeneration": 1, "conditions": [condition("Ready", "False", reason="BuildFailed", message="theirs")]}
    assert roots_of(assembled, more("kustomizations", thing("longhorn", "team", status=theirs))) == []


def test_a_suspended_entry_is_told(assembled: Assembled) -> None:
    """No commit arrives, and every layer is Ready."""
    entry = ready("flux-system", FLUX, {"suspend": True})
    [root] = roots_of(assembled, more("kustomizations", entry))
    assert "suspended" in root.trouble.says


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (
            {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: ephemeral-storage."},
            "low on resource",
        ),
        ({"phase": "Pending", "startTime": "2026-01-01T00:00:00Z"}, "does not start"),
        (
            {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
            },
            "is not ready",
        ),
    ],
)
def test_pods_that_say_nothing_themselves(assembled: Assembled, status: dict[str, Any], words: str) -> None:
    [root] = roots_of(assembled, more("pods", thing("quiet", "web", spec={"nodeName": "k3s1"}, status=status)))
    assert words in root.trouble.says


def test_multipathd_that_runs_is_nothing_wrong(assembled: Assembled) -> None:
    """Longhorn says False wherever it runs; that its devices are kept off is the host's to say."""
    said = [condition("Ready"), condition("Multipathd", "False", reason="MultipathdIsRunning", message="multipathd is running")]
    assert roots_of(assembled, changed("nodes of Longhorn", "k3s1", "status", "conditions", to=said)) == []


def test_a_certificate_waits_for_its_controller_where_that_is(assembled: Assembled) -> None:
    """The namespace of cert-manager may be described otherwise; its release says which it is."""

    def elsewhere(world: World) -> None:
        [release] = [one for one in world["helmreleases"] if one["metadata"]["name"] == "cert-manager"]
        release["metadata"]["namespace"] = "pki"

    broken = {"phase": "Running", "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}
    found = roots_of(
        assembled,
        elsewhere,
        more("pods", thing("cert-manager-1", "pki", spec={"nodeName": "k3s1"}, status=broken)),
        PLANTED["a certificate that does not come"][0],
    )
    of_pod = next(one for one in found if "cert-manager-1" in one.trouble.subject.name)
    assert "certificate ingress-nginx/default-certificate" in [str(one.subject) for one in of_pod.explains]


def test_for_github_what_its_commands_are_made_of_is_escaped() -> None:
    """A title with `:` or `,`, and words with `%` and line ends (actions/toolkit: packages/core/src/command.ts)."""
    said = workflow_command("error", "is 90 % full\ntype: df", title="disk a, b: of k3s1")
    assert said == "::error title=disk a%2C b%3A of k3s1::is 90 %25 full%0Atype: df"


def test_a_procedure_that_somebody_is_at_is_no_trouble(assembled: Assembled) -> None:
    assert roots_of(assembled, more("leases", begun(holder="me@here/1"))) == []


def test_a_release_of_nobody_is_told_once_whatever_else_it_is(assembled: Assembled) -> None:
    [root] = roots_of(assembled, more("helmreleases", ready("old", "web", {"suspend": True})))
    assert "is in the cluster, suspended, and no layer applies it" in root.trouble.says
    assert root.trouble.means.endswith("it has installed nothing")
    assert root.trouble.do.endswith("kubectl delete helmrelease old -n web")
    installed = ready("old", "web", {"suspend": True}, history=[{"name": "old", "version": 3}])
    [root] = roots_of(assembled, more("helmreleases", installed))
    assert root.trouble.do.endswith("which leaves that there: then helm uninstall old -n web")


def test_a_machine_that_a_killed_verify_cordoned_says_so(assembled: Assembled) -> None:
    mine = changed("nodes of Kubernetes", "k3s1", "metadata", "annotations", to={"fluxstead/cordoned-by": "fluxstead-verify"})
    [root] = roots_of(assembled, changed("nodes of Kubernetes", "k3s1", "spec", "unschedulable", to=True), mine)
    assert root.trouble.says == "is cordoned, by ./run verify"
    assert "./run verify lets it go" in root.trouble.do
