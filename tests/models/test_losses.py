"""The parts of the loss, each at work on its own."""

import numpy as np
import torch

from models import losses
from models.masking import drop_modalities, drop_tokens, hide, restorable
from models.network import LOGITS, Auxiliary, Inputs, Network, Shape
from models.tensors import INPUTS, SPANS, TOKEN_COUNT, tensors
from tests.models.people import well_known

NAN = float("nan")
SHAPE = Shape(width=32, latents=4, depth=1, attention_heads=2, recurrent=16)


def _inputs(B: int = 4) -> Inputs:
    made = tensors(well_known(B))
    return {name: torch.from_numpy(getattr(made, name)) for name in INPUTS}


def test_an_unknown_label_adds_nothing() -> None:
    y = torch.full((3, 10), NAN)
    y[0, 5] = 1.0
    logits = torch.zeros(3, LOGITS, requires_grad=True)

    loss = losses.supervised(logits, y)
    loss.backward()  # type: ignore[no-untyped-call]

    assert loss.item() == torch.log(torch.tensor(2.0)).item()
    assert logits.grad is not None
    assert logits.grad.count_nonzero() == 1
    assert losses.supervised(torch.zeros(2, LOGITS), torch.full((2, 10), NAN)).item() == 0


def test_a_hazard_asks_only_those_who_came_so_far() -> None:
    y = torch.full((3, 10), NAN)
    y[:, :4] = torch.tensor([[0, 1, 1, 1], [1, 1, 1, 1], [0, 0, NAN, NAN]])

    asked = losses.per_logit(y)[:, :4]

    np.testing.assert_array_equal(asked.numpy(), [[0, 1, NAN, NAN], [1, NAN, NAN, NAN], [0, 0, NAN, NAN]])


def test_levels_of_sub_health_become_two_steps() -> None:
    y = torch.full((4, 10), NAN)
    y[:, 4] = torch.tensor([0.0, 1.0, 2.0, NAN])

    np.testing.assert_array_equal(losses.per_logit(y)[:, 4:6].numpy(), [[0, 0], [1, 0], [1, 1], [NAN, NAN]])


def test_hidden_tokens_leave_no_number_behind() -> None:
    inputs = _inputs()

    hidden = hide(inputs, torch.ones(4, TOKEN_COUNT, dtype=torch.bool))

    for name in INPUTS[:-1]:
        assert name == "profile" or hidden[name].count_nonzero() == 0
    assert hidden["valid"].sum().item() == 4, "the profile stays"
    shown = hide(inputs, torch.zeros(4, TOKEN_COUNT, dtype=torch.bool))
    assert all(torch.equal(shown[name], inputs[name]) for name in INPUTS)


def test_self_supervision_counts_only_what_was_hidden_on_purpose_and_observed() -> None:
    inputs = _inputs()
    values, observed = restorable(inputs)
    hidden = torch.zeros(4, TOKEN_COUNT, dtype=torch.bool)
    hidden[0, SPANS["days"].start] = True
    wrong = values.clone()
    wrong[1:] += 9.0

    assert losses.self_supervised(wrong, values, observed, hidden).item() == 0
    wrong[0, SPANS["days"].start] += 2.0
    assert losses.self_supervised(wrong, values, observed, hidden).item() == 1.5  # Huber of 2
    assert losses.self_supervised(wrong, values, torch.zeros_like(observed), hidden).item() == 0


def test_chosen_gaps_hide_some_but_not_all() -> None:
    chance = torch.Generator().manual_seed(1)

    for hidden in (drop_tokens(400, chance), drop_modalities(400, chance)):
        share = hidden.float().mean().item()
        assert 0.1 < share < 0.6


def test_alignment_is_least_where_modalities_agree() -> None:
    valid = torch.ones(16, TOKEN_COUNT, dtype=torch.bool)
    person = torch.randn(16, 1, 8, generator=torch.Generator().manual_seed(1)) * 3
    agreeing = person.expand(-1, TOKEN_COUNT, -1)
    apart = torch.randn(16, TOKEN_COUNT, 8, generator=torch.Generator().manual_seed(2)) * 30

    assert losses.alignment(agreeing, valid).item() < 0.05
    assert losses.alignment(apart, valid).item() > 0.3
    collapsed = torch.ones(16, TOKEN_COUNT, 8)
    assert losses.alignment(collapsed, valid).item() > 0.4, "the floor under the spread"


def test_the_gradient_of_the_device_guess_is_reversed() -> None:
    torch.manual_seed(0)
    auxiliary = Auxiliary(SHAPE)
    classes = torch.tensor([0, 1, 2, 3])
    latents = torch.randn(4, 4, 32)

    def slope(strength: float) -> torch.Tensor:
        x = latents.clone().requires_grad_()
        losses.device_blind(auxiliary, x, classes, strength).backward()  # type: ignore[no-untyped-call]
        assert x.grad is not None
        return x.grad

    torch.testing.assert_close(slope(1.0), -slope(-1.0))
    assert slope(0.0).count_nonzero() == 0


def test_an_attack_raises_the_loss_within_physical_limits() -> None:
    torch.manual_seed(0)
    network, inputs = Network(SHAPE).eval(), _inputs(8)
    y = torch.zeros(8, 10)

    hostile = losses.attacked(network, inputs, y)

    moved_bpm = (hostile["heart"][:, 0] - inputs["heart"][:, 0]).abs() * 25
    assert 0 < moved_bpm.max().item() <= losses.HEART_LIMIT_ACTIVE_BPM + 1e-3
    assert (moved_bpm * (inputs["heart"][:, 6] > 0)).max().item() <= losses.HEART_LIMIT_AT_REST_BPM + 1e-3
    moved_mmhg = (hostile["pressure"][:, :, 0] - inputs["pressure"][:, :, 0]).abs() * 20
    assert moved_mmhg.max().item() <= losses.PRESSURE_LIMIT_MMHG + 1e-3
    assert torch.equal(hostile["valid"], inputs["valid"])
    assert torch.equal(hostile["profile"], inputs["profile"])
    before = losses.supervised(network(inputs).logits, y)
    assert losses.supervised(network(hostile).logits, y) > before
