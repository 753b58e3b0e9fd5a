"""What an operator may say about the way into the cluster; the only place of its defaults."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from fluxstead.core.described import Described
from fluxstead.core.names import Name
from fluxstead.core.network import NodePort
from fluxstead.core.platform import Platform
from fluxstead.core.refusal import refuse
from fluxstead.core.version import Version


class Controller(Described):
    """An ingress controller. Traefik is k3s's own, unless it is disabled there: then it has its chart, like ingress-nginx."""

    controller: Literal["ingress-nginx", "traefik"] = Field(
        description="What answers at the node ports. ingress-nginx has been retired since March 2026."
    )
    version: Version | None = Field(default=None, description="The chart's version; none for the Traefik that k3s brings.")
    namespace: Name | None = Field(default=None, description="The namespace of the release; by default the controller's name.")
    release_name: Name | None = Field(
        default=None,
        description="The Helm release, by default the controller's name; another name would install a second controller (F5).",
    )
    http_port: NodePort = Field(default=30080, description="The port for HTTP on every node.")
    https_port: NodePort = Field(default=30443, description="The port for HTTPS on every node.")
    default_class: bool = Field(default=True, description="Whether an Ingress that names no class is this controller's.")
    default_backend: bool = Field(
        default=True,
        description="ingress-nginx: whether a pod of its own answers where no route does; its image is for amd64 only. "
        "Without it the controller answers 404 itself. Traefik has none.",
    )
    keep_source_addresses: bool = Field(
        default=False,
        description="Whether the controller is told from where requests come, for access by network. It then runs on every machine,"
        " and each answers for itself.",
    )
    values: dict[str, Any] = Field(default_factory=dict, description="More chart values, merged over what fluxstead sets.")

    def bundled(self, platform: Platform) -> bool:
        """Whether k3s installs the controller, so that it is only configured."""
        return self.controller == "traefik" and "traefik" not in platform.disabled

    @property
    def namespace_name(self) -> str:
        """The namespace of the release."""
        return self.namespace or self.controller

    @property
    def release(self) -> str:
        """The name of the release."""
        return self.release_name or self.controller


class SecondController(Controller):
    """A controller that answers for the same routes at ports of its own, until people have moved."""

    default_class: bool = Field(default=False, description="Whether an Ingress that names no class is this controller's.")


class IngressSettings(Controller):
    """The ingress controller, and one beside it while people move from one to the other."""

    beside: SecondController | None = Field(
        default=None,
        description="Another controller that answers for the same routes, at other ports, for as long as it stands here.",
    )

    @property
    def controllers(self) -> tuple[Controller, ...]:
        """Both, the one that links lead to first."""
        return (self, self.beside) if self.beside else (self,)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.beside and self.beside.controller == self.controller:
            raise refuse(
                f"{self.controller} beside {self.controller}",
                why="both would answer for the same class, and take the objects of each other (F5)",
                fix=f"beside: {{controller: {'traefik' if self.controller == 'ingress-nginx' else 'ingress-nginx'}, …}}",
            )
        return self
