"""The risk network: convolutions for grids, recurrences for what comes now and then, latents that read all of it.

Legend: B batch, C channels, T time, N tokens (136), L latents (12), Q queries (one a task), D width (128).
A token that holds nothing becomes a learned vector *and* is masked out of attention; a profile token is always valid,
so no row is ever fully masked. 12 latents cross-attend to the tokens instead of the tokens to each other: four times
less work on a CPU.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from models.grids import ACTIVITY_CHANNELS, HEART_CHANNELS, SLEEP_CHANNELS
from models.heads import HAZARD_HEADS, HEAD_NAMES, SUB_HEALTH
from models.sporadic import DAY_COLUMNS, PRESSURE_FEATURES, PROFILE_FEATURES, SESSION_FEATURES, WEATHER_FEATURES
from models.summary import SOURCES
from models.tensors import CADENCE_CLASSES_S, RECENT_MIN, SPANS, TOKEN_COUNT, TOKENS

TASKS = (
    "deterioration",
    "sub_health",
    "infection",
    "uncontrolled_bp",
    "irregular_rhythm",
    "heat_strain",
    "poor_recovery",
)
LOGITS = HAZARD_HEADS + 2 + 5  # four hazards, two steps of sub-health, five yes-or-no heads
SSL_TARGETS = 12  # widest row of values that self-supervision restores
Inputs = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Shape:
    """The network's size."""

    width: int = 128
    latents: int = 12
    depth: int = 3
    attention_heads: int = 4
    recurrent: int = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """What one pass gives.

    logits (B, 11): four hazards, two ordinal steps, five yes-or-no. latents (B, 12, D) after the fusion, tokens
    (B, 136, D) as the encoders left them.
    """

    logits: Tensor
    latents: Tensor
    tokens: Tensor


class GridEncoder(nn.Module):
    """Minutes to tokens: three convolutions whose strides multiply to the token's length, with short depthwise mixing.

    x_BCT -> (B, N, D).
    """

    def __init__(self, channels: int, strides: tuple[int, ...], widths: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for stride, width in zip(strides, widths, strict=True):
            layers += [nn.Conv1d(channels, width, stride, stride), nn.GELU()]
            if width != widths[-1]:
                layers.append(nn.Conv1d(width, width, 3, padding=1, groups=width))
            channels = width
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x_BCT: Tensor) -> Tensor:
        """Encode a grid."""
        tokens_BDN: Tensor = self.layers(x_BCT)
        return tokens_BDN.transpose(1, 2)


class EventEncoder(nn.Module):
    """Readings that come now and then, oldest first, to one token each: a GRU that sees the gaps as numbers.

    x_BEF -> (B, last, D). Absent rows lie in front and are zeros.
    """

    def __init__(self, features: int, hidden: int, width: int, last: int) -> None:
        super().__init__()
        self.recurrence = nn.GRU(features, hidden, batch_first=True)
        self.out = nn.Linear(hidden, width)
        self.last = last

    def forward(self, x_BEF: Tensor) -> Tensor:
        """Encode events."""
        state_BEH, _ = self.recurrence(x_BEF)
        tokens: Tensor = self.out(state_BEH[:, -self.last :])
        return tokens


