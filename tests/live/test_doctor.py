"""The doctor's rules over a cluster's objects: nothing of a healthy one, and each thing that is spoilt once, at its root."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.assembly import Assembled
from fluxstead.cli.doctor import expected_of
from fluxstead.embedded import run_program
from fluxstead.live.doctor import kinds_of, troubles_in
from fluxstead.live.resources import Resource
from tests.conftest import REFERENCE, REPOSITORY, Project, examples
from tests.live.world import FLUX, LONGHORN, RULES, World, condition, facts_of, healthy, ready, roots_of, thing, volume

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
Spoil = Callable[[World], object]


pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def assembled() -> Assembled:
    """The reference cluster's tree."""
    found = run_program(REPOSITORY, REFERENCE).assembled
    assert found is not None
    return found


def one_of(world: World, plural: str, name: str) -> dict[str, Any]:
    """An object; one that nobody sees, where it is gone already."""
    return next((one for one in world[plural] if one["metadata"]["name"] == name), thing(name, status={}, spec={}))


def says(plural: str, name: str, status: str, reason: str, message: str) -> Spoil:
    """An object whose Ready condition is this."""

    def change(world: World) -> None:
        one_of(world, plural, name)["status"]["conditions"] = [condition("Ready", status, reason=reason, message=message)]

    return change


def disk(name: str, *, uuid: str | None = None, conditions: list[dict[str, Any]] | None = None) -> Spoil:
    """What Longhorn says of a disk of k3s1."""

    def change(world: World) -> None:
        status = one_of(world, "nodes of Longhorn", "k3s1")["status"]["diskStatus"][name]
        if uuid is not None:
            status["diskUUID"] = uuid
        if conditions is not None:
            status["conditions"] = conditions

    return change


def gone(plural: str, name: str) -> Spoil:
    """Without an object."""
    return lambda world: world.update({plural: [one for one in world[plural] if one["metadata"]["name"] != name]})


def more(plural: str, obj: dict[str, Any]) -> Spoil:
    """With one more."""
    return lambda world: world[plural].append(obj)


def machine(**conditions: tuple[str, str]) -> Spoil:
    """What the kubelet of k3s1 says."""

    def change(world: World) -> None:
        found = [condition(kind, status, message=message) for kind, (status, message) in conditions.items()]
        one_of(world, "nodes of Kubernetes", "k3s1")["status"]["conditions"] = found

    return change


def changed(plural: str, name: str, *way: str, to: Any) -> Spoil:
    """A value of an object."""

    def change(world: World) -> None:
        holder = one_of(world, plural, name)
        for key in way[:-1]:
            holder = holder.setdefault(key, {})
        holder[way[-1]] = to

    return change


def waiting(*names: str) -> Spoil:
    """Layers that wait for those before them, as Flux says it."""

    def change(world: World) -> None:
        for name in names:
            says("kustomizations", name, "False", "DependencyNotReady", "dependency 'flux-system/…' is not ready")(world)

    return change


def together(*spoil: Spoil) -> Spoil:
    """Several at once."""

    def change(world: World) -> None:
        for one in spoil:
            one(world)

    return change


