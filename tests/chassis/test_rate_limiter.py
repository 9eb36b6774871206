"""How often one caller may send requests; one beyond its rate is told when to try again."""

import pytest

from services.chassis.problem import TooManyRequests
from services.chassis.rate_limiter import BURST, CALLERS, RateLimiter


class Watch:
    """A clock that a test sets."""

    now = 1_000.0

    def __call__(self):
        return self.now


def asked(rates, caller="u-li", *, times):
    """Count the requests that were let in, of so many."""
    let_in = 0
    for _ in range(times):
        try:
            rates.take_token(caller)
        except TooManyRequests:
            continue
        let_in += 1
    return let_in


def test_a_caller_may_ask_a_burst_at_once_and_then_as_often_as_the_rate_says():
    watch = Watch()
    rates = RateLimiter(10.0, watch)

    assert asked(rates, times=1_000) == 10 * BURST
    watch.now += 1.0
    assert asked(rates, times=1_000) == 10
    watch.now += 1_000.0
    assert asked(rates, times=1_000) == 10 * BURST


def test_callers_do_not_use_up_each_others_rate():
    rates = RateLimiter(1.0, Watch())
    asked(rates, times=100)

    assert asked(rates, "u-wang", times=100) == BURST


def test_who_asks_too_often_is_told_in_how_many_seconds_to_come_again():
    watch = Watch()
    rates = RateLimiter(0.25, watch)
    rates.take_token("u-li")

    with pytest.raises(TooManyRequests) as refused:
        rates.take_token("u-li")
    watch.now += refused.value.involved["seconds"]
    rates.take_token("u-li")


def test_even_the_lowest_rate_lets_one_request_in():
    watch = Watch()
    rates = RateLimiter(0.01, watch)

    assert asked(rates, times=10) == 1
    watch.now += 100.0
    assert asked(rates, times=10) == 1


def test_a_rate_of_none_lets_everybody_in():
    assert asked(RateLimiter(0.0, Watch()), times=1_000) == 1_000


def test_callers_whose_bucket_is_full_again_are_forgotten():
    watch = Watch()
    rates = RateLimiter(1.0, watch)
    for number in range(CALLERS):
        rates.take_token(f"u-{number}")
    watch.now += 2.0
    rates.take_token("u-li")

    assert len(rates._full_at) == 1
