"""Hiding tokens from the network: natural and artificial gaps look the same to it.

A hidden token's numbers become 0 and its mask False, exactly as if the data had never come.
"""

import torch
from torch import Tensor

from models.network import SSL_TARGETS, Inputs
from models.summary import SOURCES
from models.tensors import SPANS, TOKEN_COUNT, TOKENS

MODALITY_ORDER = tuple(dict.fromkeys(modality for _, modality in TOKENS.values()))
MODALITY_N = torch.tensor(
    [MODALITY_ORDER.index(modality) for tokens, modality in TOKENS.values() for _ in range(tokens)]
)


def hide(inputs: Inputs, hidden_BN: Tensor) -> Inputs:
    """Return the inputs without the hidden tokens; the profile is never hidden.

    A hidden last hour hides the five-minute tokens of that hour too. Channels that look back (slope, mean of the hour)
    may carry a trace of a hidden neighbour for minutes; nothing else does.
    """
    hidden_BN = hidden_BN.clone()
    hidden_BN[:, SPANS["profile"]] = False
    hidden_BN[:, SPANS["recent"]] |= hidden_BN[:, SPANS["heart"]][:, -1:]
    keep = {name: (~hidden_BN[:, span]).float() for name, span in SPANS.items()}
    heart_BT = keep["heart"].repeat_interleave(60, dim=1)
    heart_BT[:, -60:] *= keep["recent"].repeat_interleave(5, dim=1)
    sessions_BE = torch.cat([keep["sessions"].min(dim=1, keepdim=True).values.expand(-1, 7), keep["sessions"]], dim=1)
    pressure_BE = torch.cat([keep["pressure"].min(dim=1, keepdim=True).values.expand(-1, 8), keep["pressure"]], dim=1)
    return {
        "heart": inputs["heart"] * heart_BT[:, None],
        "activity": inputs["activity"] * keep["activity"].repeat_interleave(60, dim=1)[:, None],
        "sleep": inputs["sleep"] * keep["sleep"].repeat_interleave(12, dim=1)[:, None],
        "sessions": inputs["sessions"] * sessions_BE[:, :, None],
        "pressure": inputs["pressure"] * pressure_BE[:, :, None],
        "weather": inputs["weather"] * keep["weather"][:, :, None],
        "days": inputs["days"] * keep["days"][:, :, None],
        "profile": inputs["profile"],
        "summary": inputs["summary"] * _sources_left(keep),
        "valid": inputs["valid"] & ~hidden_BN,
    }


def _sources_left(keep: dict[str, Tensor]) -> Tensor:
    """Tell for each summary column whether its block's newest tokens are left, (B, 27) of 0 and 1."""
    left = {name: keep[name][:, -1] for name in ("heart", "pressure", "sessions", "days", "activity")}
    left["weather"] = keep["weather"][:, 3]  # the last of the past; the forecast lies behind it
    return torch.stack([left[name] for name in SOURCES], dim=1)


def drop_modalities(B: int, chance: torch.Generator) -> Tensor:
    """Choose whole modalities to hide, bool (B, 136): each with p drawn from U(0, 0.3) a sample, p = 0.9 in one of 20.

    One sample in seven also forgets all but its newest hours and days, as a wearer who has just begun.
    """
    p_B = torch.where(torch.rand(B, generator=chance) < 0.05, 0.9, 0.3 * torch.rand(B, generator=chance))
    dropped_BM = torch.rand(B, len(MODALITY_ORDER), generator=chance) < p_B[:, None]
    hidden_BN = dropped_BM[:, MODALITY_N]
    fresh_B1 = torch.rand(B, 1, generator=chance) < 1 / 7
    kept_B1 = torch.rand(B, 1, generator=chance)
    for name in ("heart", "activity", "sleep", "sessions", "days"):
        tokens = TOKENS[name][0]
        age_N = torch.arange(tokens, 0, -1) / tokens
        hidden_BN[:, SPANS[name]] |= fresh_B1 & (age_N[None] > torch.clamp(kept_B1, min=1.5 / tokens))
    return hidden_BN