STUCK = thing(
    "site-2",
    "web",
    spec={"nodeName": "k3s1", "volumes": [{"persistentVolumeClaim": {"claimName": "uploads"}}]},
    status={
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "False", "message": "pod has unbound immediate PersistentVolumeClaims"}],
    },
)
NO_IMAGE = thing(
    "app-1",
    "example-app-dev",
    spec={"nodeName": "k3s1"},
    status={
        "phase": "Pending",
        "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}}],
    },
)
PLANTED: dict[str, tuple[Spoil, str, str]] = {
    "F1 monitoring waits for a claim": (
        together(
            says("helmreleases", "monitoring-kube-prometheus-stack", "False", "InstallFailed", "context deadline exceeded"),
            more(
                "persistentvolumeclaims", thing("db", "monitoring", spec={"storageClassName": "fast"}, status={"phase": "Pending"})
            ),
        ),
        "claim monitoring/db",
        "there is no StorageClass fast",
    ),
    "F9 another Longhorn runs": (
        changed("settings", "current-longhorn-version", "value", to="v1.8.2"),
        "Longhorn v1.8.2",
        "1.9.0 is described",
    ),
    "F10 labels are gone": (
        changed("nodes of Kubernetes", "k3s1", "metadata", "labels", to={}),
        "machine k3s1",
        "has not the labels",
    ),
    "F11 iSCSI is missing": (
        changed(
            "nodes of Longhorn",
            "k3s1",
            "status",
            "conditions",
            to=[condition("Ready"), condition("RequiredPackages", "False", message="Missing packages: [open-iscsi]")],
        ),
        "what Longhorn needs on k3s1",
        "open-iscsi",
    ),
    "F15 a disk without a UUID": (
        together(
            disk("sdg1", uuid=""),
            says("kustomizations", "longhorn-disks", "Unknown", "Progressing", "Running health checks with a timeout of 1m"),
            waiting(
                "longhorn-disks-registered", "longhorn-storage", "kube-prometheus-stack", "monitoring-scrapes", "monitoring-routes"
            ),
        ),
        "disk sdg1 of k3s1",
        "holds JSON without one, such as {}",
    ),
    "F12 an empty longhorn-disk.cfg": (
        disk(
            "sdh1", uuid="", conditions=[condition("Ready", "False", reason="NoDiskInfo", message="unexpected end of JSON input")]
        ),
        "disk sdh1 of k3s1",
        "unexpected end of JSON input",
    ),
    "F24 a disk that is not mounted": (
        disk(
            "sdf1",
            conditions=[condition("Ready", "False", reason="DiskFilesystemChanged", message="record diskUUID doesn't match")],
        ),
        "disk sdf1 of k3s1",
        "record diskUUID doesn't match",
    ),
    "F17 a release that stopped trying": (
        changed(
            "helmreleases",
            "longhorn",
            "status",
            "conditions",
            to=[
                condition("Ready", "False", reason="InstallFailed", message="timed out"),
                condition("Stalled", reason="RetriesExceeded"),
            ],
        ),
        f"release {LONGHORN}/longhorn",
        "has stopped trying: timed out",
    ),
    "F18 a faulted volume": (more("volumes", volume("pvc-9", "faulted", claim="uploads")), "volume pvc-9", "claim web/uploads"),
    "F18 a Node that does not go": (
        changed("nodes of Longhorn", "k3s1", "metadata", "deletionTimestamp", to="2026-11-28T00:00:00Z"),
        "node of Longhorn k3s1",
        "does not go",
    ),
    "F19 a full disk of the system": (
        machine(Ready=("True", ""), DiskPressure=("True", "")),
        "machine k3s1",
        "short of disk space",
    ),
    "a machine that is down": (
        together(
            machine(Ready=("Unknown", "Kubelet stopped posting node status.")),
            more("volumes", volume("pvc-9", "degraded")),
            more("pods", NO_IMAGE),
        ),
        "machine k3s1",
        "Kubelet stopped posting",
    ),
    "a machine that never came": (gone("nodes of Kubernetes", "k3s1"), "machine k3s1", "not in the cluster"),
    "a machine that nobody described": (
        more("nodes of Kubernetes", thing("guest", status={"conditions": [condition("Ready")]})),
        "machine guest",
        "in no file of nodes/",
    ),
    "a cordoned machine": (changed("nodes of Kubernetes", "k3s1", "spec", "unschedulable", to=True), "machine k3s1", "cordoned"),
    "another release of k3s": (
        changed("nodes of Kubernetes", "k3s1", "status", "nodeInfo", to={"kubeletVersion": "v1.32.5+k3s1"}),
        "machine k3s1",
        "v1.33.1+k3s1 is described",
    ),
    "Git cannot be read": (
        together(
            says("gitrepositories", FLUX, "False", "GitOperationFailed", "authentication required"),
            says("kustomizations", "dns", "False", "ArtifactNotReady", "Source artifact not found"),
        ),
        f"source {FLUX}/{FLUX}",
        "authentication required",
    ),
    "Flux reads nothing": (gone("gitrepositories", FLUX), f"source {FLUX}/{FLUX}", "reads no repository"),
    "a group that cannot be built": (
        together(
            more(
                "kustomizations",
                thing(
                    "infrastructure",
                    FLUX,
                    status={
                        "observedGeneration": 1,
                        "conditions": [condition("Ready", "False", reason="BuildFailed", message="no file")],
                    },
                ),
            ),
            gone("kustomizations", "longhorn-routes"),
        ),
        "kustomization infrastructure",
        "no file",
    ),
    "a layer that cannot be built": (
        says("kustomizations", "dns", "False", "BuildFailed", "kustomize build failed: no such file"),
        "layer dns",
        "no such file",
    ),
    "a layer that is not there": (gone("kustomizations", "dns"), "layer dns", "not in the cluster"),
    "a suspended layer": (changed("kustomizations", "dns", "spec", "suspend", to=True), "layer dns", "suspended"),
    "a suspended release": (
        changed("helmreleases", "longhorn", "spec", "suspend", to=True),
        f"release {LONGHORN}/longhorn",
        "suspended",
    ),
    "a release whose file is gone": (
        more("helmreleases", thing("old", "web", spec={}, status={"observedGeneration": 1, "conditions": [condition("Ready")]})),
        "release web/old",
        "no layer applies it",
    ),
    "an image that is not there": (more("pods", NO_IMAGE), "pod example-app-dev/app-1", "ImagePullBackOff"),
    "a claim without a volume": (
        together(
            more("pods", STUCK),
            more(
                "persistentvolumeclaims",
                thing("uploads", "web", spec={"storageClassName": "longhorn"}, status={"phase": "Pending"}),
            ),
        ),
        "claim web/uploads",
        "is pending",
    ),
    "a certificate that does not come": (
        says("certificates", "default-certificate", "False", "DoesNotExist", "waiting for the issuer"),
        "certificate ingress-nginx/default-certificate",
        "waiting for the issuer",
    ),
    "an authority without its key": (
        together(
            says("clusterissuers", "own-ca", "False", "ErrGetKeyPair", 'secrets "own-ca" not found'),
            says("certificates", "default-certificate", "False", "DoesNotExist", "issuer is not ready"),
        ),
        "issuer own-ca",
        "not found",
    ),
}


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
    ("Git cannot be read", "a layer that cannot be built", "a layer that is not there", "a suspended layer", "Flux reads nothing"),
    ("F17 a release that stopped trying", "a suspended release"),
    ("an authority without its key", "a certificate that does not come"),
    ("an image that is not there", "a machine that is down"),
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
    above = {"a machine that never came", "a machine that is down", "Flux reads nothing"}
    lost = {PLANTED[name][1] for name in names} - subjects
    assert not lost or above & set(names), "what a machine that is not there says is not known"


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
    assert {one.subject.kind for one in found} == {"API"}
    assert len(found) == len(kinds_of(RULES))


ODD = st.dictionaries(
    st.sampled_from(["pods", "nodes of Longhorn", "nodes of Kubernetes", "kustomizations", "volumes"]),
    st.lists(st.dictionaries(st.sampled_from(["metadata", "spec", "status"]), JSON, max_size=3), max_size=3),
)


@examples(60)
@given(ODD)
def test_objects_of_any_shape_give_no_traceback(assembled: Assembled, world: dict[str, list[dict[str, Any]]]) -> None:
    list(troubles_in(RULES, expected_of(assembled), facts_of(world)))


def test_each_kind_is_asked_for_once() -> None:
    kinds = kinds_of(RULES)
    assert len({kind.resource for kind in kinds}) == len(kinds)
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
