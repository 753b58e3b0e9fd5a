"""The script's parts that are neither rules nor a host: table, text, data in, and the joined file."""

from __future__ import annotations

import ast
import base64
import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from select import select

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.hosts.build import PARTS, python_source, stdin_for
from fluxstead.hosts.script import act, read
from fluxstead.hosts.script.act import mended_fstab
from fluxstead.hosts.script.gpt import PREPARING, READY, edges, parse, partition_guid, table
from fluxstead.hosts.script.model import MIB, WrongUseError, label_of, read_node
from fluxstead.hosts.script.system import K3S_FILE, files, k3s_config, node_name_of
from fluxstead.hosts.script.text import config_state, fstab_fields, fstab_line
from fluxstead.hosts.script.tools import RefusedError, StepError, apart, step

from .world import blank, declared

SIZE = 5000 * MIB + 512
NODE = {
    "node": "k3s1",
    "address": "192.0.2.1",
    "disks": [{"name": "a", "serial": "S", "size": 1, "filesystem": "ext4", "mountPath": "/mnt/a"}],
    "k3s": {"nodeLabels": ["storage=longhorn"], "nodeTaints": ["a=b:NoSchedule"]},
}


@pytest.mark.parametrize("sector", [512, 4096])
def test_a_table_is_known_again_also_when_it_is_torn(sector: int) -> None:
    size = SIZE // sector * sector
    for name in (PREPARING, READY):
        pieces = table("S", size, sector, name)
        first, last = pieces[0], pieces[max(pieces)].rjust(MIB, b"\0")
        assert max(pieces) + len(pieces[max(pieces)]) == size
        assert edges("S", size, sector, first, last) == ("table", name, True)
        assert parse(first, sector) == {1: (partition_guid("S"), name)}
        for torn in (first[: 2 * sector].ljust(MIB, b"\0"), bytes(MIB)):
            assert edges("S", size, sector, torn, last) == ("table", name, False)
        assert edges("another", size, sector, first, last)[0] == "other"
        assert edges("S", size, sector, first[:-1] + b"x", last)[0] == "other"
        # What is left of anybody's table when both of its copies were zapped.
        assert edges("S", size, sector, first[:512].ljust(MIB, b"\0"), bytes(MIB))[0] == "other"
    assert edges("S", size, sector, bytes(MIB), bytes(MIB))[0] == "zero"


def test_a_table_torn_between_two_names_never_allows_formatting() -> None:
    before, after = (table("S", SIZE, 512, name) for name in (PREPARING, READY))
    last = after[max(after)].rjust(MIB, b"\0")
    assert edges("S", SIZE, 512, before[0], last) == ("table", READY, False)


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_label_fits_every_filesystem_and_names_its_disk(name: str, serial: str) -> None:
    label = label_of(name, serial)
    assert len(label.encode()) <= 12
    assert label != label_of(name, serial + "x")


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), min_size=1))
def test_any_path_survives_fstab(text: str) -> None:
    path = "/mnt/" + text.replace("/", "_")
    assert fstab_fields(fstab_line(declared(mount_path=path), "u"))[1] == path


def test_only_what_systemd_decodes_is_encoded_in_fstab() -> None:
    """A `#` that was written as a number came back as that number after a boot."""
    assert fstab_line(declared(mount_path="/mnt/a #\\b"), "u").split()[1] == "/mnt/a\\040#\\134b"


FSTAB = "# first\nUUID=1 / ext4 defaults 0 1\r\n\t/dev/sdz /srv xfs noauto 0 0 # note\n/dev/sda1 /mnt/a ext4 defaults 0 2"


def test_no_line_of_fstab_but_that_of_the_path_is_changed() -> None:
    once = mended_fstab(FSTAB, "a", "/mnt/a", "NEW /mnt/a ext4 x 0 2")
    old = "# fluxstead: replaced: /dev/sda1 /mnt/a ext4 defaults 0 2\n"
    assert once == FSTAB[: FSTAB.rindex("/dev/sda1")] + old + "# fluxstead: disk a\nNEW /mnt/a ext4 x 0 2\n"
    assert mended_fstab(once, "a", "/mnt/a", "NEW /mnt/a ext4 x 0 2") == once
    assert mended_fstab("x", "b", "/mnt/b", "LINE") == "x\n# fluxstead: disk b\nLINE\n"
    assert mended_fstab("", "b", "/mnt/b", "LINE") == "# fluxstead: disk b\nLINE\n"


def test_config_states() -> None:
    assert config_state(None) == ("absent", "")
    assert config_state('{"diskUUID": "u", "diskName": "a"}') == ("uuid", "a")
    assert {config_state(text)[0] for text in ("", "{}", "[1]", "x", '{"diskUUID": ""}')} == {"broken"}


def test_k3s_configuration_adds_to_lists_and_quotes_everything() -> None:
    assert k3s_config(read_node(NODE)) == (
        'node-name: "k3s1"\nnode-ip: "192.0.2.1"\nnode-label+:\n  - "storage=longhorn"\nnode-taint+:\n  - "a=b:NoSchedule"\n'
    )
    assert K3S_FILE not in files(read_node({**NODE, "k3s": None}))


def test_the_running_node_is_named_by_its_certificate() -> None:
    body = base64.encodebytes(b"\x30\x0c\x13" + bytes([len(b"system:node:k3s1")]) + b"system:node:k3s1\x30\x00").decode()
    assert node_name_of(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n") == "k3s1"
    assert node_name_of("") == ""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "a\nb"),
        ("mountPath", "mnt/a"),
        ("mountPath", "/mnt/../etc"),
        ("mountPath", "/"),
        ("mountPath", "/mnt/a\n"),
        ("filesystem", "btrfs"),
        ("size", "5G"),
        ("size", True),
        ("device", "sda"),
        ("serial", ""),
    ],
)
def test_wrong_data_is_refused_by_key(key: str, value: object) -> None:
    disk = {**NODE["disks"][0], key: value}  # type: ignore[index]
    with pytest.raises(WrongUseError):
        read_node({**NODE, "disks": [disk]})


