"""Which cuts count."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cuts import (
    NO_EPOCH,
    Cut,
    Span,
    encode_amendment,
    encode_claim,
    encode_cut,
    last_claim,
    overtaken,
    valid_cuts,
)
from stream_schemas.codec import decode_value, topic_of
from stream_schemas.event import Event
from stream_schemas.topics import CUTS


def cut(at: int, epoch: int, seq: int = 0) -> Cut:
    return Cut(partition=3, at=at, epoch=epoch, seq=seq, T=1_000, next=(1, 2), stamp=(5, 0), digest=7)


def test_a_cut_survives_writing_and_reading() -> None:
    written = cut(at=1, epoch=0, seq=4)
    assert list(valid_cuts([(0, 9, encode_claim("w")), (1, 9, encode_cut(written))], 3)) == [written]


FIRST = Span("v2", ("a", "b"), "000000000001-000000000002", {"heat_index_c": 41.0})


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (encode_claim("w", "v2"), "ClaimEvent"),
        (encode_claim("w"), "ClaimEvent"),
        (encode_cut(cut(1, 0, 4)), "CutEvent"),
        (encode_cut(replace(cut(1, 0, 4), span=FIRST, left_out=("a",), cap_ms=5)), "CutEvent"),
        (encode_amendment(0, 4, [("a", 17)]), "AmendmentEvent"),
        (encode_amendment(0, 4, [], ["anna"]), "AmendmentEvent"),
    ],
)
def test_what_is_written_is_what_the_contract_says(value: bytes, kind: str) -> None:
    event = decode_value(topic_of(CUTS), value)

    assert isinstance(event, Event), event
    assert type(event).__name__ == kind
    assert event.model_extra in (None, {})


def test_the_first_cut_of_a_span_survives_writing_and_reading() -> None:
    written = replace(cut(at=1, epoch=0, seq=4), span=FIRST, left_out=("a",), cap_ms=5)
    assert list(valid_cuts([(0, 9, encode_claim("w")), (1, 9, encode_cut(written))], 3)) == [written]


def test_an_amendment_counts_for_the_last_cut_under_the_claim_in_force_only() -> None:
    log = [
        (0, 1, encode_claim("a")),
        (1, 1, encode_cut(cut(1, 0, 4))),
        (2, 1, encode_amendment(0, 3, [("a", 1)])),  # another number
        (3, 1, encode_amendment(0, 4, [("a", 2)])),
        (4, 1, encode_claim("b")),
        (5, 1, encode_amendment(0, 4, [("a", 3)])),  # another claim
        (6, 1, encode_amendment(4, 4, [("b", 4)], ["anna"])),
    ]
    (found,) = valid_cuts(log, 3)
    assert found.without == (("a", 2), ("b", 4))
    assert found.without_wearers == ("anna",)


def test_a_cut_before_any_claim_is_void() -> None:
    assert list(valid_cuts([(0, 9, encode_cut(cut(0, NO_EPOCH)))], 3)) == []
    assert list(valid_cuts([(0, 9, encode_cut(cut(0, 0)))], 3)) == []


def test_a_cut_of_an_overtaken_owner_is_void_even_right_behind_the_claim() -> None:
    log = [
        (0, 1, encode_claim("a")),
        (1, 1, encode_cut(cut(1, 0))),
        (2, 1, encode_claim("b")),
        (3, 1, encode_cut(cut(3, 0))),
        (4, 1, encode_cut(cut(4, 2))),
    ]
    assert [(c.at, c.epoch) for c in valid_cuts(log, 3)] == [(1, 0), (4, 2)]


def test_records_that_are_neither_claim_nor_cut_decide_nothing() -> None:
    foreign = [
        None,
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'"claim"',
        b'{"claim":1}',
        b'{"e":0}',
        b'{"e":0,"q":0,"T":0,"n":[1],"s":[]}',
        b'{"claim":"x","y":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ]
    log = [
        (0, 1, encode_claim("a")),
        *((i, 1, value) for i, value in enumerate(foreign, 1)),
        (99, 1, encode_cut(cut(99, 0))),
    ]
    assert [c.at for c in valid_cuts(log, 3)] == [99]
    assert not overtaken(log[1:])


def test_a_claim_in_the_gap_means_overtaken_and_a_foreign_cut_does_not() -> None:
    assert overtaken([(5, 1, encode_cut(cut(5, 0))), (6, 1, encode_claim("b"))])
    assert not overtaken([(5, 1, encode_cut(cut(5, 0)))])
    assert not overtaken([])


@st.composite
def logs(draw: st.DrawFn) -> list[tuple[int, int, bytes]]:
    """Owners that claim, and cut in the belief that their latest claim still holds, interleaved anyhow."""
    believes: dict[str, int] = {}
    log = []
    for at, (owner, claims) in enumerate(draw(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=40))):
        if claims or owner not in believes:
            believes[owner] = at
            log.append((at, 1, encode_claim(owner)))
        else:
            log.append((at, 1, encode_cut(cut(at, believes[owner]))))
    return log


@given(logs())
def test_exactly_the_cuts_of_the_last_claimant_count(log: list[tuple[int, int, bytes]]) -> None:
    claims = [at for at, _, value in log if b"claim" in value]
    for one in valid_cuts(log, 3):
        assert one.epoch == max(at for at in claims if at < one.at)
    by_owner = {c.epoch for c in valid_cuts(log, 3)}
    assert by_owner <= set(claims)


@given(logs(), st.data())
def test_a_log_read_in_pieces_gives_the_cuts_of_the_whole(
    log: list[tuple[int, int, bytes]], data: st.DataObject
) -> None:
    split = data.draw(st.integers(0, len(log)))
    head, tail = log[:split], log[split:]
    assert list(valid_cuts(log, 3)) == [*valid_cuts(head, 3), *valid_cuts(tail, 3, last_claim(head))]
