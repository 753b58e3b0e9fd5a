"""One machine as a Pulumi component: the preparation script, run over SSH, and the disks that it prepares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pulumi
from pulumi_command import remote

from components.disk import DiskArgs, DiskResource
from components.k3s import K3sResource
from components.login import LoginResource
from fluxstead.assembly import Assembled
from fluxstead.description.state_copies import state_copies
from fluxstead.hosts.answer import Answer, DiskAnswer, read_answer
from fluxstead.hosts.build import COMMAND, stdin_for, token_of
from fluxstead.hosts.declared import declared
from fluxstead.nodes.model import Node

_FORMER = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_="fluxstead:hosts:Host")])
"""The type that this component used to have; without it, older stacks would run the script on every host again."""


@dataclass(frozen=True)
class NodeArgs:
    """The machine, and the project's folder, from which its key file is named."""

    node: Node
    root: Path
    state: Mapping[str, Any] | None = None
    """How the cluster's state is copied there, if it is."""


class NodeResource(pulumi.ComponentResource):
    """A prepared host: packages, services, disks, k3s's configuration. Preparing it again changes nothing.

    Its disks are its children. Output: `filesystem_uuids`, by disk, which are there once the host has said that everything is done.
    """

    def __init__(self, name: str, args: NodeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        told = declared(args.node, args.state)
        # The engine shows changes to these, here and at the disks, key by key; of standard input, only that it differs.
        inputs = {key: value for key, value in told.items() if key != "disks"}
        super().__init__("fluxstead:nodes:Node", name, inputs, pulumi.ResourceOptions.merge(_FORMER, opts))
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
        disks = {disk["name"]: disk for disk in told["disks"]}
        answer = command.stdout.apply(partial(_fine, token_of(stdin), frozenset(disks)))
        self._name, self._host_key, self.prepared = name, args.node.ssh.host_key, command
        for disk, of_disk in disks.items():
            DiskResource(
                # A URN does not contain the parent's name, so the disk's own has the machine's; no name has a slash in it.
                f"{name}/{disk}",
                DiskArgs(of_disk, answer.apply(partial(_of_disk, disk))),
                # After the command, so that a change which the host refused is still shown by the next preview.
                pulumi.ResourceOptions(parent=self, depends_on=[command]),
            )
        self.filesystem_uuids: pulumi.Output[dict[str, str]] = answer.apply(_uuids)
        self.register_outputs({"filesystemUuids": self.filesystem_uuids})

    def install(self, inputs: Mapping[str, Any], after: Sequence[pulumi.Resource]) -> K3sResource:
        """k3s here, once the machine is prepared and these are there."""
        # Not after the machine itself, which as a component waits for its children, and so for this one.
        opts = pulumi.ResourceOptions(parent=self, depends_on=[self.prepared, *after])
        # A machine that was installed anew has another key, and no k3s.
        return K3sResource(self._name, {**inputs, "node": self._name, "hostKey": self._host_key}, opts)

    def leave_login(self, inputs: Mapping[str, Any]) -> LoginResource:
        """How copies of the cluster's state get into their bucket, once the machine is prepared."""
        opts = pulumi.ResourceOptions(parent=self, depends_on=[self.prepared])
        # A machine that was installed anew has another key, and no login.
        return LoginResource(self._name, {**inputs, "node": self._name, "hostKey": self._host_key}, opts)


def register_nodes(assembled: Assembled, root: Path) -> dict[str, NodeResource]:
    """Register every live host whose key is known, in parallel, by its name; the others are left alone, and reported.

    This is where what a host has to know about the rest of the cluster is at hand.
    """
    nodes = assembled.description.nodes
    alone = [f"{node.name} ({node.why_not_prepared})" for node in nodes if node.why_not_prepared]
    if alone:
        pulumi.log.info(f"not dialled: {', '.join(alone)}")
    state = state_copies(assembled.description)
    prepared = [node for node in nodes if not node.why_not_prepared]
    return {node.name: NodeResource(node.name, NodeArgs(node, root, state.get(node.name))) for node in prepared}


def _connection(args: NodeArgs) -> remote.ConnectionArgs:
    ssh = args.node.ssh
    key = None
    if ssh.private_key_file:
        key = pulumi.Output.secret(_read_key(args))
    proxy = None
    if ssh.jump:
        proxy = remote.ProxyConnectionArgs(
            host=str(ssh.jump.address), port=ssh.jump.port, user=ssh.jump.user, host_key=ssh.jump.host_key, private_key=key
        )
    # Without a key, the agent serves; the provider finds its socket, whose path changes at every login and would show as a change.
    return remote.ConnectionArgs(
        host=str(args.node.dialled_at), port=ssh.port, user=ssh.user, host_key=ssh.host_key, private_key=key, proxy=proxy
    )


def _read_key(args: NodeArgs) -> str:
    named = args.node.ssh.private_key_file or ""
    try:
        return (args.root / Path(named).expanduser()).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        where = args.node.source_of("ssh", "privateKeyFile")
        raise pulumi.RunError(f"{where}: the key file {named} cannot be read ({error}); nothing was dialled") from None


def _fine(token: str, disks: frozenset[str], output: str) -> Answer:
    """The host's answer, without which no tree may be written, whatever the exit status was."""
    answer = read_answer(output, token)
    if answer.refused:
        raise pulumi.RunError(f"{answer.status}: {'; '.join(answer.why)}")
    untold = disks - {disk.name for disk in answer.disks}
    if untold:
        raise pulumi.RunError(f"the host's answer says nothing about its disks {', '.join(sorted(untold))}")
    return answer


def _uuids(answer: Answer) -> dict[str, str]:
    return {disk.name: disk.filesystem_uuid for disk in answer.disks}


def _of_disk(name: str, answer: Answer) -> DiskAnswer:
    return next(disk for disk in answer.disks if disk.name == name)
