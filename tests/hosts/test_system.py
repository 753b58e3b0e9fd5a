"""What a later step would fail at is told before the first one; what the rest of a host needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fluxstead.hosts import build
from fluxstead.hosts.answer import read_answer
from fluxstead.hosts.build import python_source, stdin_for, token_of
from fluxstead.hosts.script import main, preflight, system
from fluxstead.hosts.script.model import DeclaredHost, Host, Verdict
from fluxstead.hosts.script.preflight import ROOM, unwritable
from fluxstead.hosts.script.tools import RefusedError, StepError
from tests.conftest import REPOSITORY

from .world import blank, declared

NODE = DeclaredHost("k3s1", None, (), None, ())
ASK = "import sys; from fluxstead.hosts.script.preflight import ROOM, unwritable; print(unwritable(sys.argv[1], ROOM))"


def in_a_namespace(script: str) -> str:
    """The output of a shell script with mounts of its own; skips where none are to be had."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces here")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "ASK": f"{sys.executable} -c '{ASK}'"}
    command = ["unshare", "-rm", "sh", "-euc", script]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()


def test_a_writable_place_is_no_reason(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "new", tmp_path / "a/b/c/new", Path(__file__)):
        assert unwritable(str(path), ROOM) == ""


def test_a_read_only_filesystem_is_told_as_what_it_is(tmp_path: Path) -> None:
    said = in_a_namespace(
        f"mount -t tmpfs none {tmp_path}; mkdir {tmp_path}/etc; mount -o remount,ro {tmp_path}; eval $ASK {tmp_path}/etc/x/y"
    )
    assert said.startswith(f"{tmp_path} is mounted read-only")
    assert said.endswith(f"sudo mount -o remount,rw {tmp_path}")


def test_a_full_filesystem_is_told_with_how_to_find_what_fills_it(tmp_path: Path) -> None:
    said = in_a_namespace(f"mount -t tmpfs -o size=1m none {tmp_path}; eval $ASK {tmp_path}/fstab")
    assert said.startswith(
        f"{tmp_path} is full (1024 KiB free, 4096 KiB are needed); type: sudo apt-get clean; sudo du -xh {tmp_path}"
    )


def test_a_filesystem_without_inodes_is_told(tmp_path: Path) -> None:
    said = in_a_namespace(f"mount -t tmpfs -o size=64m,nr_inodes=20 none {tmp_path}; eval $ASK {tmp_path}/fstab")
    assert said.startswith(f"{tmp_path} has no inodes left (19 of 20)")