def drop_tokens(B: int, chance: torch.Generator) -> Tensor:
    """Choose tokens to hide for self-supervision, bool (B, 136).

    Half of the samples at random, three in ten in one contiguous stretch of every block, one in five whole modalities;
    the share hidden is drawn from U(0.1, 0.5).
    """
    share_B1 = 0.1 + 0.4 * torch.rand(B, 1, generator=chance)
    at_random = torch.rand(B, TOKEN_COUNT, generator=chance) < share_B1
    begin_B1 = torch.rand(B, 1, generator=chance) * (1 - share_B1)
    place_N = torch.cat([torch.arange(tokens) / tokens for tokens, _ in TOKENS.values()])
    stretch = (place_N[None] >= begin_B1) & (place_N[None] < begin_B1 + share_B1)
    whole = (torch.rand(B, len(MODALITY_ORDER), generator=chance) < share_B1)[:, MODALITY_N]
    way_B1 = torch.rand(B, 1, generator=chance)
    return torch.where(way_B1 < 0.5, at_random, torch.where(way_B1 < 0.8, stretch, whole))


def restorable(inputs: Inputs) -> tuple[Tensor, Tensor]:
    """Values that the network should be able to restore, (B, 135, 12), and which of them were truly observed (bool).

    Grids give means over a token's observed minutes; events, days and weather their own values.
    """
    B = len(inputs["valid"])
    heart_BNTC = inputs["heart"][:, [0, 1, 2, 6]].transpose(1, 2)
    worn_BT = inputs["heart"][:, 9] > 0
    moved_BTC = inputs["activity"][:, [0, 1, 3]].transpose(1, 2)
    hours_BPHV = inputs["weather"].view(B, 8, 6, 9)
    rows = {
        "heart": _means(heart_BNTC, worn_BT, 24),
        "recent": _means(heart_BNTC[:, -60:], worn_BT[:, -60:], 12),
        "activity": _means(moved_BTC, inputs["activity"][:, 5] > 0, 24),
        "sleep": _means(inputs["sleep"][:, :6].transpose(1, 2), inputs["sleep"][:, 5] > 0, 24),
        "sessions": (inputs["sessions"][:, -7:, :5], inputs["sessions"][:, -7:, 5:10] > 0),
        "pressure": (inputs["pressure"][:, -8:, :2], inputs["pressure"][:, -8:, -1:].expand(-1, -1, 2) > 0),
        "weather": _weather_means(hours_BPHV),
        "days": (inputs["days"][:, :, :12], inputs["days"][:, :, -12:] > 0),
    }
    values = torch.zeros(B, TOKEN_COUNT - 1, SSL_TARGETS, device=inputs["heart"].device)
    observed = torch.zeros_like(values, dtype=torch.bool)
    for name, (value, there) in rows.items():
        values[:, SPANS[name], : value.shape[2]] = value
        observed[:, SPANS[name], : value.shape[2]] = there
    return values, observed & inputs["valid"][:, :-1, None]


def _means(x_BTC: Tensor, there_BT: Tensor, tokens: int) -> tuple[Tensor, Tensor]:
    B, T, C = x_BTC.shape
    there_BNT1 = there_BT.view(B, tokens, T // tokens, 1)
    count_BN1 = there_BNT1.sum(dim=2)
    mean_BNC = (x_BTC.reshape(B, tokens, T // tokens, C) * there_BNT1).sum(dim=2) / count_BN1.clamp(min=1)
    return mean_BNC, (count_BN1 > 0).expand(-1, -1, C)


def _weather_means(hours_BPHV: Tensor) -> tuple[Tensor, Tensor]:
    known = hours_BPHV[..., 5:] > 0
    count = known.sum(dim=2)
    return (hours_BPHV[..., :4] * known).sum(dim=2) / count.clamp(min=1), count > 0
