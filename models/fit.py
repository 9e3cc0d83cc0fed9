"""The training loop: moments of training people in, a network out."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from models.dataset import Dataset, Ticks
from models.heads import HEADS
from models.losses import alignment, attacked, device_blind, self_supervised, supervised
from models.masking import drop_modalities, drop_tokens, hide, restorable
from models.network import Auxiliary, EventEncoder, GridEncoder, Inputs, Network
from models.recipe import Recipe
from models.tensors import INPUTS, Tensors, cadence_class, tensors

F32 = NDArray[np.float32]
Told = Callable[[str, int, int], None]  # stage, done, of how many


def as_inputs(made: Tensors, device: torch.device) -> Inputs:
    """Move a batch to the device under its names."""
    return {name: torch.from_numpy(getattr(made, name)).to(device) for name in INPUTS}


class Draws:
    """Which moments of the training people to look at: half of them where some head says yes, half anywhere."""

    def __init__(self, ticks: Ticks, y: F32, seed: int) -> None:
        self._ticks, self._y = ticks, y
        self._chance = np.random.default_rng(seed)
        self._yes = [rows for rows in (np.flatnonzero(y[:, head] > 0) for head in range(len(HEADS))) if len(rows)]

    def draw(self, n: int) -> tuple[Ticks, F32]:
        """Draw n moments with replacement, ordered at random."""
        rows = self._chance.integers(0, len(self._ticks), n)
        if self._yes:
            for place in range(0, n, 2):
                head = self._yes[self._chance.integers(0, len(self._yes))]
                rows[place] = head[self._chance.integers(0, len(head))]
        rows = self._chance.permutation(rows)
        return self._ticks.rows(rows), self._y[rows]


class Seen:
    """Which tokens and features training ever held; what it never held must not speak later."""

    def __init__(self) -> None:
        self._tokens: NDArray[np.bool_] | None = None
        self._features: dict[str, NDArray[np.bool_]] = {}

    def note(self, made: Tensors) -> None:
        """Add a batch."""
        tokens = made.valid.any(axis=0)
        self._tokens = np.asarray(tokens if self._tokens is None else self._tokens | tokens)
        for name in INPUTS[:-1]:
            values = getattr(made, name)
            axes = (0, 2) if name in ("heart", "activity", "sleep") else tuple(range(values.ndim - 1))
            there = (values != 0).any(axis=axes)
            self._features[name] = there | self._features.get(name, np.zeros_like(there))

    def forget(self, network: Network) -> None:
        """Silence the unseen: their tokens are masked for good, their columns of the first layers become 0."""
        with torch.no_grad():
            network.get_buffer("seen_N").copy_(torch.from_numpy(self._tokens))
            for name, there in self._features.items():
                unseen = torch.from_numpy(~there)
                encoders = ("heart", "recent") if name == "heart" else (name,)
                for layer in (network.short[0],) if name == "summary" else (network.encoders[e] for e in encoders):
                    if isinstance(layer, GridEncoder):
                        layer = layer.layers[0]
                    weight = layer.recurrence.weight_ih_l0 if isinstance(layer, EventEncoder) else layer.weight
                    assert isinstance(weight, Tensor)  # noqa: S101 - for the type checker
                    weight[:, unseen] = 0.0


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained network, and how the run went (for the report)."""

    network: Network
    epochs: int
    validation_loss: float