def under_pressure(monkeypatch: pytest.MonkeyPatch, at: Path, **usage: int) -> list[str]:
    """What is told of a filesystem of 1,000 blocks of a MiB and as many inodes, half of them free, but for this."""
    whole = {"bsize": 1 << 20, "frsize": 1 << 20, "blocks": 1000, "bfree": 500, "bavail": 500}
    whole |= {"files": 1000, "ffree": 500, "favail": 500, "flag": 0, "namemax": 255, **usage}
    monkeypatch.setattr(system, "FILLED", (str(at / "log"), str(at / "rancher")))
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(whole.values()))
    return system.pressure()


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ({}, []),
        ({"bavail": 100, "favail": 100}, []),
        ({"bavail": 99}, ["has 9 % free (99 MiB): DiskPressure below 5 %"]),
        ({"favail": 99}, ["has 9 % of its inodes left (99): no new file without one"]),
        (
            {"bavail": 0, "favail": 0},
            ["has 0 % free (0 B): DiskPressure below 5 %", "has 0 % of its inodes left (0): no new file without one"],
        ),
        ({"files": 0, "ffree": 0, "favail": 0}, []),
    ],
)
def test_a_filesystem_that_is_nearly_full_is_told_once(
    usage: dict[str, int], told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By bytes and by inodes, before either is used up; btrfs counts no inodes."""
    assert under_pressure(monkeypatch, tmp_path, **usage) == [f"the filesystem of {tmp_path}/log {line}" for line in told]


def test_a_real_filesystem_that_is_nearly_without_inodes_is_told(tmp_path: Path) -> None:
    """One of 20, of which the root of it has one."""
    ask = f'from fluxstead.hosts.script import system; system.FILLED = ("{tmp_path}",); print(*system.pressure())'
    said = in_a_namespace(
        f"mount -t tmpfs -o size=64m,nr_inodes=20 none {tmp_path}; for n in $(seq 18); do : >{tmp_path}/$n; done; "
        f"{sys.executable} -c '{ask}'"
    )
    assert said == f"the filesystem of {tmp_path} has 5 % of its inodes left (1): no new file without one"


def test_a_file_that_something_is_mounted_over_is_told(tmp_path: Path) -> None:
    """A container's /etc/hosts is one: no new file can take its place."""
    (tmp_path / "fstab").touch()
    said = in_a_namespace(f"mount --bind {tmp_path}/fstab {tmp_path}/fstab; eval $ASK {tmp_path}/fstab")
    assert f"type: sudo umount {tmp_path}/fstab" in said


@pytest.fixture
def marked(tmp_path: Path) -> Iterator[Path]:
    """A folder with a file that may carry attributes; they are taken away again."""
    file = tmp_path / "etc" / "fstab"
    file.parent.mkdir()
    file.touch()
    chattr = shutil.which("chattr")
    if not chattr or subprocess.run([chattr, "+i", file], capture_output=True, check=False).returncode:
        pytest.skip("no attributes here")
    subprocess.run([chattr, "-i", file], check=True)
    yield file
    for path in (file, file.parent):
        subprocess.run([chattr, "-ia", path], check=True)


@pytest.mark.parametrize(("flag", "name"), [("i", "immutable"), ("a", "append-only")])
@pytest.mark.parametrize("folder", [False, True])
def test_what_somebody_protected_is_told_and_stays_protected(flag: str, name: str, folder: bool, marked: Path) -> None:
    protected = marked.parent if folder else marked
    subprocess.run(["chattr", f"+{flag}", protected], check=True)
    assert (
        unwritable(str(marked), ROOM)
        == f"somebody made {protected} {name}; where that may go, type: sudo chattr -{flag} {protected}"
    )


def test_a_link_is_followed_to_what_would_be_written(marked: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(marked)
    assert unwritable(str(link), ROOM) == ""
    subprocess.run(["chattr", "+i", marked], check=True)
    assert f"made {marked} immutable" in unwritable(str(link), ROOM)


def test_a_file_in_place_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "modules-load.d").touch()
    assert "has to be a folder: move it away" in unwritable(str(tmp_path / "modules-load.d/fluxstead.conf"), ROOM)


@pytest.fixture
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host on which nothing is due, in a folder."""
    (tmp_path / "systemd").mkdir()
    monkeypatch.setattr(preflight, "SYSTEMD", str(tmp_path / "systemd"))
    monkeypatch.setattr(preflight, "RUN", str(tmp_path / "run"))
    monkeypatch.setattr(preflight, "WRITERS", {"wipe": str(tmp_path / "records"), "fstab": str(tmp_path / "fstab")})
    monkeypatch.setattr(preflight, "files", lambda _: {})
    monkeypatch.setattr(preflight, "initiator", lambda: "iqn.1993-08.org.debian:01:1")
    monkeypatch.setattr(preflight, "missing_packages", lambda _: [])
    monkeypatch.setattr(preflight, "package_problems", lambda _: [])
    monkeypatch.setattr(preflight, "module_problems", list)
    monkeypatch.setattr(preflight, "begun_packages", list)
    return tmp_path


def test_only_what_is_due_is_asked_for(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prepared host whose fstab somebody protected afterwards is still as declared."""
    monkeypatch.setattr(preflight, "unwritable", lambda path, _: f"never {path}" if "run" not in path else "")
    assert preflight.preflight(NODE, ()) == []
    assert preflight.preflight(NODE, {"mount", "label"}) == []
    fstab = str(settled / "fstab")
    assert preflight.preflight(NODE, {"fstab", "mount"}) == [f"{fstab} cannot be written: never {fstab}"]
    mounts = DeclaredHost("k3s1", None, (declared(mount_path=str(settled / "mnt/a")),), None, ())
    assert len(preflight.preflight(mounts, {"mountpoint"})) == 1
    (settled / "mnt/a").mkdir(parents=True)
    assert preflight.preflight(mounts, {"mountpoint"}) == []


def test_a_file_that_is_as_it_should_be_is_not_asked_for(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, other = settled / "kept", settled / "other"
    kept.write_text("text")
    monkeypatch.setattr(preflight, "files", lambda _: {str(kept): "text", str(other): "text"})
    monkeypatch.setattr(preflight, "unwritable", lambda path, _: "never" if "run" not in path else "")
    assert preflight.preflight(NODE, ()) == [f"{other} cannot be written: never"]


def test_places_with_one_reason_are_told_together(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "unwritable", lambda *_: "/ is full")
    [told] = preflight.preflight(NODE, {"wipe", "fstab"})
    assert told == f"{settled}/run, {settled}/records, {settled}/fstab cannot be written: / is full"


def test_a_host_without_systemd_is_told(settled: Path) -> None:
    (settled / "systemd").rmdir()
    [told] = preflight.preflight(NODE, ())
    assert "systemd does not run this host" in told


@pytest.mark.parametrize(
    ("dep", "builtin", "said"),
    [
        ("", "", "was probably upgraded since the last boot; reboot it"),
        ("kernel/fs/nfs/nfs.ko.xz: x.ko\n", "", "has no module iscsi_tcp, dm_crypt, without which"),
        ("kernel/fs/nfs/nfs.ko.xz:\nkernel/drivers/md/dm-crypt.ko:\nkernel/drivers/scsi/iscsi_tcp.ko.zst: a.ko\n", "", ""),
        ("kernel/x.ko:\n", "kernel/fs/nfs/nfs.ko\nkernel/drivers/md/dm-crypt.ko\nkernel/drivers/scsi/iscsi_tcp.ko\n", ""),
    ],
)
def test_a_kernel_that_lacks_a_module_is_told_before(dep: str, builtin: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"modules.dep": dep, "modules.builtin": builtin}
    monkeypatch.setattr(system, "text_of", lambda path: files.get(Path(path).name, ""))
    monkeypatch.setattr(os.path, "isdir", lambda _: False)
    told = system.module_problems()
    assert (said in told[0]) if said else told == []


def late(monkeypatch: pytest.MonkeyPatch, now: Verdict | StepError, why: str) -> dict[str, Any]:
    """The result of an apply of two disks of which the second is refused at its turn; `now` is what it is found to be then."""
    first, second = (Verdict(declared(name=name), blank(), "prepare", ("blank",), ("format",)) for name in ("a", "b"))
    monkeypatch.setattr(main, "_verdicts", lambda _: (Host((), {}, {}), [first, second], []))
    monkeypatch.setattr(main, "_do_items", lambda _: [])

    def prepare(name: str, *_: object) -> list[str]:
        if name == "b":
            raise RefusedError(why)
        return ["format"]

    def decide(name: str, *_: object) -> Verdict:
        if name == "b" and isinstance(now, StepError):
            raise now
        return now if name == "b" and isinstance(now, Verdict) else Verdict(declared(name=name), blank(), "nothing", ())

    monkeypatch.setattr(main, "prepare_disk", prepare)
    monkeypatch.setattr(main, "decide_one", decide)
    node = DeclaredHost("k3s1", None, (declared(name="a"), declared(name="b")), None, ())
    return main._apply(node)


def test_a_refusal_in_the_middle_is_told_like_one_before_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what was done, and with the line to write as data and for people."""
    found = Verdict(declared(name="b"), blank(), "refuse", ("it holds content that is not ours",), (), "wipe: S/0abc")
    result = late(monkeypatch, found, "/dev/sdb was taken into use since it was read")
    assert result["status"] == "refused"
    first, second = result["disks"]
    assert (first["action"], first["done"]) == ("prepare", ["format"])
    assert (second["action"], second["write"]) == ("refuse", "wipe: S/0abc")
    assert [text.partition(":")[0] for text in result["why"]] == ["/dev/sdb was taken into use since it was read", "disk b"]
    assert main._end("0123", {"node": "k3s1", "mode": "apply", **result}) == main.REFUSED
    told = capsys.readouterr()
    assert "  write, at disk b: wipe: S/0abc\n" in told.err
    answer = read_answer(told.out, "0123")
    assert [disk.write for disk in answer.disks] == ["", "wipe: S/0abc"]


@pytest.mark.parametrize("now", [Verdict(declared(name="b"), blank(), "prepare", ("blank",)), StepError("it hangs")])
def test_a_refusal_that_is_over_or_cannot_be_looked_at_again_is_still_one(
    now: Verdict | StepError, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = late(monkeypatch, now, "was another disk")
    assert (result["status"], result["why"]) == ("refused", ["was another disk"])
    assert (result["disks"][1]["action"], result["disks"][1]["why"]) == ("refuse", ["was another disk"])


def as_root(patch: str, login: str = "") -> tuple[subprocess.CompletedProcess[str], str]:
    """A plan whose functions are replaced at the end of the script, and its token; root's rights are only said."""
    last = 'if __name__ == "__main__":'
    patched = f"os.geteuid = lambda: 0\n_lock = lambda mode: None\n{patch}\n{last}"
    text = stdin_for("plan", {"node": "k3s1"}, python_source().replace(last, patched))
    command = ["sh", "-c", f"{login} sh -s"]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False), token_of(text)


def test_a_hardened_login_hides_no_file_of_ours(tmp_path: Path) -> None:
    """journald and multipathd read them, some of them not as root."""
    file = tmp_path / "conf.d" / "50-fluxstead.conf"
    done, token = as_root(
        f"def _plan(*_):\n    write_whole({str(file)!r}, 'x')\n    return {{'status': 'fine', 'why': []}}", "umask 077;"
    )
    assert read_answer(done.stdout, token).status == "fine"
    assert (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o755, 0o644)


def ends(pid: str) -> bool:
    """Whether a process ends within some seconds, be it that nobody takes notice of it."""
    for _ in range(100):
        with suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.1)
                continue
        return True
    return False


