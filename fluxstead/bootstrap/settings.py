"""What an operator may say about Flux's own manifests."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fluxstead.core.described import Described

FluxController = Literal[
    "source-controller",
    "kustomize-controller",
    "helm-controller",
    "notification-controller",
    "image-reflector-controller",
    "image-automation-controller",
    "source-watcher",
]
"""Those of `flux install --components` and `--components-extra`."""


class FluxPatchTarget(Described):
    """Which of Flux's objects a patch is for."""

    kind: str | None = Field(default=None, description="Its kind, such as Deployment.")
    name: str | None = Field(default=None, description="Its name, which may be a regular expression.")
    label_selector: str | None = Field(default=None, description="Its labels, such as app.kubernetes.io/part-of=flux.")


class FluxPatch(Described):
    """A patch as kustomize takes it."""

    patch: str = Field(min_length=1, description="A strategic merge patch, or a JSON 6902 patch, as text.")
    target: FluxPatchTarget | None = Field(default=None, description="What it is for; without it, what the patch itself names.")

    def as_kustomize(self) -> dict[str, object]:
        """As it stands in `kustomization.yaml`."""
        target = self.target.model_dump(by_alias=True, exclude_none=True) if self.target else {}
        return {"patch": self.patch, **({"target": target} if target else {})}
