"""How a model is trained: every number and every switch, written into the bundle it made."""

from dataclasses import dataclass, field

from models.network import Shape


@dataclass(frozen=True, slots=True)
class Recipe:
    """A training run. A weight of 0 (or False) switches its part off.

    Parameters
    ----------
    seed : of the split, the draws, the first weights; with one thread the same seed gives the same bundle.
    epochs, samples_per_epoch, batch, patience : at most so many epochs; early stop after `patience` without a better
        validation loss.
    learning_rate, weight_decay, clip : AdamW with 5 % warm-up and a cosine; gradient norm limit.
    self_supervision, alignment, adversarial, device_blind : weights of the parts of models.losses.
    adversarial_every : the attack costs two passes, so it joins each n-th batch only.
    modality_dropout : hide whole modalities at random.
    tick_min, calibration_tick_min : distance of the moments looked at in validation and test, and in calibration.
    shares : of wearers for training, validation, calibration and, where no other people are given, the report.
    budget_per_wearer_day : false alerts a head may raise.
    lowest_limit, highest_limit : limits outside are not taken. An alert clears 0.1 below its limit, and a probability
        that never reaches 0.2 is nothing to call a person for.
    boosting : train gradient boosting on the same moments too, as a baseline of the report.
    """

    seed: int = 7
    epochs: int = 8
    samples_per_epoch: int = 16_384
    batch: int = 128
    patience: int = 3
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    clip: float = 1.0
    self_supervision: float = 0.3
    alignment: float = 0.05
    adversarial: float = 0.2
    adversarial_every: int = 6
    device_blind: float = 0.05
    modality_dropout: bool = True
    tick_min: int = 15
    calibration_tick_min: int = 60
    shares: tuple[float, float, float, float] = (0.6, 0.14, 0.14, 0.12)
    budget_per_wearer_day: float = 0.02
    lowest_limit: float = 0.2
    highest_limit: float = 0.98
    events_needed: int = 5
    bootstrap: int = 200
    boosting: bool = True
    shape: Shape = field(default_factory=Shape)
