"""Muon on the hidden matrices, AdamW on the rest: one optimizer for the Trainer (Jordan et al., 2024)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tinygsm_kit.train.errors import TrainingError


class Float32Muon(torch.optim.Muon):
    """`torch.optim.Muon` with its Newton-Schulz iteration in float32, all matrices of one shape at once.

    torch's own casts to bfloat16, which a processor without such instructions emulates: 30 times slower, and most of a step.
    State and settings are the base class's. Only `adjust_lr_fn="match_rms_adamw"` is implemented.
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Momentum, orthogonalised, and decoupled weight decay (the base class's formulas)."""
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            for matrices in _by_shape([matrix for matrix in group["params"] if matrix.grad is not None]):
                updates = torch.stack([self._momentum(matrix, group) for matrix in matrices])
                updates = orthogonalise(updates, group["ns_coefficients"], group["ns_steps"], group["eps"])
                rate = group["lr"] * 0.2 * max(updates.shape[-2:]) ** 0.5
                for matrix, update in zip(matrices, updates, strict=True):
                    matrix.mul_(1 - group["lr"] * group["weight_decay"]).add_(update.to(matrix.dtype), alpha=-rate)
        return loss

    def _momentum(self, matrix: torch.Tensor, group: dict[str, Any]) -> torch.Tensor:
        """The gradient with (Nesterov) momentum, float32."""
        assert matrix.grad is not None
        gradient, state = matrix.grad, self.state[matrix]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        buffer = state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
        return (gradient.lerp(buffer, group["momentum"]) if group["nesterov"] else buffer).float()


def orthogonalise(matrices: torch.Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> torch.Tensor:
    """Each of the matrices (batch, rows, columns) with its singular values brought near one, by Newton-Schulz iteration."""
    a, b, c = coefficients
    tall = matrices.shape[-2] > matrices.shape[-1]
    result = matrices.mT if tall else matrices
    result = result / result.norm(dim=(-2, -1), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        gram = result @ result.mT
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        result = torch.baddbmm(result, polynomial, result, beta=a)
    return result.mT if tall else result


def _by_shape(matrices: list[torch.Tensor]) -> list[list[torch.Tensor]]:
    groups: dict[torch.Size, list[torch.Tensor]] = {}
    for matrix in matrices:
        groups.setdefault(matrix.shape, []).append(matrix)
    return list(groups.values())


class MuonAdamW(torch.optim.Optimizer):
    """`torch.optim.Muon` and `torch.optim.AdamW` behind one interface, so that schedulers and checkpoints see one optimizer.

    `lr` is AdamW's; Muon's updates are scaled to AdamW's root mean square, so that one learning rate can serve both.
    """

    def __init__(
        self,
        matrices: list[nn.Parameter],
        decayed: list[nn.Parameter],
        others: list[nn.Parameter],
        *,
        lr: float,
        muon_lr: float,
        weight_decay: float,
        betas: tuple[float, float],
        eps: float,
    ) -> None:
        kind = Float32Muon if matrices[0].device.type == "cpu" else torch.optim.Muon
        self.muon = kind(matrices, lr=muon_lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
        groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
        self.adamw = torch.optim.AdamW([group for group in groups if group["params"]], lr=lr, betas=betas, eps=eps)
        super().__init__(self._groups(), {"lr": lr})
        self._link()

    def _groups(self) -> list[dict[str, Any]]:
        return [*self.muon.param_groups, *self.adamw.param_groups]

    def _link(self) -> None:
        """Share the groups with both, so that a scheduler that sets `lr` here sets it there."""
        self.param_groups = self._groups()

    def step(self, closure: Any = None) -> Any:
        """One step of both."""
        loss = closure() if closure is not None else None
        self.muon.step()  # type: ignore[no-untyped-call,unused-ignore]
        self.adamw.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The states of both, under their names."""
        return {"muon": self.muon.state_dict(), "adamw": self.adamw.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore both."""
        self.muon.load_state_dict(state_dict["muon"])
        self.adamw.load_state_dict(state_dict["adamw"])
        self._link()


class MuonFactory:
    """What transformers' Trainer calls an optimizer factory: built without arguments, then called with the model."""

    def __call__(self, model: nn.Module, **settings: Any) -> MuonAdamW:
        """Split the model's parameters: matrices inside layers to Muon; embeddings, head, biases and norms to AdamW."""
        outside = {id(parameter) for parameter in _embedding_parameters(model)}
        trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
        matrices = [parameter for parameter in trainable if parameter.ndim == 2 and id(parameter) not in outside]
        if not matrices:
            raise TrainingError(
                "optimizer: muon found no hidden matrices in the model (sharded parameters have no shape of their own): "
                "use `optimizer: adamw`"
            )
        taken = {id(parameter) for parameter in matrices}
        rest = [parameter for parameter in trainable if id(parameter) not in taken]
        decayed = [parameter for parameter in rest if parameter.ndim > 1]
        others = [parameter for parameter in rest if parameter.ndim <= 1]
        return MuonAdamW(matrices, decayed, others, **settings)


def _embedding_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Weights of every embedding (positions included) and of the output head."""
    found = [parameter for module in model.modules() if isinstance(module, nn.Embedding) for parameter in module.parameters()]
    head = getattr(model, "get_output_embeddings", lambda: None)()
    return found + (list(head.parameters()) if head is not None else [])
