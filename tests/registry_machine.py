"""A machine that does to an application whatever browsers, thieves, operators and clocks do.

It compares each answer with `registry_model`, and each login with what the store has of it.
``run(FlaskSite, a_place, steps=2000)`` lets it take about so many steps.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from hashlib import sha256
from random import Random
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from registry_logins import Logins
from registry_model import How, Login, Verdict
from registry_requests import BOTH_WAYS, BROWSERS, CONFIGS, STEPS, USERS, Reply
from registry_world import Fault, Place, Turns, World
from sites import FlaskSite, QuartSite, Site

MOVES: Final = (1, 20, 30, 59, 60, 61, 90, 299, 301, 601, 3601, 86401, 2592001)
#: With the life of each of these, a remember cookie.
DURATIONS: Final = (None, 40, 3600, 40 * 86_400)

JUNK: Final = ("", "x", "0" * 66, "0" * 22 + "." + "0" * 43, "a|b", "é", '"', "." * 3, "[1,2,3]")

INDEX: Final = st.integers(0, 10**6)
B: Final = st.sampled_from(BROWSERS)
U: Final = st.sampled_from([1, 1, 1, *USERS])
SEEDS: Final = st.integers(0, 2**16)
#: How many seconds pass before the next request; fewer than none, if the clock goes wrong.
LATER: Final = st.sampled_from([0, 0, 0, 20, 59, 61, 601, 3601, 86401, -20, -61, -3601])
#: What a browser holds as a rule begins: what it happens to hold, or one of these.
HOLDS: Final = st.sampled_from(
    ["whatever", "whatever", "session", "both", "cookie", "former", "short"]
)


class Machine(Logins):
    """What browsers, thieves, operators and clocks do, in any order."""

    # --- rules: browsers --------------------------------------------------------------------------

    def settle(self, b: str, holds: str) -> None:
        """Let the browser *b* be logged in, and hold what *holds* says, if it is not."""
        jar = self.jars[b]
        if holds == "whatever":
            return
        wanted = {"session": {"session"}, "cookie": {"remember_token"}}.get(holds, {*jar})
        has = {name: value for name, value in jar.items() if name in wanted}
        if holds not in ("former", "short") and self.model.judge(has).is_somebody:
            self.jars[b] = has
            return
        self.all_users_are_well()
        life = 3600 if holds == "short" else None
        self.deliver(jar, self.log_in(jar, 1, holds != "session", life, False))
        if holds in ("cookie", "former"):
            self.close_browser(b)
        if holds == "former":
            self.page(jar)  # The response with the next cookie is lost.

    @rule(b=B, holds=HOLDS, later=LATER)
    def look(self, b: str, holds: str, later: int) -> None:
        self.settle(b, holds)
        self.pass_time(later)
        self.deliver(self.jars[b], self.page(self.jars[b]))

    @rule(b=B, holds=HOLDS, key=st.sampled_from("ab"))
    def write(self, b: str, holds: str, key: str) -> None:
        self.settle(b, holds)
        self.deliver(self.jars[b], self.page(self.jars[b], "put", key=key))

    @rule(b=B)
    def close_browser(self, b: str) -> None:
        self.jars[b].pop("session", None)

    @rule(b=B, holds=HOLDS, c=B, names=st.sampled_from([("session",), ("remember_token",), ()]))
    def steal(self, b: str, holds: str, c: str, names: tuple[str, ...]) -> None:
        """Let *c* have the cookies of *b*, or one of them."""
        self.settle(b, holds)
        stolen = {k: v for k, v in self.jars[b].items() if not names or k in names}
        self.jars[c] = {**(self.jars[c] if names else {}), **stolen}

    @rule(b=B, u=U, remember=st.booleans(), life=st.sampled_from(DURATIONS), look=st.booleans())
    def login(self, b: str, u: Any, remember: bool, life: int | None, look: bool) -> None:
        self.deliver(self.jars[b], self.log_in(self.jars[b], u, remember, life, look))

    @rule(b=B, holds=HOLDS, lost=st.booleans())
    def logout(self, b: str, holds: str, lost: bool) -> None:
        self.settle(b, holds)
        reply = self.log_out(self.jars[b])
        if not lost:
            self.deliver(self.jars[b], reply)

    @rule(b=B, holds=HOLDS, lost=st.booleans())
    def confirm(self, b: str, holds: str, lost: bool) -> None:
        self.settle(b, holds)
        reply = self.confirm_login(self.jars[b])
        if not lost:
            self.deliver(self.jars[b], reply)

    @rule(n=INDEX, m=INDEX, which=st.sampled_from(["session", "remember", "both"]))
    def replay(self, n: int, m: int, which: str) -> None:
        """Show any credential that was ever issued, or two."""
        jar = {}
        if which != "remember" and self.model.sessions:
            jar["session"] = self.pick(self.model.sessions, n)
        if which != "session" and self.model.cookies:
            jar["remember_token"] = self.pick(self.model.cookies, m)
        self.page(jar)

    @rule(n=INDEX, m=INDEX)
    def replay_what_was_left(self, n: int, m: int) -> None:
        """Show a remember cookie with a session that a logout left, perhaps of another user."""
        left = {value: None for value, held in self.model.sessions.items() if held is None}
        if left and self.model.cookies:
            cookie = self.pick(self.model.cookies, m)
            self.page({"session": self.pick(left, n), "remember_token": cookie})

    @rule(b=B, is_seen=st.booleans(), later=st.sampled_from([0, 59, 61, 86399, 86461]))
    def show_the_cookie_before(self, b: str, is_seen: bool, later: int) -> None:
        """P9, P10: show a remember cookie that was replaced, whose successor was seen or not."""
        self.settle(b, "both")
        before = dict(self.jars[b])
        before.pop("session", None)
        self.close_browser(b)
        for _ in range(1 + is_seen):
            self.deliver(self.jars[b], self.page(self.jars[b]))
        self.pass_time(later)
        self.page(before)
        self.look(b, "whatever", 0)

    @rule(b=B)
    def come_after_another(self, b: str) -> None:
        """P7: use a browser after somebody who logged out, with a remember cookie of one's own."""
        self.settle(b, "session")
        self.write(b, "whatever", "a")
        self.logout(b, "whatever", False)
        mine = self.log_in({}, "#1", True, None, True)
        cookie = mine.sets.get("remember_token")
        if cookie is not None:
            self.jars[b]["remember_token"] = cookie
        self.look(b, "whatever", 0)

    @rule(n=INDEX)
    def replay_both_of_one(self, n: int) -> None:
        """Show a remember cookie with a session that was of the same login once."""
        if not self.model.cookies:
            return
        value = self.pick(self.model.cookies, n)
        login = self.model.cookies[value].login
        held = [text for text, one in self.model.sessions.items() if one and one.login is login]
        self.page({"remember_token": value, "session": held[n % len(held)] if held else "x"})

    @staticmethod
    def pick(values: Mapping[str, Any], number: int) -> str:
        """Return one of *values*: mostly a late one."""
        names = list(values)
        return names[-1 - number % len(names)]

    # --- rules: what is made up -------------------------------------------------------------------

    @rule(
        name=st.sampled_from(["session", "remember_token"]),
        text=st.sampled_from(JUNK),
        n=INDEX,
        m=INDEX,
        place=st.integers(1, 60),
        flag=st.booleans(),
    )
    def make_up(self, name: str, text: str, n: int, m: int, place: int, flag: bool) -> None:
        self.forge(name, text)
        self.tamper(n, m, place, flag)
        self.forge_with_key(n, m, flag)

    def forge(self, name: str, text: str) -> None:
        """P1, P24: what nobody issued is nobody's, and no store hears of it."""
        reply = self.send({name: text}, "page", look=1)
        assert reply.found is None
        assert not reply.asked

    def tamper(self, n: int, m: int, place: int, both: bool) -> None:
        """P1: a part of one credential and a part of another are nothing."""
        for name, values in (
            ("session", self.model.sessions),
            ("remember_token", self.model.cookies),
        ):
            if len(values) > 1:
                one, other = self.pick(values, n), self.pick(values, m)
                # (Two that hold the same, but for a time that the framework signs, may splice.)
                text = one[:place] + other[place if both else place + 1 :]
                if text not in values:
                    reply = self.send({name: text}, "page", look=1)
                    assert reply.found is None
                    assert not reply.asked

    def forge_with_key(self, n: int, m: int, mine: bool) -> None:
        """Who can sign sessions, and knows the id of a login, is nobody without its secret."""
        logins = [login for login in self.model.logins.values() if login.alive]
        if not logins:
            return
        login, other = logins[n % len(logins)], logins[m % len(logins)]
        browser = self.site.browser()
        user = login.user if mine else other.user
        secret = sha256(str(n).encode()).hexdigest()[:43]
        browser.set_session(_user_id=user, _fresh=True, _login_session=f"{login.id}.{secret}")
        reply = self.send(browser.jar, "page", look=1)
        assert reply.found is None
        self.adopt(may_end={login})

    # --- rules: who ends what ---------------------------------------------------------------------

    @rule(b=B, holds=HOLDS)
    def list_sessions(self, b: str, holds: str) -> None:
        self.settle(b, holds)
        jar, model = self.jars[b], self.model
        verdict = model.judge(jar)
        reply = self.send(jar, "list", look=1)
        held = self.check_look(verdict, jar, reply)
        self.note_session(reply, held)
        if not verdict.is_somebody:
            assert reply.result == "nobody"
        else:
            login = verdict.login
            assert login is not None
            mine = [
                one
                for one in model.of(login.user)
                if model.now <= one.expires and (one.is_remembered or not model.is_past(one))
            ]
            # (A clock that is behind shows no more than there is.)
            assert {id for id, _ in reply.result} <= {one.id for one in model.of(login.user)}
            if all(one.created <= model.now + 60 >= one.seen for one in model.of(login.user)):
                assert {id for id, _ in reply.result} == {one.id for one in mine}
            assert [id for id, current in reply.result if current] == [login.id]
        self.deliver(jar, reply)

    @rule(b=B, holds=HOLDS, n=INDEX)
    def revoke(self, b: str, holds: str, n: int) -> None:
        """P5; and nobody ends what is another's."""
        self.settle(b, holds)
        alive = {id: one for id, one in self.model.logins.items() if one.alive or n % 4 == 0}
        if alive:
            target = alive[self.pick(alive, n)]
            self.end_by_view(b, "revoke", [target], id=target.id)

    @rule(b=B, holds=HOLDS)
    def revoke_others(self, b: str, holds: str) -> None:
        self.settle(b, holds)
        self.end_by_view(b, "others", None)

    def end_by_view(self, b: str, what: str, targets: list[Login] | None, **args: Any) -> None:
        jar, model = self.jars[b], self.model
        verdict = model.judge(jar)
        reply = self.send(jar, what, look=1, **args)
        assert reply.status == 200
        login = verdict.login
        if not verdict.is_somebody or login is None:
            self.note_session(reply, self.check_look(verdict, jar, reply))
            assert reply.result == "nobody"
        else:
            mine = [one for one in model.of(login.user) if targets is None or one in targets]
            mine = [one for one in mine if targets is not None or one is not login]
            itself = login in mine
            if itself:
                self.forget_renewal(verdict, jar, reply)
                self.note_session(reply, None)
            else:
                self.note_session(reply, self.check_look(verdict, jar, reply))
            model.end(mine)
            assert reply.result == (len(mine) if targets is None else bool(mine)), (mine, reply)
            assert reply.user == (None if itself else reply.found)
        self.deliver(jar, reply)

    @rule(u=U, b=B, holds=HOLDS, by_view=st.booleans())
    def revoke_user(self, u: Any, b: str, holds: str, by_view: bool) -> None:
        self.settle(b, holds)
        model = self.model
        if by_view:
            jar = self.jars[b]
            verdict = model.judge(jar)
            reply = self.send(jar, "revoke_user", look=1, user=json.dumps(u))
            login = verdict.login
            if login is not None and login.user == u:
                self.forget_renewal(verdict, jar, reply)
                assert reply.user is None
                self.note_session(reply, None)
            else:
                self.note_session(reply, self.check_look(verdict, jar, reply))
                assert reply.user == reply.found
            assert reply.result == len(model.of(u))
            model.end(model.of(u))
            self.deliver(jar, reply)
        else:
            assert self.job("revoke_user", u) == len(model.of(u))
            model.end(model.of(u))

    def job(self, name: str, *args: Any) -> Any:
        """Call the library's function *name* where there is an application, and no request."""

        async def work() -> Any:
            if self.world.is_quart:
                async with self.site.app.app_context():
                    return await getattr(self.site.lib, name)(*args)
            with self.site.app.app_context():
                return getattr(self.site.lib, name)(*args)

        return self.world.do(work())

    @rule()
    def purge(self) -> None:
        over = {login for login in self.model.logins.values() if self.model.is_over(login)}
        self.job("purge_sessions")
        self.adopt(may_end=over)

    # --- rules: users, keys, clocks ---------------------------------------------------------------

    @rule(u=U, what=st.sampled_from(["disable", "enable", "delete", "password"]))
    def change_user(self, u: Any, what: str) -> None:
        account = self.model.accounts.get(u)
        if account is None:
            self.create(u)
        elif what == "delete":
            del self.model.accounts[u], self.site.users[u]
        elif what == "password":
            self.epochs += 1
            account.epoch = self.epochs
        else:
            account.active = what == "enable"

    @rule(holds=HOLDS, sees=st.booleans())
    def disable_for_a_while(self, holds: str, sees: bool) -> None:
        """All logins of a user end when one of them is seen; else they are there afterwards."""
        for b in BROWSERS:
            self.settle(b, holds)
        account = self.model.accounts.get(1)
        if account is not None:
            account.active = False
            if sees:
                self.look("X", "whatever", 0)
            account.active = True
            self.look("Y", "whatever", 0)

    @rule(forget=st.sampled_from([False, False, False, True]))
    def rotate_keys(self, forget: bool) -> None:
        """Sign with a new key from now on; or let those before be good no more."""
        if forget:
            del self.model.keys[1:]
        else:
            self.rotate()
        self._tell_keys()

    @rule(by=st.sampled_from(MOVES), back=st.sampled_from([False, False, False, True]))
    def move_clock(self, by: int, back: bool) -> None:
        self.pass_time(-by if back else by)

    @rule(skew=st.integers(-20, 20), b=B, holds=HOLDS)
    def look_with_skew(self, skew: int, b: str, holds: str) -> None:
        """Ask another server, whose clock differs a little."""
        then = self.model.now
        self.site.clock.now = self.model.now = then + skew
        try:
            self.look(b, holds, 0)
        finally:
            self.site.clock.now = self.model.now = then

    # --- rules: many at once ----------------------------------------------------------------------

    @rule(
        b=B,
        holds=HOLDS,
        kinds=st.lists(
            st.sampled_from(["page", "page", "page", "put", "login", "logout", "confirm"]),
            min_size=2,
            max_size=6,
        ),
        u=U,
        order=SEEDS,
        lost=st.integers(0, 3),
    )
    def volley(self, b: str, holds: str, kinds: list[str], u: Any, order: int, lost: int) -> None:
        """Let a browser send requests before it has an answer to any; some answers are lost."""
        self.settle(b, holds)
        jar, replies = dict(self.jars[b]), []
        for kind in kinds:
            if kind == "login":
                replies.append(self.log_in(jar, u, True, None, True))
            elif kind == "logout":
                replies.append(self.log_out(jar))
            elif kind == "confirm":
                replies.append(self.confirm_login(jar))
            else:
                replies.append(self.page(jar, kind, **({"key": "a"} if kind == "put" else {})))
        self.receive(b, replies, order, lost)

    def receive(self, b: str, replies: list[Reply], order: int, lost: int) -> None:
        chance = Random(order)
        for reply in chance.sample(replies, max(len(replies) - lost, 0)):
            self.deliver(self.jars[b], reply)

    @rule(
        b=B,
        holds=st.sampled_from(["cookie", "cookie", "former", "both", "whatever"]),
        count=st.integers(2, 6),
        also=st.sampled_from(["page", "logout", "revoke_user"]),
        picks=SEEDS,
        order=SEEDS,
        lost=st.integers(0, 2),
    )
    def rush(
        self, b: str, holds: str, count: int, also: str, picks: int, order: int, lost: int
    ) -> None:
        """P8, P9: let requests of one browser overtake each other at each call of the store."""
        self.settle(b, holds)
        jar, model = dict(self.jars[b]), self.model
        verdict = model.judge(jar)
        login = verdict.login
        args = {} if also != "revoke_user" else {"user": json.dumps(login.user if login else 1)}
        works = [lambda: self.in_turn(jar, "page")] * count
        works.append(lambda: self.in_turn(jar, also, **args))
        self.store.turns = Turns(len(works), Random(picks), self.world.make_event)
        try:
            answers = self.world.do(self.world.all_at_once(works))
        finally:
            self.store.turns = None
        thefts = len(self.heard)
        replies = [self.noted(answer) for answer in answers]
        self.check_rush(verdict, jar, replies, thefts, also)
        self.receive(b, replies, order, lost)
        self.look(b, "whatever", 0)

    @rule(b=B, also=st.sampled_from(["logout", "revoke_user"]), picks=SEEDS, order=SEEDS)
    def end_amid_a_renewal(self, b: str, also: str, picks: int, order: int) -> None:
        """P8: let a login end between any two calls of the store by one that renews it."""
        self.rush(b, "cookie", 2, also, picks, order, 0)

    async def in_turn(self, jar: Mapping[str, str], what: str, **args: Any) -> Any:
        turns = self.store.turns
        assert turns is not None
        await turns.wait()
        try:
            return await self.fetch(jar, what, look=1, **args)
        finally:
            turns.leave()

    def check_rush(
        self, verdict: Verdict, jar: Mapping[str, str], replies: list[Reply], thefts: int, also: str
    ) -> None:
        model, whose = self.model, verdict.whose
        self.world.seen[f"rush of {verdict.how.name}"] += 1
        expected = None if whose is None else [whose.id, whose.epoch]
        pages = replies if also == "page" else replies[:-1]
        may = [expected] if also == "page" else [expected, None]
        assert all(reply.status == 200 and reply.found in may for reply in pages)
        assert bool(thefts) <= verdict.is_theft
        sets = [reply for reply in pages if reply.sets.get("remember_token")]
        if verdict.how is How.RENEWS:
            assert len(sets) <= 1 and (len(sets) == 1 or also != "page")
        ends: set[Login] = set(verdict.ends)
        if also == "logout":
            assert replies[-1].status == 200
            ends |= model.proves(jar)
        elif also == "revoke_user" and replies[-1].status == 200:
            ends |= set(model.of(verdict.login.user if verdict.login else 1))
        self.adopt(may_end=ends)
        if not model.is_spliced(jar):
            assert not any(login.alive for login in ends if self.must_end(also, verdict, login))
        for reply in replies:
            self.learn(reply)

    @staticmethod
    def must_end(also: str, verdict: Verdict, login: Login) -> bool:
        return also != "page" or login in verdict.ends

    # --- rules: what fails ------------------------------------------------------------------------

    @rule(
        b=B,
        holds=HOLDS,
        what=st.sampled_from(
            ["page", "put", "login", "logout", "confirm", "others", "revoke_user"]
        ),
        u=U,
        remember=st.booleans(),
        number=st.integers(1, 4),
        kind=st.sampled_from(["before", "after"] * 4 + ["hangs"]),
        lost=st.booleans(),
    )
    def fail(
        self,
        b: str,
        holds: str,
        what: str,
        u: Any,
        remember: bool,
        number: int,
        kind: str,
        lost: bool,
    ) -> None:
        """P13, P14: let the store fail at a call, before or after it took effect."""
        self.settle(b, holds)
        jar, model = self.jars[b], self.model
        verdict, before, proved = model.judge(jar), set(model.logins), model.proves(jar)
        self.note_write(what, verdict)
        self.store.fault = fault = Fault(number, kind)
        config = self.site.app.config
        if kind == "hangs":
            config["LOGIN_STORE_TIMEOUT"] = 0.2
        args: dict[str, Any] = {"user": json.dumps(u), "key": "a", "fresh": 1, "look": 1}
        args |= {"remember": 1} if remember else {}
        try:
            reply = self.send(jar, what, **args)
        finally:
            self.store.fault = None
            config["LOGIN_STORE_TIMEOUT"] = BOTH_WAYS["LOGIN_STORE_TIMEOUT"]
        self.world.seen["fault"] += fault.fired is not None
        expected = None if verdict.whose is None else [verdict.whose.id, verdict.whose.epoch]
        may_end = {*verdict.ends, *proved}
        if what in ("login", "others", "revoke_user"):
            may_end |= {one for one in model.logins.values() if self.may_go(one, what, u, verdict)}
        self.adopt(may_end=may_end if what not in ("page", "put") else set(verdict.ends))
        new = {id for id in model.logins if id not in before}
        assert len(new) <= (what == "login")
        assert reply.thefts <= verdict.is_theft
        self.learn(reply)
        if reply.status == 200:
            assert reply.found in (None, expected)
            if what in ("page", "put", "confirm"):
                assert reply.user in (None, expected)
            elif what == "login":
                assert reply.user == [u, model.accounts[u].epoch] if reply.result is True else True
                assert bool(new) >= (reply.result is True)
            elif what == "logout":
                assert reply.user is None
                assert model.is_spliced(jar) or not any(login.alive for login in proved)
            elif what == "revoke_user":
                assert not model.of(u)
            # If nobody knows whose it is, it is nobody's.
            assert reply.found is None or not (fault.fired and number == 1 and verdict.asks)
        else:
            # (To a busy machine, 20 milliseconds are too short for a call that does not hang, too.)
            assert (fault.fired or kind == "hangs") and what not in ("page", "put")
            held, was = self.held_by(reply), model.held(jar)
            fresh = held is not None and held.fresh_since is not None
            assert what != "confirm" or not fresh or (was is not None and was.fresh_since)
            if what == "login":
                held = self.held_by(reply)
                assert held is None or held.login.id not in new
                # (Did what failed to answer take effect?  Then there is a login of nobody.)
                assert not new or fault.fired == "add", "a login was not taken back"
        if what == "logout":
            after = dict(jar)
            self.deliver(after, reply)
            assert "remember_token" not in after
            assert model.held(after) is None
        if not lost:
            self.deliver(jar, reply)

    def may_go(self, login: Login, what: str, u: Any, verdict: Verdict) -> bool:
        if what == "others":
            return verdict.login is not None and login.user == verdict.login.user
        return bool(login.user == u)

    @rule(b=B, holds=HOLDS)
    def loader_fails_once(self, b: str, holds: str) -> None:
        """P13: a loader that raises lets nobody in, and throws nobody out."""
        self.settle(b, holds)
        jar = self.jars[b]
        verdict = self.model.judge(jar)
        self.loader_fails = True
        try:
            reply = self.send(jar, "page", look=1)
        finally:
            self.loader_fails = False
        assert reply.status == 200 and reply.found is None and reply.user is None
        self.adopt(may_end=set(verdict.ends))
        self.learn(reply)
        if verdict.is_somebody and verdict.login is not None:
            assert verdict.login.alive
            assert reply.sets == ({"remember_token": None} if verdict.forgets else {})


def run(site_class: type[Site], place: Place, steps: int) -> World:
    """Let the machine take about *steps* steps on applications of *site_class*."""
    world = World(site_class, place)
    logger = logging.getLogger("quart_login")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # There would be a line for each refusal.
    # Few applications of one kind find little; the first of them does next to nothing.
    configs = CONFIGS[: max(steps // (4 * STEPS), 1)]
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    try:
        for config in configs:
            run_machine(
                type("Machine", (Machine,), {"world": world, "config": config}),
                settings=settings(
                    max_examples=steps * 4 // (3 * STEPS * len(configs)) + 1,
                    stateful_step_count=STEPS,
                    deadline=None,
                    suppress_health_check=checks,
                ),
            )
    finally:
        world.close()
        logger.setLevel(level)
    return world


__all__ = ["FlaskSite", "Machine", "Place", "QuartSite", "World", "run"]
