"""What must be so, in whatever order the requests of one browser went on?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from itertools import count, product

from core.paper import COOKIE
from interleavings.orders import Order, Orders
from interleavings.world import ENDING, OPENING, Cut, Held, Sent, World, proof_in

from quart_login._core import proofs

Make = Callable[[str, Sequence[str], Cut | None], World]
Check = Callable[[World], Awaitable[None]]


async def play(
    make: Make, start: str, whats: Sequence[str], check: Check, cut: Cut | None = None
) -> int:
    """Play *whats* in every order, and *check* how each came out.  Return how many there were."""
    orders = Orders()
    for order in orders:
        world = make(start, whats, cut)
        try:
            while (name := order.choose(world.pending())) is not None:
                await world.advance(name)
            if order.is_whole:
                await check(world)
        except Exception as error:
            raise told(error, order, start) from None
        finally:
            await world.close()
    return orders.whole


def told(error: Exception, order: Order, start: str) -> Exception:
    """Return *error*, which says in which order it came."""
    error.add_note(f"in a browser with {start}, in this order:\n{order}")
    return error


async def cut_at_each_wait(make: Make, start: str, whats: Sequence[str], how: str) -> int:
    """Cut the first of *whats* off at each of its waits, in every order with the others.  Return
    how many waits it has, at most.
    """
    for wait in count(1):
        was_cut = set()

        async def look(world: World, was_cut: set[bool] = was_cut) -> None:
            was_cut.add(next(iter(world.sent.values())).is_cut)
            await check_cut(world)

        await play(make, start, whats, look, Cut(how, wait))
        if True not in was_cut:
            return wait - 1
    raise AssertionError


async def check(world: World) -> None:
    check_store(world)
    await check_credentials(world)
    await check_browser(world)
    check_answers(world)


def check_store(world: World) -> None:
    """No login is there again that ended, and what was to end has ended."""
    alive = set(world.store._sessions)
    assert not alive & world.store.ended, "P8: on the server, an ended login is there again"
    if world.ends_the_first():
        assert world.first not in alive, "P5: it has returned, and has not ended the login"


async def check_credentials(world: World) -> None:
    """No copy of anything that was ever given out is good, if its login has ended."""
    for held in world.issued:
        with world.supposing():
            logins = world.store.logins()
            found = await world.visit(held)
            assert found is None or found[0] == logins[found[1]], "P1: whose is that?"
    if any(one.did and one.what in {"confirm", *OPENING} for one in world.sent.values()):
        with world.supposing():
            found = await world.visit(world.issued[0].without_cookie())
            assert found is None, "P6: the session from before proves something yet"


async def check_browser(world: World) -> None:
    """What the browser holds in the end is good or not, now and later."""
    for held in world.outcomes():
        parts = [held, held.without_session()] if held.has_both() else [held]
        for part, wait in product(parts, (0, 61)):
            with world.supposing(wait):
                await check_part(world, part)


async def check_part(world: World, held: Held) -> None:
    must = must_be_good(world, held)
    found = await world.visit(held, heard=world.heard)
    assert found is None or found[1] not in world.store.ended
    if world.ends_the_first() and not world.whats & OPENING:
        assert found is None, "P8: the login is back in the browser"
    if must:
        assert found == ("alice", world.first), "P9: what the browser holds is not good"


def must_be_good(world: World, held: Held) -> bool:
    """Must *held* be good, as nothing has ended its login?"""
    if world.whats & ENDING:
        return False
    if world.start != "session" or "confirm" not in world.whats:
        return True
    # No remember cookie helps where the answer to a confirmation is lost, or overtaken by another.
    proof, login = proof_in(held), world.store._sessions[world.first]
    return proof is not None and proofs.is_of(proof.secret, login.digest)


def check_answers(world: World) -> None:
    """Nobody is taken for a thief, and who is nobody takes nothing from the browser."""
    assert "remember-theft-detected" not in world.heard, "P9: a theft is seen, and there was none"
    if world.whats & ENDING:
        return
    answered = [one for one in world.sent.values() if one.is_answered]
    for one in answered:
        if one.user is None:
            assert not one.writes(), "P9: a login is taken from the browser"
    if world.whats <= {"page", "write"}:
        replaced = [one.brought.get(COOKIE) for one in answered if sets(one)]
        assert len(set(replaced)) == len(replaced), "P9: two answers replace one remember cookie"
        assert all(one.user is not None for one in answered)


def sets(sent: Sent) -> bool:
    """Does the answer set the remember cookie?"""
    return any(line.startswith(f"{COOKIE}=") for line in sent.cookies)


# --- p 14: one that is cut off -------------------------------------------------------------------


async def check_cut(world: World) -> None:
    """All of it happened, or nothing: as far as anybody can see who holds a credential."""
    await check(world)
    one, *others = world.sent.values()
    if one.is_cut and one.cut and one.cut.how == "cancelled":
        alive = set(world.store.logins())
        assert alive <= world.given_out(), "P14: a login was opened that no browser ever got"
    if one.is_cut and not others:
        await check_alone(world, one.what)


async def check_alone(world: World, what: str) -> None:
    if what in OPENING and world.first not in world.store.logins():
        # A login that is cancelled at its very end is taken back, and its former has ended.
        is_late = world.cut is not None and world.cut.how == "cancelled"
        assert world.store.logins() or is_late, "P14: the former login ended before the new one"
    overtaken = world.start == "session" and what == "confirm"
    with world.supposing():
        stands = world.first in world.store.logins()
        is_good = await world.visit(world.held) is not None
        assert is_good == stands or overtaken, "P14: half of a login is left"
    with world.supposing():
        did, held = await world.again(what)
        if what in OPENING:
            assert did and await world.visit(held), "P14: nobody can log in any more"
        elif what in ENDING:
            assert did or what == "revoke", "P14: nobody can log out any more"
            assert await world.visit(held) is None
