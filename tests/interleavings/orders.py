"""In which orders can the waits of several requests follow one another?  Each of them, in turn.

    for order in Orders():
        world = World()
        while (name := order.choose(world.pending())) is not None:
            world.advance(name)
        if order.is_whole:
            world.check()

Whoever is *pending* waits to do something, its `Act`; the order says who does it next.  A world is
made anew for each order, and must be the same each time for the same choices.

Rule 1.  Every order is tried, but for those that differ in nothing that anybody could see: of two
         neighbours that do not touch the same thing, only one order is tried ("sleep sets": P.
         Godefroid, Partial-Order Methods for the Verification of Concurrent Systems, chapter 5).
Rule 2.  With ``all=True`` those are tried, too.  It takes much longer and finds nothing more, which
         `test_orders` shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Act(NamedTuple):
    """What one who waits will do next."""

    name: str
    #: What it looks at, and what it changes, of what others may see.
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()

    def meets(self, other: Act) -> bool:
        """Does it matter which of the two comes first?"""
        return bool(
            self.writes & (other.reads | other.writes) or other.writes & (self.reads | self.writes)
        )


def act(name: str, *, reads: str = "", writes: str = "") -> Act:
    """Return an `Act` that touches the things whose names are given, apart by spaces."""
    return Act(name, frozenset(reads.split()), frozenset(writes.split()))


class _Turn:
    """One choice of an order: who could go on, and who did."""

    def __init__(self, pending: Mapping[str, Act], asleep: frozenset[str], taken: str) -> None:
        self.pending, self.asleep, self.taken = dict(pending), set(asleep), taken

    def left_asleep(self, all: bool) -> frozenset[str]:
        """Return who needs not be tried after this turn: what they do meets not what was done."""
        done = self.pending[self.taken]
        return frozenset(
            name
            for name in self.asleep
            if name != self.taken and not all and not self.pending[name].meets(done)
        )

    def turns_over(self) -> bool:
        """Take somebody else; False if all were."""
        self.asleep.add(self.taken)
        others = [name for name in self.pending if name not in self.asleep]
        if others:
            self.taken = others[0]
        return bool(others)


class Order:
    """One order, as it is chosen."""

    def __init__(self, turns: list[_Turn], all: bool) -> None:
        self._turns, self._all, self._at = turns, all, 0
        #: Did it come to an end where nobody is pending?
        self.is_whole = False

    def choose(self, pending: Mapping[str, Act]) -> str | None:
        """Return who goes on; None at the end."""
        if self._at == len(self._turns):
            last = self._turns[-1].left_asleep(self._all) if self._turns else frozenset()
            awake = [name for name in pending if name not in last]
            if not awake:
                self.is_whole = not pending
                return None
            self._turns.append(_Turn(pending, last, awake[0]))
        turn = self._turns[self._at]
        assert turn.pending == pending, f"{turn.pending} came as {pending}: it is not the same"
        self._at += 1
        return turn.taken

    def __str__(self) -> str:
        said = (f"{turn.taken}: {turn.pending[turn.taken].name}" for turn in self._turns)
        return "\n".join(said)


class Orders:
    """All orders, one after another."""

    def __init__(self, *, all: bool = False) -> None:
        self._all = all
        #: How many were whole so far.
        self.whole = 0

    def __iter__(self) -> Iterator[Order]:
        turns: list[_Turn] = []
        while True:
            order = Order(turns, self._all)
            yield order
            self.whole += order.is_whole
            while turns and not turns[-1].turns_over():
                turns.pop()
            if not turns:
                return
