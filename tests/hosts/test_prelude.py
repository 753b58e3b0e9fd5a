"""What happens before Python: real shells read the whole text, with a PATH on which stand-ins play sudo, id and Python."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fluxstead.hosts.answer import Answer, read_answer
from fluxstead.hosts.build import HOME, stdin_for, token_of
from fluxstead.hosts.script.tools import PATHS

ANSWERS = """
import json, os, sys
print(json.dumps({"answer": sys.argv[1], "result": {"status": "fine", "why": [os.environ.get("AS", "root"), *sys.path]}}))
"""
"""In place of the script: that it was reached, by whom, and where its modules are looked for."""
NEEDED = ("uname", "sed", "tail", "tr", "cut", "timeout", "env", "true")


def _runs_what_it_finds(shell: str) -> bool:
    """Whether it is here, and is no busybox that has its own programs come before those of the PATH, as Debian's does."""
    alone = [*shell.split(), "-c", "PATH=/nowhere; id"]
    return (
        bool(shutil.which(shell.split(maxsplit=1)[0])) and subprocess.run(alone, capture_output=True, check=False).returncode != 0
    )


SHELLS = [shell for shell in ("dash", "bash", "busybox sh", "zsh", "ksh", "mksh") if _runs_what_it_finds(shell)]
SUDO = '#!/bin/sh\n[ "$1" = -n ] && shift\nAS=sudo exec env "$@"\n'
VERSION = "#!/bin/sh\ncase $* in *version_info*) echo {version}; exit 9 ;; esac\nexit 1\n"
"""A Python that is too old, as the look at it finds it."""


@dataclass
class Done:
    """How a run ended."""

    status: int
    answer: Answer
    out: str
    err: str


@dataclass
class Host:
    """A folder of programs, the only ones that the script finds."""

    programs: Path
    home: Path
    shell: str

    def program(self, name: str, text: str = "") -> None:
        """A stand-in; without a text, it is not installed."""
        (self.programs / name).unlink(missing_ok=True)
        if text:
            (self.programs / name).write_text(text)
            (self.programs / name).chmod(0o755)

    def user(self, name: str = "ops") -> None:
        """Who logs in, if not root."""
        self.program("id", f'#!/bin/sh\n[ "$1" = -un ] && echo {name} || echo 1000\n')

    def run(self, source: str = ANSWERS, stdin: str = "") -> Done:
        """What a login does with the text on its standard input."""
        text = stdin or self.text(source)
        done = subprocess.run(
            [*self.shell.split(), "-s"], input=text, cwd=self.home, capture_output=True, text=True, timeout=60, check=False
        )
        answer = read_answer(done.stdout, token_of(self.text(source)), done.stderr)
        return Done(done.returncode, answer, done.stdout, done.stderr)

    def text(self, source: str = ANSWERS) -> str:
        """What is sent, with the PATH of this folder."""
        text = stdin_for("plan", {"node": "k3s1"}, source)
        assert text.count(f"PATH={PATHS}\n") == 1
        return text.replace(f"PATH={PATHS}\n", f"PATH={self.programs}\n")


