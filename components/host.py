"""One host as a Pulumi component: the preparation script, run over SSH."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pulumi
from pulumi_command import remote

from fluxstead.hosts.answer import Answer, read_answer
from fluxstead.hosts.build import COMMAND, stdin_for, token_of
from fluxstead.hosts.declared import declared
from fluxstead.nodes.model import Node


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
        stdin = stdin_for("apply", told)
        command = remote.Command(
            name,
            connection=_connection(args),
            create=COMMAND,
            # On standard input, because the command's text is in every error message.
            stdin=stdin,
            # Standard output is lines of JSON, for the outputs below; standard error is for people.
            logging=remote.Logging.STDERR,
            # sshd would refuse the variables and warn.
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        answer = command.stdout.apply(partial(_fine, token_of(stdin)))
        self.filesystem_uuids: pulumi.Output[dict[str, str]] = answer.apply(_uuids)
        self.done: pulumi.Output[dict[str, str]] = answer.apply(_done)
        self.register_outputs({"filesystemUuids": self.filesystem_uuids, "done": self.done})


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


def _fine(token: str, output: str) -> Answer:
    """The host's answer, without which no tree may be written, whatever the exit status was."""
    answer = read_answer(output, token)
    if answer.refused:
        raise pulumi.RunError(f"{answer.status}: {'; '.join(answer.why)}")
    return answer


def _uuids(answer: Answer) -> dict[str, str]:
    return {disk.name: disk.filesystem_uuid for disk in answer.disks}


def _done(answer: Answer) -> dict[str, str]:
    return {disk.name: disk.action for disk in answer.disks}