class Attention(nn.Module):
    """Multi-head attention of q_BQD over kv_BND with a feed-forward step, both residual and normalised before."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_q, self.norm_kv, self.norm_ff = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.kv, self.out = nn.Linear(width, width), nn.Linear(width, 2 * width), nn.Linear(width, width)
        self.ff = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, q_BQD: Tensor, kv_BND: Tensor | None = None, valid_BN: Tensor | None = None) -> Tensor:
        """Attend; without kv the queries attend to themselves."""
        B, Q, D = q_BQD.shape
        normed = self.norm_q(q_BQD)
        source = normed if kv_BND is None else self.norm_kv(kv_BND)
        q_BHQE = self.q(normed).view(B, Q, self.heads, -1).transpose(1, 2)
        k_BHNE, v_BHNE = self.kv(source).view(B, source.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        mask = None if valid_BN is None else valid_BN[:, None, None, :]
        read_BQD = nnf.scaled_dot_product_attention(q_BHQE, k_BHNE, v_BHNE, mask).transpose(1, 2).reshape(B, Q, D)
        x_BQD = q_BQD + self.out(read_BQD)
        answer: Tensor = x_BQD + self.ff(self.norm_ff(x_BQD))
        return answer


class Network(nn.Module):
    """Latent-bottleneck fusion of all modalities with one query and one small head a task.

    A short path adds what a handful of first numbers say (models.summary) to each logit.

    Missing: a token whose mask is False takes its block's learned vector and is masked out; with everything gone but
    the profile the network still answers (whether that answer is *shown* is the predictor's decision).
    """

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        shape = shape or Shape()
        D = shape.width
        self.shape = shape
        self.encoders = nn.ModuleDict(
            {
                "heart": GridEncoder(len(HEART_CHANNELS), (5, 3, 4), (32, 64, D)),
                "recent": GridEncoder(len(HEART_CHANNELS), (5,), (D,)),
                "activity": GridEncoder(len(ACTIVITY_CHANNELS), (5, 3, 4), (32, 64, D)),
                "sleep": GridEncoder(len(SLEEP_CHANNELS), (3, 2, 2), (32, 64, D)),
                "sessions": EventEncoder(SESSION_FEATURES, shape.recurrent, D, TOKENS["sessions"][0]),
                "pressure": EventEncoder(PRESSURE_FEATURES, shape.recurrent, D, TOKENS["pressure"][0]),
                "weather": nn.Linear(WEATHER_FEATURES, D),
                "days": nn.Linear(DAY_COLUMNS, D),
                "profile": nn.Linear(PROFILE_FEATURES, D),
            }
        )
        self.position_ND = nn.Parameter(0.02 * torch.randn(TOKEN_COUNT, D))
        self.missing_ND = nn.Parameter(0.02 * torch.randn(len(TOKENS), D))
        self.latent_LD = nn.Parameter(0.02 * torch.randn(shape.latents, D))
        self.query_QD = nn.Parameter(0.02 * torch.randn(len(TASKS), D))
        self.read = Attention(D, shape.attention_heads)
        self.think = nn.ModuleList(Attention(D, shape.attention_heads) for _ in range(shape.depth))
        self.reread = Attention(D, shape.attention_heads)
        self.ask = Attention(D, shape.attention_heads)
        self.norm = nn.LayerNorm(D)
        self.hazards = nn.Linear(D, HAZARD_HEADS)
        self.level = nn.Linear(D, 1)
        self.level_steps = nn.Parameter(torch.tensor([0.0, 0.5]))
        self.short = nn.Sequential(nn.Linear(len(SOURCES), 64), nn.GELU(), nn.Linear(64, LOGITS))
        self.yes_no = nn.ModuleList(nn.Linear(D, 1) for _ in TASKS[2:])
        kinds = torch.cat([torch.full((tokens,), i) for i, (tokens, _) in enumerate(TOKENS.values())])
        self.register_buffer("kind_N", kinds, persistent=False)
        self.register_buffer("seen_N", torch.ones(TOKEN_COUNT, dtype=torch.bool))

    def encode(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Return the tokens (B, N, D), the learned vector where one holds nothing, and their mask (B, N).

        A token that no training person ever had is treated as missing too: its weights would be noise.
        """
        sources = {**inputs, "recent": inputs["heart"][:, :, -RECENT_MIN:], "profile": inputs["profile"][:, None]}
        tokens_BND = torch.cat([self.encoders[name](sources[name]) for name in TOKENS], dim=1)
        valid_BN = inputs["valid"] & self.get_buffer("seen_N")
        missing_ND = self.missing_ND[self.get_buffer("kind_N")]
        return torch.where(valid_BN[:, :, None], tokens_BND, missing_ND) + self.position_ND, valid_BN

    def forward(self, inputs: Inputs) -> Answer:
        """Answer every head for every wearer."""
        tokens_BND, valid_BN = self.encode(inputs)
        B = len(tokens_BND)
        x_BLD = self.read(self.latent_LD.expand(B, -1, -1), tokens_BND, valid_BN)
        for block in self.think:
            x_BLD = block(x_BLD)
        x_BLD = self.reread(x_BLD, tokens_BND, valid_BN)
        task_BQD = self.norm(self.ask(self.query_QD.expand(B, -1, -1), x_BLD))
        level_B1 = self.level(task_BQD[:, 1])
        steps = torch.stack([self.level_steps[0], self.level_steps[0] + nnf.softplus(self.level_steps[1])])
        yes_no = [head(task_BQD[:, 2 + i]) for i, head in enumerate(self.yes_no)]
        logits = torch.cat([self.hazards(task_BQD[:, 0]), level_B1 - steps, *yes_no], dim=1)
        logits = logits + self.short(inputs["summary"])
        return Answer(logits, x_BLD, tokens_BND)


class Auxiliary(nn.Module):
    """What only training needs: restoring hidden values, and guessing the device class that should not be readable."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        D = shape.width
        self.query_ND = nn.Parameter(0.02 * torch.randn(TOKEN_COUNT, D))
        self.restore = Attention(D, shape.attention_heads)
        self.values = nn.ModuleDict({name: nn.Linear(D, SSL_TARGETS) for name in TOKENS if name != "profile"})
        self.device = nn.Sequential(nn.Linear(D, 64), nn.GELU(), nn.Linear(64, len(CADENCE_CLASSES_S) + 2))

    def restored(self, latents_BLD: Tensor) -> Tensor:
        """Values of every token but the profile's as the latents remember them, (B, 135, 12)."""
        read_BND = self.restore(self.query_ND.expand(len(latents_BLD), -1, -1), latents_BLD)
        return torch.cat([head(read_BND[:, SPANS[name]]) for name, head in self.values.items()], dim=1)


def probabilities(logits: Tensor) -> Tensor:
    """Turn calibrated logits (B, 11) into one probability a head (B, 10), in the order of HEAD_NAMES.

    The deterioration heads are cumulative risks of one discrete-time survival curve and so never fall with the horizon;
    sub-health is the probability of being below "well".
    """
    survived = torch.cumsum(nnf.logsigmoid(-logits[:, :HAZARD_HEADS]), dim=1)
    rest = torch.sigmoid(logits[:, HAZARD_HEADS:])
    return torch.cat([-torch.expm1(survived), rest[:, :1], rest[:, 2:]], dim=1)


assert len(HEAD_NAMES) + 1 == LOGITS  # noqa: S101 - only sub-health takes two
assert SUB_HEALTH == HAZARD_HEADS  # noqa: S101 - the layout of probabilities()
