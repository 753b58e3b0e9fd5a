"""The files by which a server copies its datastore: a program, whom it encrypts for, and a timer that starts it."""

from __future__ import annotations

import sys
from typing import Dict, List

from fluxstead.hosts.script.files import RECORDS
from fluxstead.hosts.script.model import HEAD, DeclaredHost, DeclaredState

BACKUP_PROGRAM = ""
"""The text of what lies in `installed`, which `fluxstead.hosts.build` puts here: a host gets one file."""
BACKUP = "fluxstead-sqlite-backup"
"""The name of its units."""
BACKUP_FILE = f"/usr/local/lib/fluxstead/{BACKUP}"
RECIPIENTS_FILE = "/etc/fluxstead/recipients.txt"
STORE_LOGIN = "/etc/fluxstead/s3-login.json"
SERVICE_FILE = f"/etc/systemd/system/{BACKUP}.service"
TIMER_FILE = f"/etc/systemd/system/{BACKUP}.timer"
STATE_FILES = (BACKUP_FILE, RECIPIENTS_FILE, SERVICE_FILE, TIMER_FILE)
SERVER_HOME = "/var/lib/rancher/k3s/server"
IN_MEMORY, ON_DISK = f"/run/{BACKUP}", f"{RECORDS}/{BACKUP}"
"""Where a copy may lie in plain text while it is made."""
SERVICE = """[Unit]
Description=A copy of k3s's SQLite datastore, encrypted
# Before k3s has run there is nothing to copy, which is no failure.
ConditionPathExists={server}/db/state.db
After=network-online.target

[Service]
Type=oneshot
ExecStart={command}
# Also after a run that was killed: nothing stays in plain text.
ExecStopPost={command} --clean
RuntimeDirectory={name}
RuntimeDirectoryMode=0700
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
Nice=10
TimeoutStartSec=1h
"""
TIMER = """[Unit]
Description=When k3s's SQLite datastore is copied

[Timer]
{calendars}
# What was due while the machine was off is made up for.
Persistent=yes

[Install]
WantedBy=timers.target
"""


def state_files(node: DeclaredHost) -> Dict[str, str]:
    """The files of a server that copies SQLite, by path; none on any other host."""
    state = node.state
    if state is None or state.datastore != "sqlite":
        return {}
    return {
        BACKUP_FILE: HEAD + BACKUP_PROGRAM,
        RECIPIENTS_FILE: HEAD + "".join(f"{recipient}\n" for recipient in state.recipients),
        SERVICE_FILE: HEAD + SERVICE.format(server=SERVER_HOME, name=BACKUP, command=" ".join(_command(node.name, state))),
        TIMER_FILE: HEAD + TIMER.format(calendars="\n".join(f"OnCalendar={calendar}" for calendar in state.calendars)),
    }


def _command(name: str, state: DeclaredState) -> List[str]:
    """Its words, none of which systemd reads as anything else; the Python is the one that this script runs by."""
    words = [sys.executable, "-I", BACKUP_FILE, "--server", SERVER_HOME, "--directory", state.folder, "--keep", str(state.keep)]
    words += ["--name", name, "--recipients", RECIPIENTS_FILE, "--memory", IN_MEMORY, "--disk", ON_DISK]
    if state.store:
        words += ["--s3-endpoint", state.store.endpoint, "--s3-bucket", state.store.bucket, "--s3-region", state.store.region]
        words += ["--s3-folder", state.store.folder] if state.store.folder else []
        words += ["--s3-login", STORE_LOGIN]
    return words