def test_the_joined_script_has_every_name_once_and_parses_for_python_3_9() -> None:
    tree = ast.parse(python_source(), feature_version=(3, 9))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert len(names) == len(set(names)) > 80
    # A constant that a later file sets again would be another one for the earlier file.
    constants = [name.id for node in tree.body for name in _targets(node)]
    assert len(constants) == len(set(constants)) > 80
    modules = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in modules} <= sys.stdlib_module_names


def _targets(node: ast.stmt) -> list[ast.Name]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    flat = [each for target in targets for each in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return [each for each in flat if isinstance(each, ast.Name)]


def test_every_file_of_the_script_is_joined() -> None:
    folder = Path(sys.modules["fluxstead.hosts.build"].__file__ or "").parent / "script"
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(PARTS)


HOSTILE = ["$(touch /tmp/pwned)", "`id`", "'; id; '", '"', "FLUXSTEAD_END_OF_INPUT", "\\", "%s", "ä\u2028", "a b"]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_hostile_values_reach_the_program_as_they_are_and_no_shell(value: str, shell: str, tmp_path: Path) -> None:
    source = "import sys\nsys.stdout.write(sys.stdin.readline())\n"
    value = value.replace("/tmp/pwned", str(tmp_path / "pwned"))
    text = stdin_for("plan", {"node": value}, source)
    done = subprocess.run([shell, "-s"], input=text, capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stdout)["node"]["node"] == value
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_wrong_use_is_told_in_json_and_ends_with_two(shell: str) -> None:
    done = subprocess.run(
        [shell, "-s"],
        input=stdin_for("plan", {"node": "k3s1", "disks": [{}]}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert json.loads(done.stdout)["result"]["status"] == "wrong use"


def test_a_step_that_fails_says_what_went_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    """Also one that told what was seen before it: iscsid on a starved machine ended in a traceback without a result."""

    def fails() -> None:
        raise StepError("it did not start")

    with pytest.raises(StepError, match="iscsid: it did not start"):
        step("iscsid", fails, seen="disabled, inactive")
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["status"], line["seen"]) for line in told] == [("start", "disabled, inactive"), ("failed", "it did not start")]


def test_what_works_apart_ends_with_whoever_asked() -> None:
    """Also when that was killed; it keeps none of the pipes by which ssh tells that a run is over."""
    mark, held = os.pipe()
    work = f"lambda: (os.write({held}, '|'.join(os.readlink(f'/proc/self/fd/{{n}}') for n in range(3)).encode()), time.sleep(600))"
    program = f"import os, time; from fluxstead.hosts.script.tools import apart; apart({work}, 600)"
    with subprocess.Popen([sys.executable, "-c", program], pass_fds=[held], stdout=subprocess.PIPE) as asked:
        os.close(held)
        inherited = os.read(mark, 100)
        asked.kill()
        assert inherited == b"/dev/null|/dev/null|/dev/null"
        assert select([mark], [], [], 20)[0]
        assert os.read(mark, 100) == b"", "it is over once nobody has the other end"
    os.close(mark)


def test_a_disk_that_changed_hands_since_it_was_read_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the reading and the writing, somebody may have pulled one disk and put in another, or mounted it."""
    there = tmp_path / "sdz"
    there.touch()
    disk = replace(blank(), path=str(there))
    monkeypatch.setattr(act, "identity", lambda _: disk)
    with act.held(disk, alone=True):
        pass
    for now in (
        replace(disk, serials=("other",)),
        replace(disk, wwn="other"),
        replace(disk, size=disk.size + 512),
        replace(disk, sequence="9"),
        replace(disk, doubt="the kernel says serial B"),
    ):
        monkeypatch.setattr(act, "identity", lambda _, now=now: now)
        with pytest.raises(RefusedError, match="another disk than a moment ago"), act.held(disk, alone=True):
            pytest.fail("nothing is done to it")

    def busy(*_: object) -> int:
        raise OSError(errno.EBUSY, "busy")

    monkeypatch.setattr(os, "open", busy)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(RefusedError, match="taken into use"), act.held(disk, alone=True):
        pytest.fail("nothing is done to it")


def refuse() -> None:
    raise RefusedError("somebody's")


def fail_without_a_word() -> None:
    raise MemoryError


@pytest.mark.parametrize(
    ("work", "error", "said"),
    [
        (refuse, RefusedError, "somebody's"),
        (fail_without_a_word, StepError, "MemoryError"),
        (lambda: os._exit(0), StepError, "without an answer"),
        (lambda: time.sleep(600), StepError, "no answer within 1 s"),
    ],
)
def test_what_went_wrong_apart_is_told_as_here(work: Callable[[], None], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        apart(work, 1)


@pytest.mark.parametrize(
    ("status", "out", "found"),
    [(2, "", None), (0, "TYPE=xfs\nUUID=u\n", "xfs"), (8, "", "something that blkid cannot tell")],
)
def test_what_blkid_cannot_tell_is_something(monkeypatch: pytest.MonkeyPatch, status: int, out: str, found: str | None) -> None:
    monkeypatch.setattr(read, "answer", lambda *_, **__: (status, out, ""))
    assert [signature.type for signature in read._signature_at(blank(), MIB)] == ([found] if found else [])
