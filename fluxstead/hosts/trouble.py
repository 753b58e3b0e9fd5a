"""Why a host gave no answer, and what to type: what ssh says, and what the login does before the script runs."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OWN_PORT = 22
"""sshd's; here, so that what only reads answers needs no model of machines."""
_SHOWN = 3
"""Lines of what came instead."""
_TRY = "type: ssh USER@HOST 'echo ok' </dev/null: it has to print ok and nothing else"
_LOGINS = {
    r"account is (currently )?not available|nologin|login is disabled": (
        "this user may not log in; type, on the host: sudo usermod -s /bin/bash USER, or name another one in ssh.user"
    ),
    r"password (has )?expired|password change required|change your password|account has expired": (
        "the password or the account of this user has expired; type, on the host: sudo chage -M -1 -E -1 USER"
    ),
    r"token: parameter|needs: parameter|FLUXSTEAD_END_OF_INPUT|^sh: (line )?\d+: ": (
        "something of the login (~/.bashrc, ~/.profile, ~/.ssh/rc) read the beginning of standard input, which is the script's; "
        f"give it </dev/null, or put it behind [ -t 0 ]; {_TRY}"
    ),
    r"sh: (command )?not found|unknown command|unrecognized command|not permitted|only allows|This service allows": (
        "this login runs no shell (`command=` before the key in authorized_keys, ForceCommand in sshd_config, a restricted shell); "
        "give it one, or name another user in ssh.user"
    ),
    r"No space left|Read-only file system|Input/output error|Cannot fork|Resource temporarily unavailable|Killed|Out of memory": (
        "the host itself is in trouble; look there: df -h; df -i; free -m; sudo dmesg | tail"
    ),
}
"""What a login says (by what it is known), and what to do; the first that fits."""
_SILENT = (
    "the login ended before the script ran, as an `exit` or `exec` in ~/.bashrc, ~/.zshenv, config.fish or ~/.ssh/rc does, or the "
    f"login shell is no shell, or the connection broke; {_TRY}; "
    "in ~/.bashrc, what is for people goes below: case $- in *i*) ;; *) return;; esac"
)
_COMPARE = "compare its fingerprint at the host's own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"


@dataclass(frozen=True, slots=True)
class Way:
    """How a host is reached, in the words of ssh's command line."""

    destination: str
    """USER@HOST."""
    port: int = _OWN_PORT
    file: str = ""
    """The node's file, where the description has the host: then only the host key in it is taken."""
    jump: str = ""
    """The host that is gone through."""
    dialled: str = ""
    """Where ssh goes, if its own configuration says otherwise."""

    @property
    def host(self) -> str:
        """Where ssh goes."""
        return self.dialled or self.destination.rpartition("@")[2]

    @property
    def port_words(self) -> str:
        """How a port that is not sshd's own is said."""
        return f"-p {self.port} " if self.port != _OWN_PORT else ""

    @property
    def known_as(self) -> str:
        """The host's name in a file of known hosts."""
        return f"[{self.host}]:{self.port}" if self.port_words else self.host

    @property
    def scan(self) -> str:
        """What to type to see the host's key, and to compare it."""
        return f"ssh-keyscan -t ed25519 {self.port_words}{self.host}; {_COMPARE}"

    @property
    def words(self) -> str:
        """What follows `ssh`."""
        return f"{self.port_words}{f'-J {self.jump} ' if self.jump else ''}{self.destination}"


def not_answered(output: str, trouble: str, login: str = "USER@HOST") -> str:
    """What came instead of an answer, and what probably keeps the script from running; `login` as ssh takes it."""
    shown = " / ".join([*output.strip().splitlines()[-_SHOWN:], *trouble.strip().splitlines()[-_SHOWN:]])
    said = f"{output}\n{trouble}"
    hint = next((hint for pattern, hint in _LOGINS.items() if re.search(pattern, said, re.IGNORECASE | re.MULTILINE)), _SILENT)
    user = login.rpartition("@")[0].rpartition(" ")[2]
    hint = hint.replace("USER@HOST", login).replace("USER", user)
    return f"the host answered nothing that can be read: {shown or 'no output'}. {hint[0].upper()}{hint[1:]}"


