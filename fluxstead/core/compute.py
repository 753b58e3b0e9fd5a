"""What the containers of one of a system's parts ask for, and what they cannot exceed."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from fluxstead.core.described import Described
from fluxstead.core.quantity import Cpu, Memory, Quantity
from fluxstead.core.refusal import refuse


class Compute(Described):
    """Amounts of CPU and memory."""

    cpu: Cpu | None = Field(default=None, description="Cores, such as 250m.")
    memory: Memory | None = Field(default=None, description="Bytes, such as 128Mi.")

    @property
    def amounts(self) -> dict[str, Quantity]:
        """What is said, by Kubernetes' names."""
        said = {"cpu": self.cpu, "memory": self.memory}
        return {name: quantity for name, quantity in said.items() if quantity is not None}

    def written(self) -> dict[str, str]:
        """What is said, as Kubernetes has it."""
        return {name: str(quantity) for name, quantity in self.amounts.items()}


class ComputeResources(Described):
    """What is set aside for each pod, and what it cannot exceed."""

    requests: Compute = Field(default_factory=Compute, description="What the scheduler sets aside for each pod.")
    limits: Compute = Field(
        default_factory=Compute,
        description="What a pod cannot exceed: above memory it is killed and starts again, above cpu it is slowed down.",
    )

    @model_validator(mode="after")
    def _asks_for_what_it_may_have(self) -> Self:
        for name in ("cpu", "memory"):
            asked, most = getattr(self.requests, name), getattr(self.limits, name)
            if asked is not None and most is not None and asked.amount > most.amount:
                raise refuse(
                    f"{asked} of {name} requested, above the limit of {most}",
                    why="the API server refuses every pod",
                    fix=f"a request of {most} or less, or a higher limit",
                )
        return self

    def written(self) -> dict[str, Any]:
        """As Kubernetes has it."""
        both = {"requests": self.requests.written(), "limits": self.limits.written()}
        return {name: amounts for name, amounts in both.items() if amounts}


def resources(cpu: str, memory: str, most: str | None = None) -> ComputeResources:
    """Requests of CPU and memory, and the most memory; none where it must not be killed, and never a limit of CPU."""
    return ComputeResources.model_validate({"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": most} if most else {}})
