"""One host as a Pulumi component: the preparation script, run over SSH."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi_command import remote

from fluxstead.hosts.answer import Answer, read_answer
from fluxstead.hosts.build import stdin_for
from fluxstead.hosts.declared import declared
from fluxstead.nodes.model import Node

_BOUND = 3600
"""Seconds for the whole script; pulumi-command bounds only the dialling (pulumi-command: provider/pkg/provider/remote)."""


@dataclass(frozen=True)
class HostArgs:
    """The machine, and the project's folder, from which its key file is named."""

    node: Node
    root: Path


class Host(pulumi.ComponentResource):
    """A prepared host: packages, services, disks, k3s's configuration. Prepared again, it is left as it is.

    Outputs: `filesystem_uuids` (of each disk, by its name) and `done` (what happened to each disk).
    """

    def __init__(self, name: str, args: HostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        told = declared(args.node)
        # The engine shows a change of this key by key; of standard input, no more than that its one long line differs.
        super().__init__("fluxstead:hosts:Host", name, {"declared": dict(told)}, opts)
        command = remote.Command(
            name,
            connection=_connection(args),
            create=as_root(args.node.ssh.user),
            # On standard input, because the command's text is in every error message.
            stdin=stdin_for("apply", told),
            # Standard output is lines of JSON, for the outputs below; standard error is for people.
            logging=remote.Logging.STDERR,
            # sshd would refuse the variables and warn.
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        answer = command.stdout.apply(_fine)
        self.filesystem_uuids: pulumi.Output[dict[str, str]] = answer.apply(_uuids)
        self.done: pulumi.Output[dict[str, str]] = answer.apply(_done)
        self.register_outputs({"filesystemUuids": self.filesystem_uuids, "done": self.done})


def as_root(user: str) -> str:
    """The command that reads the script: bounded in time, with root's rights, never waiting for a password."""
    sudo = "" if user == "root" else "sudo -n "
    return f"{sudo}timeout {_BOUND} sh -s"


def _connection(args: HostArgs) -> remote.ConnectionArgs:
    ssh = args.node.ssh
    key = None
    if ssh.private_key_file:
        key = pulumi.Output.secret(_read_key(args))
    proxy = None
    if ssh.jump:
        proxy = remote.ProxyConnectionArgs(
            host=ssh.jump.address, port=ssh.jump.port, user=ssh.jump.user, host_key=ssh.jump.host_key, private_key=key
        )
    # Without a key, the agent serves; the provider finds its socket, whose path changes at every login and would show as a change.
    return remote.ConnectionArgs(
        host=args.node.dialled_at, port=ssh.port, user=ssh.user, host_key=ssh.host_key, private_key=key, proxy=proxy
    )


def _read_key(args: HostArgs) -> str:
    named = args.node.ssh.private_key_file or ""
    try:
        return (args.root / Path(named).expanduser()).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        where = args.node.source_of("ssh", "privateKeyFile")
        raise pulumi.RunError(f"{where}: the key file {named} cannot be read ({error}); nothing was dialled") from None


def _fine(output: str) -> Answer:
    """The host's answer, without which no tree may be written, whatever the exit status was."""
    answer = read_answer(output)
    if answer.refused:
        raise pulumi.RunError(f"{answer.status}: {'; '.join(answer.why)}")
    return answer


def _uuids(answer: Answer) -> dict[str, str]:
    return {disk.name: disk.filesystem_uuid for disk in answer.disks}


def _done(answer: Answer) -> dict[str, str]:
    return {disk.name: disk.action for disk in answer.disks}
