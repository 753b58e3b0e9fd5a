"""The login of a bucket in the program, under Pulumi's mocks: on the one server that sends copies there, and never as an input."""

from __future__ import annotations

import json
import re

import pytest

from components.login import LoginProvider
from tests.components.recorder import Runner
from tests.components.test_k3s import of_type
from tests.components.test_node import HOST_KEY
from tests.conftest import Project
from tests.systems.test_datastore import AGE

pytestmark = pytest.mark.reference
STACK, AFTER = "Pulumi.k3s-flux.yaml", "    nodeCidr: 192.168.86.0/24\n"
COPIES = "    sqliteBackups: {s3: {bucket: home, endpoint: 'https://s3.home.arpa:9000'}}\n"


@pytest.fixture
def copying(reference: Project) -> Project:
    file = reference.root / "nodes/k3s1.yaml"
    file.write_text(f"{file.read_text()}ssh: {{hostKey: {HOST_KEY}}}\n")
    reference.replace(STACK, AFTER, AFTER + COPIES)
    reference.replace(STACK, "  fluxstead:secrets:\n", f"  fluxstead:secrets:\n    people: [{AGE}]\n")
    return reference


def _printed(project: Project) -> dict[str, str]:
    disks = re.findall(r"- name: (\S+)", (project.root / "nodes/k3s1.yaml").read_text())
    about = {"mountPath": "/mnt/x", "action": "nothing", "why": [], "message": "", "write": "", "notes": []}
    rows = [{**about, "name": disk, "filesystemUuid": "u", "found": None} for disk in disks]
    return {"k3s1": json.dumps({"answer": "TOKEN", "result": {"status": "fine", "why": [], "disks": rows}})}


def test_the_server_is_told_whom_to_encrypt_for_and_gets_its_login_once_it_is_prepared(
    copying: Project, run_pulumi: Runner
) -> None:
    seen = run_pulumi(copying, preview=False, printed=_printed(copying))
    [node] = [one for one in seen.values() if one.type == "fluxstead:nodes:Node"]
    assert node.inputs["state"]["recipients"] == [AGE]
    [login] = of_type(seen, "Login").values()
    assert (login.name, seen[login.parent].name) == ("k3s1", "k3s1")
    assert [seen[urn].type for urn in login.dependencies] == ["command:remote:Command"]
    assert login.inputs["store"] == {"endpoint": "https://s3.home.arpa:9000", "bucket": "home", "region": "us-east-1"}


def test_without_a_bucket_nothing_is_handed_over(copying: Project, run_pulumi: Runner) -> None:
    copying.replace(STACK, COPIES, "    sqliteBackups: {directory: /mnt/nas/k3s}\n")
    seen = run_pulumi(copying, preview=False, printed=_printed(copying))
    assert not of_type(seen, "Login")


def test_a_login_that_nobody_gave_is_asked_for_before_anybody_is_dialled(copying: Project) -> None:
    with pytest.raises(RuntimeError, match=r"operator/sqlite-backup-s3, .* is missing: \./run secrets set"):
        LoginProvider().create({"project": str(copying.root), "stack": "k3s-flux", "node": "k3s1"})
