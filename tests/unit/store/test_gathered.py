"""What is asked for at the same time is done together, and everybody gets the result of his own piece."""

import asyncio
from collections.abc import Sequence

import pytest

from models.store.base.gathered import Gathered


class Doubling:
    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    async def __call__(self, numbers: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(numbers))
        await asyncio.sleep(0.01)
        if 13 in numbers:
            raise ValueError("thirteen")
        return [2 * number for number in numbers]


async def test_what_comes_meanwhile_is_done_together() -> None:
    work = Doubling()
    gathered = Gathered(work)
    first = asyncio.create_task(gathered.ask(1))
    await asyncio.sleep(0.001)
    assert await asyncio.gather(*(gathered.ask(number) for number in range(2, 20) if number != 13)) == [
        2 * number for number in range(2, 20) if number != 13
    ]
    assert await first == 2
    assert [len(batch) for batch in work.batches] == [1, 17]
    assert await gathered.ask(5) == 10


async def test_an_error_reaches_all_that_were_done_together_and_nobody_else() -> None:
    gathered = Gathered(Doubling())
    first = asyncio.create_task(gathered.ask(1))
    await asyncio.sleep(0.001)
    results = await asyncio.gather(gathered.ask(2), gathered.ask(13), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError]
    assert await first == 2
    with pytest.raises(ValueError, match="thirteen"):
        await gathered.ask(13)
    assert await gathered.ask(3) == 6


async def test_who_goes_away_leaves_the_others_their_results() -> None:
    gathered = Gathered(Doubling())
    first = asyncio.create_task(gathered.ask(1))
    await asyncio.sleep(0.001)
    gone, stays = asyncio.create_task(gathered.ask(2)), asyncio.create_task(gathered.ask(3))
    await asyncio.sleep(0.001)
    gone.cancel()
    assert await stays == 6
    assert await first == 2
    assert gone.cancelled()