@pytest.fixture(params=SHELLS)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Host:
    """A host with Python, to which root logs in."""
    made = Host(tmp_path / "bin", tmp_path / "home", request.param)
    made.programs.mkdir()
    made.home.mkdir()
    for name in NEEDED:
        (made.programs / name).symlink_to(shutil.which(name) or name)
    made.program("id", '#!/bin/sh\n[ "$1" = -un ] && echo root || echo 0\n')
    made.program("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    return made


def test_root_needs_no_sudo(host: Host) -> None:
    done = host.run()
    assert (done.status, done.answer.status, done.answer.why[0]) == (0, "fine", "root"), done.err


def test_anybody_else_goes_through_sudo(host: Host) -> None:
    host.user()
    host.program("sudo", SUDO)
    assert host.run().answer.why[0] == "sudo"


@pytest.mark.parametrize(
    ("complaint", "line"),
    [
        ("sudo: a password is required", "echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/zz-fluxstead"),
        ("Sorry, user ops is not allowed to execute '/bin/true' as root on k3s1.", "'ops ALL=(ALL) NOPASSWD: ALL'"),
        ("sudo: sorry, you must have a tty to run sudo", "echo 'Defaults:ops !requiretty' >/etc/sudoers.d/zz-fluxstead"),
    ],
)
def test_without_rights_the_line_of_sudoers_is_given_and_the_status_is_not_that_of_a_refusal(
    complaint: str, line: str, host: Host
) -> None:
    host.user()
    host.program("sudo", f'#!/bin/sh\necho "lecture" >&2; echo "{complaint}" >&2; exit 1\n')
    done = host.run()
    assert (done.status, done.answer.status) == (3, "failed")
    assert complaint in done.answer.why[0]
    assert line in done.answer.why[0]
    assert "NOPASSWD" in done.err  # for people, and in the engine's error


def test_a_host_without_sudo_says_so(host: Host) -> None:
    host.user()
    assert "sudo is not installed here" in host.run().answer.why[0]


@pytest.mark.parametrize("version", ["3.6.9", "2.7.18"])
def test_a_python_that_is_too_old_is_told_with_its_version_and_what_to_install(version: str, host: Host) -> None:
    host.program("python3", VERSION.format(version=version))
    done = host.run()
    assert done.status == 3
    assert f"python3 is {version}, which is too old" in done.answer.why[0]
    assert "sudo apt-get install -y python3.9" in done.answer.why[0]


def test_no_python_at_all_is_told(host: Host) -> None:
    """On a line of its own, also where the login printed something that did not end its line."""
    host.program("python3")
    done = host.run(stdin=f"printf 'Welcome '\n{host.text()}")
    assert "there is no python3; type, on the host: sudo apt-get update" in done.answer.why[0]
    assert json.loads(done.out.splitlines()[-1])["result"]["status"] == "failed"


def test_a_newer_python_beside_an_old_one_is_taken(host: Host) -> None:
    """Ubuntu 20.04 has 3.8 as python3, and a package python3.9."""
    host.program("python3", VERSION.format(version="3.8.10"))
    host.program("python3.9", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    assert host.run().answer.status == "fine"


def test_a_python_without_its_library_is_told_before_it_fails(host: Host) -> None:
    """Debian's python3-minimal has no json, for one."""
    host.program("python3", "#!/bin/sh\necho 3.11.2\necho 'ModuleNotFoundError: No module named json' >&2\nexit 1\n")
    assert "3.11.2 lacks a part of its library" in host.run().answer.why[0]


def test_another_system_is_told(host: Host) -> None:
    host.program("uname", "#!/bin/sh\necho FreeBSD\n")
    assert "this host runs FreeBSD" in host.run().answer.why[0]


def test_no_module_of_the_folder_or_the_user_takes_the_place_of_python_s_own(host: Host) -> None:
    (host.home / "json.py").write_text("raise SystemExit('taken')\n")
    answer = host.run().answer
    assert answer.status == "fine"
    assert not [folder for folder in answer.why[1:] if folder in ("", str(host.home))]


@pytest.mark.parametrize("complaint", ['"; echo pwned; "', "\\n", "%s%n", "\u00e9\u2028", "'", "`id`$(id)", "x" * 5000])
def test_whatever_sudo_says_the_answer_is_one_that_can_be_read(complaint: str, host: Host) -> None:
    host.user()
    (host.home / "said").write_text(complaint)
    host.program("sudo", f"#!/bin/sh\n{shutil.which('cat')} {host.home}/said >&2\nexit 1\n")
    done = host.run()
    assert done.answer.status == "failed"
    assert "may not become root" in done.answer.why[0]
    assert "pwned\n" not in done.out


def test_what_a_login_reads_of_standard_input_leaves_only_comments(host: Host) -> None:
    """A `read` in ~/.bashrc takes a line, another program a block, and the shell goes on in the middle: never in the program."""
    trap = "import sys\ntouch = 1\n`touch pwned`\n$(touch pwned)\nset -- `touch pwned`\n"
    host.program("touch", f'#!/bin/sh\n{shutil.which("touch")} "$@"\n')
    text = host.text(trap)
    start = text.index("<<'")
    for cut in (at for at in range(start, len(text)) if text[at - 1] == "\n"):
        done = host.run(trap, text[cut:])
        assert done.answer.status == "failed"
        assert not (host.home / "pwned").exists(), text[cut:][:80]


def test_a_text_without_its_beginning_says_what_read_it(host: Host) -> None:
    text = host.text()
    done = host.run(stdin=text[text.index("\n") + 1 :])
    assert done.status != 0
    assert "read the beginning of standard input" in done.answer.why[0]


def test_a_text_that_was_cut_off_runs_nothing(host: Host) -> None:
    """The end of a connection ends a here-document, and shells go on with what they have."""
    text = host.text("import sys\nprint('ran')\n")
    for kept in (text[: text.index("import sys\n") + 12], text[: text.rindex("k3s1")]):
        done = host.run("import sys\nprint('ran')\n", kept)
        assert "ran" not in done.out
        assert "arrived cut off; nothing was done" in done.answer.why[0]


def test_the_prelude_says_nothing_when_all_is_well(host: Host) -> None:
    done = host.run()
    assert done.err == ""
    assert json.loads(done.out)["result"]["status"] == "fine"


def test_no_variable_of_the_prelude_is_one_that_a_shell_keeps_for_itself() -> None:
    """zsh has `status`, `path` and `modules`; a login that hands over to zsh by `exec` reads the text with it."""
    text = (HOME / "prelude.sh").read_text()
    for name in ("status", "path", "modules", "argv", "options", "commands", "UID", "HOME", "USER"):
        assert f"\n{name}=" not in text
        assert f" {name}=" not in text
