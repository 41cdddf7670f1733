"""The window that grows and halves, and the rate that is kept."""

import asyncio
import time

from tinygsm_kit.convert.concurrency import AdaptiveLimit, RateLimit


def test_it_doubles_each_round_until_the_first_refusal_and_then_adds_one():
    limit = AdaptiveLimit(512)
    assert limit.limit == 32
    for _ in range(32):
        limit.well()
    assert limit.limit == 64
    limit.refused(ticket=1, retry_after=None)
    assert limit.limit == 32
    for _ in range(33):
        limit.well()
    assert 32.9 < limit.limit < 33.1


def test_all_refusals_of_one_window_halve_it_once():
    async def go() -> tuple[float, float]:
        limit = AdaptiveLimit(64)
        tickets = [await limit.acquire() for _ in range(20)]
        for ticket in tickets:
            limit.refused(ticket, None)
        after_one_window = limit.limit
        for _ in tickets:
            limit.release()
        limit.refused(await limit.acquire(), None)
        return after_one_window, limit.limit

    assert asyncio.run(go()) == (16.0, 8.0)


def test_never_below_one_nor_above_what_is_allowed():
    limit = AdaptiveLimit(40)
    for _ in range(1000):
        limit.well()
    assert limit.limit == 40
    limit = AdaptiveLimit(1)
    limit.refused(1, None)
    assert limit.limit == 1


def test_no_more_in_flight_than_the_limit_and_all_get_their_turn():
    async def go() -> tuple[int, int]:
        limit, most, done = AdaptiveLimit(7), 0, 0

        async def one() -> None:
            nonlocal most, done
            await limit.acquire()
            most = max(most, limit.in_flight)
            await asyncio.sleep(0)
            limit.release()
            done += 1

        await asyncio.gather(*(one() for _ in range(200)))
        return most, done

    assert asyncio.run(go()) == (7, 200)


def test_a_lone_refusal_holds_up_nobody_else_but_a_row_of_them_does():
    async def go() -> float:
        limit = AdaptiveLimit(8)
        limit.refused(1, 3600.0)
        await asyncio.wait_for(limit.acquire(), 60)
        started = time.monotonic()
        for _ in range(2):
            limit.refused(1, 0.2)
        await limit.acquire()
        return time.monotonic() - started

    assert asyncio.run(go()) >= 0.2


def test_the_rate_is_kept_after_the_bucket_is_empty():
    async def go() -> float:
        rate = RateLimit(1200)  # 20 a second, 120 in the bucket
        started = time.monotonic()
        for _ in range(124):
            await rate.take()
        return time.monotonic() - started

    assert asyncio.run(go()) >= 0.15


def test_what_was_not_used_comes_back():

    rate = RateLimit(600)
    rate.level = -50.0
    rate.give_back(100)
    assert 49.9 < rate.level <= 60
    assert RateLimit(None).per_second is None
