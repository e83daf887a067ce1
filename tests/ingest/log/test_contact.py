"""Contact with Kafka is lost when polls stay without any answer, and only then."""

from __future__ import annotations

from ingest.log.kafka.contact import CONTACT_S, Contact


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def polled(contact: Contact, clock: Clock, seconds: float, answered_s: float) -> str | None:
    """What contact says after polls every half second, the last answer to which came at `answered_s`."""
    end_s = clock.now_s + seconds
    problem = None
    while clock.now_s < end_s:
        clock.now_s += 0.5
        problem = contact.problem(answered_s, contact.silence_s(answered_s))
    return problem.message if problem else None


def test_polls_without_an_answer_are_silence_until_one_comes() -> None:
    clock = Clock()
    contact = Contact("the consumer 'a'", clock)
    assert polled(contact, clock, CONTACT_S, answered_s=100.0) is None
    assert polled(contact, clock, 1, answered_s=100.0) == "no broker has answered the consumer 'a' for 16 s"
    assert polled(contact, clock, 1, answered_s=clock.now_s) is None


def test_a_client_that_was_never_answered_has_as_long_as_one_that_was() -> None:
    clock = Clock()
    contact = Contact("it", clock)
    assert polled(contact, clock, CONTACT_S, answered_s=float("-inf")) is None
    assert polled(contact, clock, 1, answered_s=float("-inf")) is not None
    contact.renew()
    assert polled(contact, clock, CONTACT_S, answered_s=float("-inf")) is None


def test_time_in_which_nobody_polled_is_no_silence() -> None:
    clock = Clock()
    contact = Contact("it", clock)
    assert polled(contact, clock, 1, answered_s=100.0) is None
    clock.now_s += 10 * CONTACT_S
    assert polled(contact, clock, CONTACT_S - 2, answered_s=100.0) is None


def test_after_a_request_without_an_answer_an_empty_poll_is_no_contact() -> None:
    clock = Clock()
    contact = Contact("it", clock)
    assert polled(contact, clock, 1, answered_s=clock.now_s) is None
    contact.failed()
    assert polled(contact, clock, 1, answered_s=clock.now_s - 1) is not None
    assert polled(contact, clock, 1, answered_s=clock.now_s) is None