def fit(
    dataset: Dataset,
    training: tuple[Ticks, F32],
    validation: tuple[Ticks, F32],
    recipe: Recipe,
    *,
    device: torch.device,
    log: Path | None,
    told: Told,
) -> Fitted:
    """Train on the moments of one group of people and stop by another's.

    Parameters
    ----------
    training, validation : moments and their targets (n, 10), NaN where a head learns nothing.
    log : TensorBoard folder, None = none.
    told : called with the stage, steps done and steps in all.
    """
    torch.manual_seed(recipe.seed)
    network, auxiliary = Network(recipe.shape).to(device), Auxiliary(recipe.shape).to(device)
    parameters = [*network.parameters(), *auxiliary.parameters()]
    optimiser = torch.optim.AdamW(parameters, recipe.learning_rate, weight_decay=recipe.weight_decay)
    steps = max(recipe.samples_per_epoch // recipe.batch, 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _warm_cosine(recipe.epochs * steps))
    draws, seen, chance = Draws(*training, recipe.seed), Seen(), torch.Generator().manual_seed(recipe.seed)
    fixed_ticks, fixed_y = Draws(*validation, recipe.seed).draw(min(4096, recipe.samples_per_epoch // 4))
    writer = SummaryWriter(str(log)) if log is not None else None
    best, best_loss, best_epoch, epoch = network.state_dict(), math.inf, 0, 0
    for epoch in range(1, recipe.epochs + 1):
        network.train()
        for step in range(steps):
            ticks, y = draws.draw(recipe.batch)
            snapshot = dataset.snapshot(ticks)
            made = tensors(snapshot)
            seen.note(made)
            classes = torch.from_numpy(cadence_class(snapshot.cadence_s)).to(device)
            at = (epoch - 1) * steps + step
            parts = _parts(
                network,
                auxiliary,
                as_inputs(made, device),
                torch.from_numpy(y).to(device),
                classes,
                recipe,
                at,
                chance,
                progress=at / (recipe.epochs * steps),
            )
            optimiser.zero_grad(set_to_none=True)
            total = torch.stack(list(parts.values())).sum()
            total.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
            optimiser.step()
            schedule.step()
            told("training", at + 1, recipe.epochs * steps)
            if writer is not None and at % 10 == 0:
                for name, value in parts.items():
                    writer.add_scalar(f"loss/{name}", value.item(), at)
        loss = _validation_loss(network, dataset, fixed_ticks, fixed_y, device)
        if writer is not None:
            writer.add_scalar("validation/loss", loss, epoch)
        if loss < best_loss:
            best, best_loss, best_epoch = {k: v.clone() for k, v in network.state_dict().items()}, loss, epoch
        elif epoch - best_epoch >= recipe.patience:
            break
    if writer is not None:
        writer.close()
    told("training", recipe.epochs * steps, recipe.epochs * steps)
    network.load_state_dict(best)
    seen.forget(network)
    return Fitted(network.eval(), epoch, best_loss)


def _warm_cosine(steps: int) -> Callable[[int], float]:
    warm = max(steps // 20, 1)
    return lambda at: min((at + 1) / warm, 0.5 * (1 + math.cos(math.pi * min(at / max(steps, 1), 1))))


def _parts(
    network: Network,
    auxiliary: Auxiliary,
    inputs: Inputs,
    y: Tensor,
    classes: Tensor,
    recipe: Recipe,
    at: int,
    chance: torch.Generator,
    *,
    progress: float,
) -> dict[str, Tensor]:
    """Weighted parts of the loss of one batch."""
    B = len(y)
    hidden = torch.zeros_like(inputs["valid"])
    if recipe.modality_dropout:
        hidden |= drop_modalities(B, chance).to(hidden.device)
    if recipe.self_supervision:
        half = (torch.rand(B, 1, generator=chance) < 0.4).to(hidden.device)
        hidden |= half & drop_tokens(B, chance).to(hidden.device)
    shown = hide(inputs, hidden) if hidden.any() else inputs
    answer = network(shown)
    parts = {"supervised": supervised(answer.logits, y)}
    if recipe.self_supervision:
        values, observed = restorable(inputs)
        lost = self_supervised(auxiliary.restored(answer.latents), values, observed, hidden)
        parts["self_supervision"] = recipe.self_supervision * lost
    if recipe.alignment:
        parts["alignment"] = recipe.alignment * alignment(answer.tokens, shown["valid"])
    if recipe.device_blind:
        guessed = device_blind(auxiliary, answer.latents, classes, progress)
        parts["device_blind"] = recipe.device_blind * guessed
    if recipe.adversarial and at % recipe.adversarial_every == 0:
        hostile = attacked(network, shown, y)
        parts["adversarial"] = recipe.adversarial * supervised(network(hostile).logits, y)
    return parts


def batches(n: int, size: int) -> Iterator[slice]:
    """Cut n rows into slices of at most `size`."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def raw_logits(network: Network, dataset: Dataset, ticks: Ticks, device: torch.device) -> F32:
    """Uncalibrated logits of every moment, float32 (n, 11)."""
    network.eval()
    with torch.inference_mode():
        parts = [
            network(as_inputs(tensors(dataset.snapshot(ticks.rows(rows))), device)).logits.cpu().numpy()
            for rows in batches(len(ticks), 128)
        ]
    return np.concatenate(parts) if parts else np.zeros((0, len(HEADS) + 1), np.float32)


def _validation_loss(network: Network, dataset: Dataset, ticks: Ticks, y: F32, device: torch.device) -> float:
    logits = torch.from_numpy(raw_logits(network, dataset, ticks, device))
    return float(supervised(logits, torch.from_numpy(y)))