def no_host_key(way: Way) -> str:
    """Why a host without a described key is not dialled, and how it gets one."""
    return f"no ssh.hostKey, so anybody could answer; nothing was dialled. Type: {way.scan}; write it as ssh.hostKey in {way.file}"


def not_reached(trouble: str, way: Way) -> str:
    """Why ssh did not get through, and what to type."""
    lines = [line.strip("@ ") for line in trouble.splitlines() if line.strip("@ ")]
    pattern, hint = next((one for one in _hints(way).items() if re.search(one[0], trouble, re.IGNORECASE)), ("$", ""))
    # The line that says it: behind a jump host, others follow from the ssh that went through it.
    reason = next((line for line in reversed(lines) if re.search(pattern, line, re.IGNORECASE)), "no reason given")
    told = f"ssh did not get through: {reason.rstrip('.')}"
    return f"{told}. {hint or f'Type: ssh -v {way.words}, whose last lines say where it stops'}"


def _hints(way: Way) -> dict[str, str]:
    """What ssh says (in OpenSSH's own words, which it does not translate), and what to do; the first that fits."""
    # On the way, ssh to the jump host speaks with the same words.
    place = f"{way.jump} or {way.host}" if way.jump else way.host
    return {
        **_hints_on_host_keys(way, place),
        **_hints_on_keys(way, place),
        r"Could not resolve hostname|Name or service not known": (
            f"the name {way.host} is not known here; use the address, or mend DNS; type: getent hosts {way.host}"
        ),
        r"Connection refused": (
            f"{place} is on, but nothing listens on port {way.port}; "
            "type, on the host: sudo systemctl enable --now ssh; sudo ss -tlnp"
        ),
        r"timed out|No route to host|Network is unreachable|Host is down|not responding": (
            f"nobody answers at {place}; it is off, at another address, or a firewall is between; type: ping -c 3 {way.host}; "
            f"and see whether the address in {way.file or 'the command'} is right"
        ),
        r"Connection reset|Connection closed|kex_exchange_identification|Broken pipe|closed by remote host": (
            f"{place} hung up: too many logins at once (MaxStartups), a ban (fail2ban), or it is going down; wait a minute and run "
            "this again; on the host: sudo journalctl -u ssh -n 20"
        ),
        r"Bad configuration option|bad configuration options": "your own ~/.ssh/config stops ssh; mend the line that it names",
        r"there is no ssh on this machine": "type, here: sudo apt-get install openssh-client",
    }


def _hints_on_host_keys(way: Way, place: str) -> dict[str, str]:
    name = f"ssh.hostKey in {way.file}" if way.file else "the known hosts"
    take = f"write it as {name}" if way.file else f"ssh-keygen -R '{way.known_as}'; ssh {way.words}"
    return {
        r"Host key verification failed" if way.file else r"IDENTIFICATION HAS CHANGED|host key for .* has changed": (
            f"{place} shows another key than {name}. If you reinstalled it, type: {way.scan}; {take}. "
            "If nobody did, somebody else answers at this address: leave it alone"
        ),
        r"no matching host key type": f"{place} has no host key of the type in {name}; type: {way.scan}; {take}",
        r"Host key verification failed|authenticity of host": (
            f"ssh does not know {place} yet, and nobody can be asked in between; type once: ssh {way.words}; {_COMPARE}"
        ),
    }


def _hints_on_keys(way: Way, place: str) -> dict[str, str]:
    return {
        r"UNPROTECTED PRIVATE KEY|bad permissions": (
            "ssh takes no key file that others may read; type: chmod 600 on the file in ssh.privateKeyFile"
        ),
        r"Too many authentication failures": (
            "the agent offers more keys than sshd lets one try; name the right one in ssh.privateKeyFile, or type: ssh-add -D; "
            "ssh-add FILE"
        ),
        r"Permission denied \(": (
            f"{place} takes none of your keys; type: ssh-add -l (which are offered); ssh-copy-id {way.words}; "
            f"or name the key file in ssh.privateKeyFile{f' in {way.file}' if way.file else ''}"
        ),
    }
