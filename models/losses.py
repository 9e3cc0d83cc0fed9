"""What training minimises; every part can be switched off in the recipe by a weight of 0.

A label that is not known (NaN) adds nothing, a head without any label in the batch adds nothing.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as nnf

from models.heads import HAZARD_HEADS, SUB_HEALTH
from models.masking import MODALITY_N, MODALITY_ORDER
from models.network import Auxiliary, Inputs, Network

HEART_LIMIT_AT_REST_BPM, HEART_LIMIT_ACTIVE_BPM, PRESSURE_LIMIT_MMHG = 3.0, 5.0, 5.0
SPREAD_FLOOR = 0.5

# one bpm in each heart channel; one mmHg of systolic and of diastolic in the first four pressure features
_BPM_C = torch.tensor([1 / 25, 1 / 25, 1 / 25, 0, 1 / 15, 0, 0, 0, 0, 0])
_MMHG_2F = torch.tensor([[1 / 20, 0, 1 / 42, 1 / 12], [0, 1 / 12, 2 / 42, -1 / 12]])


def per_logit(y_BH: Tensor) -> Tensor:
    """Targets of the eleven logits (B, 11) from those of the ten heads; NaN = no loss.

    Hazard k asks only wearers still free of an episode at horizon k - 1; sub-health becomes "above level 0", "above 1".
    """
    at_risk = torch.cat([torch.ones_like(y_BH[:, :1]), y_BH[:, : HAZARD_HEADS - 1]], dim=1)
    first = torch.arange(HAZARD_HEADS, device=y_BH.device) == 0
    hazards = torch.where(first | (at_risk == 0), y_BH[:, :HAZARD_HEADS], torch.nan)
    level = y_BH[:, SUB_HEALTH : SUB_HEALTH + 1]
    steps = torch.where(level.isnan(), torch.nan, torch.cat([(level > 0).float(), (level > 1).float()], dim=1))
    return torch.cat([hazards, steps, y_BH[:, SUB_HEALTH + 1 :]], dim=1)


def supervised(logits: Tensor, y_BH: Tensor) -> Tensor:
    """Mean over the logits that have labels in the batch of their mean binary cross-entropy."""
    target = per_logit(y_BH)
    known = ~target.isnan()
    loss = nnf.binary_cross_entropy_with_logits(logits, torch.nan_to_num(target), reduction="none") * known
    count = known.sum(dim=0)
    return (loss.sum(dim=0) / count.clamp(min=1)).sum() / (count > 0).sum().clamp(min=1)


def self_supervised(restored: Tensor, values: Tensor, observed: Tensor, hidden_BN: Tensor) -> Tensor:
    """Huber loss on what was hidden on purpose and truly observed."""
    asked = observed & hidden_BN[:, :-1, None]
    loss = nnf.smooth_l1_loss(restored, values, reduction="none") * asked
    return loss.sum() / asked.sum().clamp(min=1)


def alignment(tokens_BND: Tensor, valid_BN: Tensor) -> Tensor:
    """1 - cosine between each modality and the mean of the wearer's others (no gradient into that mean).

    A floor under each modality's spread over the batch keeps all of them from collapsing into one point.
    """
    member_NM = nnf.one_hot(MODALITY_N, len(MODALITY_ORDER)).to(tokens_BND)
    weight_BNM = valid_BN[:, :, None] * member_NM
    count_BM = weight_BNM.sum(dim=1)
    z_BMD = torch.einsum("bnm,bnd->bmd", weight_BNM, tokens_BND) / count_BM.clamp(min=1)[:, :, None]
    there_BM = count_BM > 0
    others_BM = there_BM.sum(dim=1, keepdim=True) - there_BM.float()
    mean_BMD = (z_BMD.sum(dim=1, keepdim=True) - z_BMD) / others_BM.clamp(min=1)[:, :, None]
    apart = 1 - nnf.cosine_similarity(z_BMD, mean_BMD.detach(), dim=2)
    asked = there_BM & (others_BM > 0)
    enough_M = there_BM.sum(dim=0) >= 8
    n_M = there_BM.sum(dim=0).clamp(min=2)
    centre_MD = z_BMD.sum(dim=0) / n_M[:, None]
    variance_MD = (((z_BMD - centre_MD) ** 2) * there_BM[:, :, None]).sum(dim=0) / n_M[:, None]
    narrow_M = nnf.relu(SPREAD_FLOOR - torch.sqrt(variance_MD + 1e-4)).mean(dim=1) * enough_M
    return (apart * asked).sum() / asked.sum().clamp(min=1) + narrow_M.sum() / enough_M.sum().clamp(min=1)


class _Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def device_blind(auxiliary: Auxiliary, latents_BLD: Tensor, classes_B: Tensor, strength: float) -> Tensor:
    """Cross-entropy of guessing the cadence class; its gradient reaches the network reversed, times `strength`."""
    apply: Callable[..., Tensor] = _Reversed.apply
    guess: Tensor = auxiliary.device(apply(latents_BLD.mean(dim=1), strength))
    return nnf.cross_entropy(guess, classes_B)


def attacked(network: Network, inputs: Inputs, y_BH: Tensor) -> Inputs:
    """One step of the fast gradient sign method inside physical limits.

    Heart rate moves by at most 3 bpm a minute at rest and 5 otherwise, pressure by at most 5 mmHg, every derived
    channel with it; masks, counts and the profile stay.
    """
    device = inputs["heart"].device
    bpm_BT = torch.zeros_like(inputs["heart"][:, 0], requires_grad=True)
    mmhg_BE2 = torch.zeros(*inputs["pressure"].shape[:2], 2, device=device, requires_grad=True)
    loss = supervised(network(_moved(inputs, bpm_BT, mmhg_BE2)).logits, y_BH)
    slope_BT, slope_BE2 = torch.autograd.grad(loss, (bpm_BT, mmhg_BE2))
    limit_BT = torch.where(inputs["heart"][:, 6] > 0, HEART_LIMIT_AT_REST_BPM, HEART_LIMIT_ACTIVE_BPM)
    return _moved(inputs, slope_BT.sign() * limit_BT, slope_BE2.sign() * PRESSURE_LIMIT_MMHG)


def _moved(inputs: Inputs, bpm_BT: Tensor, mmhg_BE2: Tensor) -> Inputs:
    heart, pressure = inputs["heart"], inputs["pressure"]
    worn_BT = heart[:, 9] > 0
    known_own = (heart[:, 4].abs().sum(dim=1) > 0).float()
    scale_BC = _BPM_C.to(heart).expand(len(heart), -1).clone()
    scale_BC[:, 4] *= known_own
    moved = heart + (bpm_BT * worn_BT)[:, None] * scale_BC[:, :, None]
    shift = (mmhg_BE2 * pressure[:, :, -1:]) @ _MMHG_2F.to(pressure)
    return {**inputs, "heart": moved, "pressure": pressure + nnf.pad(shift, (0, pressure.shape[2] - 4))}