def test_a_run_that_takes_too_long_says_so_and_ends_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before whoever asked gives up, and also in the middle of a line."""
    monkeypatch.setattr(build, "SECONDS", {"plan": 2})
    patch = f"""
def _plan(node, connection):
    sys.stdout.write('{{"step": ')
    sys.stdout.flush()
    tool = subprocess.Popen(["sleep", "600"])
    open({str(tmp_path / "pid")!r}, "w").write(str(tool.pid))
    while True:
        time.sleep(0.01)
"""
    began = time.monotonic()
    done, token = as_root(patch)
    answer = read_answer(done.stdout, token)
    assert (done.returncode, answer.status) == (main.FAILED, "failed")
    assert "not done within 2 s" in answer.why[0]
    assert json.loads(done.stdout.splitlines()[-1]), "a line of its own"
    assert time.monotonic() - began < 30
    assert ends((tmp_path / "pid").read_text())


def test_a_place_for_the_lock_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "LOCK", str(tmp_path / "none" / "lock"))
    with pytest.raises(StepError, match="a run keeps its lock there; look at `findmnt /run"):
        main._lock("plan")


def test_the_data_says_how_long_a_run_may_take() -> None:
    for seconds in (None, "60", 1.5):
        payload = json.dumps({"mode": "plan", "seconds": seconds, "node": {"node": "k3s1"}})
        assert main.main(payload) == main.WRONG
