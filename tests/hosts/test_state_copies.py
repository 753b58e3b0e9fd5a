"""What is told of copies of the cluster's state on the server that keeps it: decided over made-up facts; its files' texts."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.hosts.answer import CopiesAnswer, read_answer
from fluxstead.hosts.report import plan, problems
from fluxstead.hosts.script.model import DeclaredHost, DeclaredState, DeclaredStore, WrongUseError, read_node
from fluxstead.hosts.script.packages import _wanted
from fluxstead.hosts.script.state_copies import FoundCopies, copies_wrong
from fluxstead.hosts.script.state_files import RECIPIENTS_FILE, SERVICE_FILE, TIMER_FILE, state_files
from fluxstead.hosts.script.state_login import read_login
from fluxstead.hosts.state import of_etcd, of_sqlite
from fluxstead.nodes.model import Node
from tests.conftest import examples

HOUR = 3600
AGE = "age10k68qulqgk4cpwvkhwe6djtt70n9exzw3ly8fm8etphqrvzp6uuqsx6fzg"
SQLITE = of_sqlite("15 2 * * *", 14, "/var/lib/fluxstead/k3s-backups", [AGE], None)
STATE = DeclaredState("sqlite", "/var/lib/fluxstead/k3s-backups", 50 * HOUR, 14, ("*-*-* 02:15:00",), (AGE,), None)
NOW = 1_800_000_000.0
FINE = FoundCopies(now=NOW, data=True, since=NOW - 900 * HOUR, newest=NOW - 20 * HOUR, count=14)


def test_what_is_told_is_read_as_it_was_described() -> None:
    assert read_node({"node": "k3s1", "state": SQLITE}).state == STATE
    assert read_node({"node": "k3s1"}).state is None
    etcd = read_node({"node": "k3s1", "state": of_etcd("0 */12 * * *", 5, "")}).state
    assert etcd
    assert (etcd.datastore, etcd.late, etcd.folder) == ("etcd", 26 * HOUR, "/var/lib/rancher/k3s/server/db/snapshots")


@pytest.mark.parametrize(
    "changed",
    [
        {"datastore": "mysql"},
        {"late": 0},
        {"keep": True},
        {"recipients": []},
        {"calendars": []},
        {"folder": "/mnt/a b"},
        {"folder": "relative"},
        {"recipients": ["a\nb"]},
        {"store": {"endpoint": "https://a", "bucket": "b; reboot", "region": "c"}},
        {"store": {"endpoint": "https://a"}},
    ],
)
def test_what_could_be_another_word_of_a_unit_is_wrong_use(changed: dict[str, Any]) -> None:
    with pytest.raises(WrongUseError):
        read_node({"node": "k3s1", "state": {**SQLITE, **changed}})


def test_only_a_server_of_sqlite_gets_files_and_age() -> None:
    bare = DeclaredHost("k3s1", None, (), None, ())
    assert state_files(bare) == {}
    assert state_files(replace(bare, state=replace(STATE, datastore="etcd"))) == {}
    assert "age" not in _wanted(bare)
    assert _wanted(replace(bare, state=STATE))["age"] == "age"


def test_the_units_say_what_is_described_and_nothing_secret() -> None:
    store = DeclaredStore("https://s3.home.arpa:9000", "home", "eu-1", "state")
    texts = state_files(
        DeclaredHost("k3s1", None, (), None, (), replace(STATE, store=store, calendars=("Mon *-*-* 02:15:00", "*-*-01 02:15:00")))
    )
    assert all(text.startswith("# fluxstead:") for text in texts.values())
    assert texts[RECIPIENTS_FILE].splitlines()[1:] == [AGE]
    assert re.findall("^OnCalendar=(.*)$", texts[TIMER_FILE], re.MULTILINE) == ["Mon *-*-* 02:15:00", "*-*-01 02:15:00"]
    service = texts[SERVICE_FILE]
    [start] = re.findall("^ExecStart=(.*)$", service, re.MULTILINE)
    assert start.split()[0] == sys.executable
    assert "--s3-endpoint https://s3.home.arpa:9000 --s3-bucket home --s3-region eu-1 --s3-folder state" in start
    assert f"ExecStopPost={start} --clean" in service
    assert "stop k3s" not in service


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (FINE, []),
        (replace(FINE, data=False, newest=0), []),
        (replace(FINE, newest=NOW - 51 * HOUR), ["the newest copy of the datastore is 2 days old"]),
        (replace(FINE, newest=0, since=NOW - 49 * HOUR), []),
        (replace(FINE, newest=0), ["the datastore was never copied"]),
        (replace(FINE, failed="no copy: age: no"), ["the last copy of the datastore failed: no copy: age: no"]),
        (
            replace(FINE, failed="no copy: x", newest=NOW - 90 * HOUR),
            ["the last copy of the datastore failed", "the newest copy of the datastore is 3 days old"],
        ),
    ],
)
def test_what_is_late_or_failed_is_told_with_what_to_type(found: FoundCopies, says: list[str]) -> None:
    wrong = copies_wrong(STATE, found)
    assert len(wrong) == len(says)
    for (told, typed), wanted in zip(wrong, says, strict=True):
        assert told.startswith(wanted)
        assert "sudo journalctl -u fluxstead-sqlite-backup" in typed


def test_a_share_that_is_not_mounted_is_told() -> None:
    beside = replace(FINE, beside=True)
    assert copies_wrong(STATE, beside) == []
    [(told, typed)] = copies_wrong(replace(STATE, folder="/mnt/nas/k3s"), beside)
    assert "nothing is mounted at /mnt/nas/k3s" in told
    assert typed == "findmnt --target /mnt/nas/k3s"


facts = st.builds(
    FoundCopies,
    now=st.just(NOW),
    data=st.booleans(),
    since=st.floats(0, NOW),
    newest=st.just(0.0) | st.floats(1, NOW),
    count=st.integers(0, 20),
    failed=st.sampled_from(["", "no copy: x"]),
    beside=st.booleans(),
)


@examples(1)
@given(facts, st.sampled_from(["sqlite", "etcd"]), st.integers(1, 10**7))
def test_silence_means_that_there_is_a_copy_that_is_young_enough(found: FoundCopies, datastore: str, late: int) -> None:
    wrong = copies_wrong(replace(STATE, datastore=datastore, late=late), found)
    young = found.now - found.newest <= late if found.newest else found.now - found.since <= late
    if not wrong and found.data:
        assert young
        assert not found.failed
    if not found.data:
        assert wrong == []
    assert all(says and typed for says, typed in wrong)


def test_the_doctor_and_the_plan_tell_it() -> None:
    says = "the newest copy of the datastore is 8 days old"
    copies = {"newest": "2026-11-20T02:15:00Z", "count": 3, "wrong": [{"says": says, "type": "sudo journalctl"}]}
    said = json.dumps({"answer": "t", "result": {"status": "fine", "why": [], "copies": copies}})
    answer = read_answer(said, "t")
    assert answer.copies == CopiesAnswer("2026-11-20T02:15:00Z", 3, ((says, "sudo journalctl"),))
    node = Node.model_validate({"name": "k3s1", "cluster": "home", "address": "192.0.2.1", "role": "server", "state": "live"})
    [one] = problems(node, answer)
    assert (one.says, one.do, one.how) == (says, "sudo journalctl", "type, on the host")
    assert "copies of the cluster's state: 3, the newest of 2026-11-20T02:15:00Z" in plan(node, answer)


def test_a_login_that_is_wrong_shows_nothing_of_itself() -> None:
    with pytest.raises(WrongUseError) as refused:
        read_login('{"login": {"AWS_ACCESS_KEY_ID": "hidden-id", "AWS_SECRET_ACCESS_KEY": "hidden\\nkey"}}')
    assert "hidden" not in str(refused.value)
