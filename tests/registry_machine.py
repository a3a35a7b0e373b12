"""A machine that does to an application whatever browsers, thieves, operators and clocks do.

It compares each answer with `registry_model`, and each login with what the store has of it.
``run(FlaskSite, a_place, steps=2000)`` lets it take about so many steps.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any, Final
from urllib.parse import urlencode

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from registry_model import Account, Held, How, Login, Model, Shown, Verdict
from registry_world import Broken, Fault, Member, Place, Turns, World, add_view
from sites import FlaskSite, QuartSite, Site
from werkzeug.http import parse_cookie

from quart_login._core.proofs import read_series
from quart_login._core.subjects import subject
from quart_login._core.tokens import Keys
from quart_login.stores import LoginSession

#: Ids that differ, however alike their names in a store might be.
USERS: Final = (1, "#1", "=#1")
BROWSERS: Final = ("X", "Y")
#: So many rules are tried on one application.
STEPS: Final = 50

CONFIGS: Final[Sequence[Mapping[str, Any]]] = (
    {"LOGIN_MAX_SESSIONS": 2},
    {"LOGIN_LIFETIME": 3600},
    {},
    {"LOGIN_MAX_SESSIONS": 1, "LOGIN_IDLE_TIMEOUT": 900},
    {"LOGIN_MAX_SESSIONS": 2, "LOGIN_MAX_SESSIONS_REACHED": "refuse"},
    {"LOGIN_LIFETIME": 7200, "LOGIN_IDLE_TIMEOUT": 600},
    {"LOGIN_REMEMBER_WINDOW": 5},
    {"LOGIN_ASSURANCE_LEVEL": "aal2"},
    {"LOGIN_IDLE_TIMEOUT": 50},
    {"LOGIN_ASSURANCE_LEVEL": "aal3"},
)
BOTH_WAYS: Final = {"LOGIN_FRESH_DURATION": 600, "LOGIN_STORE_TIMEOUT": 10}

MOVES: Final = (1, 20, 30, 59, 60, 61, 90, 299, 301, 601, 3601, 86401, 2592001)
YEAR: Final = 366 * 86_400
#: With the life of each of these, a remember cookie.
DURATIONS: Final = (None, 40, 3600, 40 * 86_400)

JUNK: Final = ("", "x", "0" * 66, "0" * 22 + "." + "0" * 43, "a|b", "é", '"', "." * 3, "[1,2,3]")


# --- the machine ---------------------------------------------------------------------------------


@dataclass
class Reply:
    """What came back, and what it cost."""

    status: int
    told: dict[str, Any]
    #: The cookies that it sets, by name; None for one that it removes.
    sets: dict[str, str | None]
    asked: Counter[str] = field(default_factory=Counter)
    thefts: int = 0

    def __getattr__(self, name: str) -> Any:
        try:
            return self.told[name]
        except KeyError:
            raise AttributeError(name) from None


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


class Machine(RuleBasedStateMachine):
    """Browsers X and Y, three users, an operator and a clock."""

    world: World

    @initialize(config=st.sampled_from(CONFIGS), clears=st.booleans())
    def begin(self, config: Mapping[str, Any], clears: bool) -> None:
        world = self.world
        self._store = world.store()
        self.store = self._store.__enter__()
        # (quart_login always clears; for Flask-Login's dependants, flask_compat need not.)
        self.clears = clears or world.is_quart
        given = {**BOTH_WAYS, **config, "LOGIN_CLEAR_SESSION_ON_LOGOUT": self.clears}
        self.site: Any = world.site_class(dict(given), sessions=self.store)
        add_view(self.site)
        self.site.find = self.find
        self.loader_fails = False
        #: Was a session written in a request that came beside its login?
        self.wrote_beside = False
        #: Redis expires keys by a clock of its own, so the machine's is ahead of every real one.
        self.site.clock.now = 2_000_000_000.0
        self.model = Model(given, self.site.clock.now)
        self.model.falls_back = "SECRET_KEY_FALLBACKS" in self.site.app.default_config
        self.key = 0
        self.rotate()
        self._tell_keys()
        self.site.users = {}
        self.epochs = 0
        for user in USERS:
            self.create(user)
        self.jars: dict[str, dict[str, str]] = {name: {} for name in BROWSERS}
        self._hears = self.site.hearing("remember_theft_detected")
        self.heard = self._hears.__enter__()

    def teardown(self) -> None:
        if not hasattr(self, "site"):
            return
        try:
            if self.is_intact:
                self.look_at_all()
        finally:
            self._hears.__exit__(None, None, None)
            self._store.__exit__(None, None, None)

    is_intact = False

    async def find(self, user_id: Any) -> Any:
        if self.loader_fails:
            raise Broken
        found = self.site.users.get(user_id)
        return found if found is None or type(found.id) is type(user_id) else None

    # --- a request -----------------------------------------------------------------------------

    async def fetch(self, jar: Mapping[str, str], what: str, **args: Any) -> Any:
        browser = self.site.browser()
        browser.jar = dict(jar)
        return await browser.get(f"/do?{urlencode({'what': what, **args})}")

    def send(self, jar: Mapping[str, str], what: str, **args: Any) -> Reply:
        """Send a request; note what it issued, and deliver nothing to a browser."""
        self.store.asked.clear()
        self.is_intact = False
        answer = self.world.do(self.fetch(jar, what, **args))
        return self.noted(answer)

    def noted(self, answer: Any) -> Reply:
        assert answer.status in (200, 503), answer
        sets: dict[str, str | None] = {}
        for line in answer.set_cookies:
            name, _, value = line.partition(";")[0].partition("=")
            assert name not in sets, "a cookie was set twice"
            sets[name] = None if "Max-Age=0" in line or "01 Jan 1970" in line else value
        told = json.loads(answer.text) if answer.status == 200 else {}
        reply = Reply(answer.status, told, sets, Counter(self.store.asked), len(self.heard))
        self.heard.clear()
        self.check_data(told)
        return reply

    def deliver(self, jar: dict[str, str], reply: Reply) -> None:
        for name, value in reply.sets.items():
            if value is None:
                jar.pop(name, None)
            else:
                jar[name] = value

    def check_data(self, told: Mapping[str, Any]) -> None:
        """P7: nobody reads what was written under another user."""
        for who, data in (("found", "read"), ("user", "data")):
            for text in told.get(data, {}).values():
                writer, reader = json.loads(text), told[who]
                if reader is None and not self.clears:
                    continue  # Flask-Login leaves the data for whoever comes to the login page.
                if reader is None and self.wrote_beside:
                    continue  # There is no login with these data that could be refused.
                # (A user who is created anew has the id of the former, and so their data.)
                mine = writer is None or (reader is not None and writer[0] == reader[0])
                assert mine, f"{reader} reads what {writer} wrote"

    # --- what was issued -----------------------------------------------------------------------

    def decoded(self, value: str) -> dict[str, Any]:
        serializer = self.site.app.session_interface.get_signing_serializer(self.site.app)
        found: dict[str, Any] = serializer.loads(parse_cookie(f"s={value}")["s"])
        return found

    def proof_in(self, reply: Reply) -> tuple[str, str] | None:
        """Return id and digest of what proves a login in the session's new cookie."""
        value = reply.sets.get("session")
        text = None if value is None else self.decoded(value).get("_login_session")
        if text is None:
            return None
        id, _, secret = text.partition(".")
        return id, sha256(secret.encode()).hexdigest()

    def series_in(self, reply: Reply) -> tuple[str, str, int] | None:
        """Return id, digest and end of what the new remember cookie shows."""
        value = reply.sets.get("remember_token")
        if value is None:
            return None
        series = read_series(value, Keys(self.model.keys[0]), None)
        assert series is not None, "a remember cookie was issued under another key"
        return series.proof.id, sha256(series.proof.secret.encode()).hexdigest(), series.ends

    def note_session(self, reply: Reply, held: Held | None) -> None:
        """Note what the session's new cookie, if one was set, is good for."""
        value = reply.sets.get("session")
        if value is None:
            return
        proof = self.proof_in(reply)
        assert proof == (None if held is None else (held.login.id, held.proof))
        assert held is None or "_user_id" in self.decoded(value)
        self.model.sessions[value] = None if held is None else self.under_key(held)

    def under_key(self, held: Held) -> Held:
        key = self.model.keys[0]
        return Held(held.login, held.proof, held.user, key, held.fresh_since)

    def note_series(self, reply: Reply, login: Login) -> Shown:
        series, value = self.series_in(reply), reply.sets.get("remember_token")
        assert series is not None and value is not None
        assert series[0] == login.id
        shown = Shown(login, series[1], series[2], self.model.keys[0])
        self.model.cookies[value] = shown
        return shown

    # --- what comes of looking at the user -----------------------------------------------------

    def check_look(self, verdict: Verdict, jar: Mapping[str, str], reply: Reply) -> Held | None:
        """Compare the answer to a request that looked at its user; return what it then held."""
        model = self.model
        self.world.seen[verdict.how.name] += 1
        if verdict.is_theft:
            self.world.seen["theft"] += 1
        whose = verdict.whose
        expected = None if whose is None else [whose.id, whose.epoch]
        assert reply.found == expected, (reply.found, self.model.now, verdict)
        assert reply.thefts == verdict.is_theft  # P9, P10: one event, and none that is false
        before = model.held(jar)
        model.apply(verdict)
        if verdict.how is How.RENEWS:
            return self.check_renewal(verdict, jar, reply)
        if verdict.signs_anew:
            self.note_anew(verdict, reply)
        return before if verdict.how in (How.GOOD, How.BESIDE) else None

    def note_anew(self, verdict: Verdict, reply: Reply) -> None:
        """Note a cookie that another key signed; nothing else in it is new."""
        login, series = verdict.login, self.series_in(reply)
        if login is not None and series is not None and series[0] == login.id:
            assert self.note_series(reply, login).secret == login.remember

    def check_renewal(self, verdict: Verdict, jar: Mapping[str, str], reply: Reply) -> Held:
        login, by = verdict.login, self.model.shown(jar)
        assert login is not None and by is not None
        record = self.record(login)
        assert record is not None and record.remember is not None
        if "remember_token" in reply.sets and (series := self.series_in(reply)):
            assert series[2] == by.ends, "a remember cookie got a longer life"
            if series[0] == login.id:
                assert series[1] == record.remember
                self.note_series(reply, login)
        assert record.remember not in (login.remember, login.former)
        assert record.digest != login.proof
        self.model.renew(login, by, record.digest, record.remember)
        return Held(login, record.digest, login.user, self.model.keys[0], None)

    def check_page(self, verdict: Verdict, jar: Mapping[str, str], reply: Reply) -> Held | None:
        """Compare the answer to a request that does nothing but look."""
        now, login = self.model.now, verdict.login
        due = login is not None and self.model.is_due(login)
        held = self.check_look(verdict, jar, reply)
        fresh = verdict.how is How.GOOD and self.model.is_fresh(held)
        assert reply.fresh == fresh  # P11: freshness ages, and no cookie brings it back
        self.check_cost(verdict, reply, due)
        named = reply.sets.keys()
        if verdict.how in (How.KEPT_OUT, How.BESIDE):
            may = {"remember_token"} if verdict.forgets else {"session"} if reply.wrote else set()
            assert named <= may, (verdict, reply, jar, self.model.held(jar), self.model.shown(jar))
        if verdict.how is How.GOOD:
            assert ("remember_token" in named) == (verdict.signs_anew or verdict.forgets), now
        if verdict.how is How.RENEWS:
            assert reply.sets.get("session") and reply.sets.get("remember_token")
        return held

    def check_cost(self, verdict: Verdict, reply: Reply, due: bool) -> None:
        """P24: one read at most, none for junk, and a write only for what was said to happen."""
        reads = reply.asked["get"] + reply.asked["list"]
        writes = sum(reply.asked.values()) - reads
        assert reads == verdict.asks, reply.asked
        if verdict.ends:
            return
        if verdict.how is How.GOOD:
            assert writes == (1 if verdict.confirms or due else 0), (verdict, reply.asked)
        else:
            assert writes == (verdict.how is How.RENEWS), (verdict, reply.asked)

    def page(self, jar: Mapping[str, str], what: str = "page", **args: Any) -> Reply:
        verdict = self.model.judge(jar)
        self.note_write(what, verdict)
        reply = self.send(jar, what, look=1, **args)
        assert reply.status == 200
        reply.told["wrote"] = what == "put"
        held = self.check_page(verdict, jar, reply)
        self.note_session(reply, held)
        self.check_left(verdict, jar, reply)
        return reply

    def note_write(self, what: str, verdict: Verdict) -> None:
        self.wrote_beside |= what == "put" and verdict.how is How.BESIDE

    def check_left(self, verdict: Verdict, jar: Mapping[str, str], reply: Reply) -> None:
        """A refused credential is removed from the browser; where another may be on its way, the
        browser is left alone.
        """
        after = dict(jar)
        self.deliver(after, reply)
        if verdict.how is How.REFUSED:
            assert self.model.held(after) is None
            assert "remember_token" not in after
        if verdict.forgets:
            assert "remember_token" not in after

    # --- rules: browsers -----------------------------------------------------------------------

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

    # --- rules: what is made up ----------------------------------------------------------------

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

    # --- logging in and out --------------------------------------------------------------------

    def log_in(
        self, jar: Mapping[str, str], u: Any, remember: bool, life: int | None, look: bool
    ) -> Reply:
        model, account = self.model, self.model.accounts.get(u)
        looked = look or self.world.is_quart
        verdict = model.judge(jar) if looked else None
        there = [login for login in model.of(u) if not model.is_over(login)]
        args: dict[str, Any] = {"user": json.dumps(u), "fresh": 1}
        args |= {"remember": 1} if remember else {}
        args |= {"seconds": life} if life is not None else {}
        args |= {"look": 1} if look else {}
        reply = self.send(jar, "login", **args)
        assert reply.status == 200
        held = model.held(jar)
        leaves, spliced = model.proves(jar), model.is_spliced(jar)
        if verdict is None and reply.result is not True:
            verdict = model.judge(jar)  # The view looked afterwards.
        if verdict is not None:
            if not look:
                whose = verdict.whose
                reply.told["found"] = None if whose is None else [whose.id, whose.epoch]
            if reply.result is True:
                self.forget_renewal(verdict, jar, reply)
            else:
                held = self.check_look(verdict, jar, reply)
        if account is None or not account.active:
            assert reply.result == ("no such user" if account is None else False)
            self.note_session(reply, held)
            return reply
        if looked:
            leaves = model.proves(jar)
        mine = {login for login in leaves if login.user == u}
        if looked:
            there = [login for login in there if login.alive]
        # (What is over takes no room, so it leaves none.)
        room = None if model.most is None else model.most + bool(mine & {*there})
        if not spliced and model.refuses and room is not None and len(there) >= room:
            assert reply.result is False
            self.note_session(reply, held)
            return reply
        if reply.result is False:
            assert spliced, "a login was refused"
            self.note_session(reply, held)
            self.adopt()
            return reply
        assert reply.result is True
        assert reply.user == [u, account.epoch] and reply.fresh is True
        login = self.new_login(account, reply)
        self.leave(jar, leaves)
        self.evict(jar, there, room, leaves)
        ends = self.remembered_until(jar, mine, remember, life)
        self.give(login, reply, jar, ends)
        return reply

    def new_login(self, account: Account, reply: Reply) -> Login:
        proof = self.proof_in(reply)
        assert proof is not None, "a login was not given to the browser"
        assert proof[0] not in self.model.logins, "P6: the id of a login was not new"
        now = self.model.now
        login = Login(proof[0], account.id, account.epoch, now, now, 0, proof[1], given=now)
        self.model.logins[login.id] = login
        return login

    def leave(self, jar: Mapping[str, str], leaves: set[Login]) -> None:
        """P6: what the browser had before is dead."""
        if self.model.is_spliced(jar):
            there = self.there()
            leaves = {one for one in leaves if one.id not in there}
        self.model.end(leaves)

    def evict(
        self, jar: Mapping[str, str], there: list[Login], room: int | None, leaves: set[Login]
    ) -> None:
        """With a limit, those unseen for longest make room, and no more than must."""
        if room is None:
            return
        records = self.there()
        gone = [one for one in there if one.id not in records and one not in leaves]
        kept = [one for one in there if one.id in records]
        assert len(kept) + 1 <= (self.model.most or 0), "a user has too many logins"
        if not self.model.is_spliced(jar):
            assert len(gone) <= max(len(there) + 1 - room, 0), "too many were ended"
        latest = max((one.seen for one in gone), default=0)
        assert all(one.seen >= latest for one in kept), "another should have made room"
        self.model.end(gone)
        if gone:
            self.world.seen["evicted"] += 1

    def remembered_until(
        self,
        jar: Mapping[str, str],
        mine: set[Login],
        remember: bool,
        life: int | None,
    ) -> float | None:
        """Return until when the login is remembered: as asked for, or as the same user was."""
        model = self.model
        if not model.remembers:
            return None
        if remember:
            return int(model.now + (YEAR - 86_400 if life is None else life))
        shown = model.shown(jar)
        if shown is not None and shown.login in mine:
            return (
                shown.ends if shown.secret in (shown.login.remember, shown.login.former) else None
            )
        return None

    def give(self, login: Login, reply: Reply, jar: Mapping[str, str], ends: float | None) -> None:
        model = self.model
        session_ends = model.now + model.lifetime
        login.expires = session_ends if ends is None else max(session_ends, ends)
        proof = login.proof
        assert proof is not None
        self.note_session(reply, Held(login, proof, login.user, "", model.now))
        after = dict(jar)
        self.deliver(after, reply)
        if model.is_spliced(jar) and not self.series_in(reply):
            ends = None
        elif model.is_spliced(jar):
            login.remember = (shown := self.note_series(reply, login)).secret
            login.expires = max(login.expires, shown.ends)
            return
        if ends is None:
            assert "remember_token" not in after, "another login's cookie stays"
            return
        shown = self.note_series(reply, login)
        assert shown.ends == ends
        login.remember = shown.secret

    def log_out(self, jar: Mapping[str, str]) -> Reply:
        model = self.model
        verdict = model.judge(jar)
        reply = self.send(jar, "logout", look=1)
        assert (reply.status, reply.result, reply.user) == (200, True, None)
        self.forget_renewal(verdict, jar, reply)
        leaves = model.proves(jar)
        if model.is_spliced(jar):
            self.adopt(may_end=leaves)
        else:
            model.end(leaves)
        self.note_session(reply, None)
        after = dict(jar)
        self.deliver(after, reply)
        assert "remember_token" not in after
        assert model.held(after) is None
        return reply

    def forget_renewal(self, verdict: Verdict, jar: Mapping[str, str], reply: Reply) -> None:
        """Note what came of looking, where nothing of a renewal reached the browser."""
        if verdict.how is not How.RENEWS:
            self.check_look(verdict, jar, reply)
            return
        whose = verdict.whose
        assert whose is not None and reply.found == [whose.id, whose.epoch]
        assert reply.thefts == 0
        login, by = verdict.login, self.model.shown(jar)
        assert login is not None and by is not None
        self.model.renew(login, by, "nobody's", "nobody's")

    def confirm_login(self, jar: Mapping[str, str]) -> Reply:
        model = self.model
        verdict = model.judge(jar)
        reply = self.send(jar, "confirm", look=1)
        assert reply.status == 200
        if verdict.how not in (How.GOOD, How.RENEWS):
            # (The browser gets its login from another response; this one gives it none.)
            held = self.check_look(verdict, jar, reply)
            self.note_session(reply, held)
            assert reply.user == reply.found and reply.fresh is False
            self.check_left(verdict, jar, reply)
            return reply
        self.forget_renewed_session(verdict, jar, reply)
        login = verdict.login
        assert login is not None
        proof = self.proof_in(reply)
        assert proof is not None and proof[0] == login.id
        assert proof[1] != login.proof, "P6: what proves a login was not new"
        model.confirm(login, proof[1])
        assert reply.user == reply.found and reply.fresh is True
        self.note_session(reply, Held(login, proof[1], login.user, "", int(model.now)))
        return reply

    def forget_renewed_session(
        self, verdict: Verdict, jar: Mapping[str, str], reply: Reply
    ) -> None:
        """Note what came of looking, where the session that began by it has another secret."""
        if verdict.how is not How.RENEWS:
            self.check_look(verdict, jar, reply)
            return
        whose = verdict.whose
        assert whose is not None and reply.found == [whose.id, whose.epoch]
        login, by = verdict.login, self.model.shown(jar)
        assert login is not None and by is not None
        shown = self.note_series(reply, login)
        assert shown.ends == by.ends
        self.model.renew(login, by, "nobody's", shown.secret)

    # --- rules: who ends what ------------------------------------------------------------------

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

    # --- rules: users, keys, clocks ------------------------------------------------------------

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

    def all_users_are_well(self) -> None:
        for user in USERS:
            if user not in self.model.accounts:
                self.create(user)
            self.model.accounts[user].active = True

    def create(self, u: Any) -> None:
        """Create a user: another one, though the id may have been somebody's before."""
        self.epochs += 1
        account = self.model.accounts[u] = Account(u, self.epochs)
        self.site.users[u] = Member(account)

    @rule(forget=st.sampled_from([False, False, False, True]))
    def rotate_keys(self, forget: bool) -> None:
        """Sign with a new key from now on; or let those before be good no more."""
        if forget:
            del self.model.keys[1:]
        else:
            self.rotate()
        self._tell_keys()

    def rotate(self) -> None:
        self.key += 1
        self.model.keys.insert(0, f"the secret key of number {self.key:06}")

    def _tell_keys(self) -> None:
        current, *former = self.model.keys
        self.site.app.config.update(SECRET_KEY=current, SECRET_KEY_FALLBACKS=former)

    @rule(by=st.sampled_from(MOVES), back=st.sampled_from([False, False, False, True]))
    def move_clock(self, by: int, back: bool) -> None:
        self.pass_time(-by if back else by)

    def pass_time(self, seconds: int) -> None:
        self.site.clock.now += seconds
        self.model.now = self.site.clock.now

    @rule(skew=st.integers(-20, 20), b=B, holds=HOLDS)
    def look_with_skew(self, skew: int, b: str, holds: str) -> None:
        """Ask another server, whose clock differs a little."""
        then = self.model.now
        self.site.clock.now = self.model.now = then + skew
        try:
            self.look(b, holds, 0)
        finally:
            self.site.clock.now = self.model.now = then

    # --- rules: many at once -------------------------------------------------------------------

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

    # --- rules: what fails ---------------------------------------------------------------------

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

    # --- what is in the store ------------------------------------------------------------------

    def record(self, login: Login) -> LoginSession | None:
        found: LoginSession | None = self.world.do(
            self.store.store.get(self.world.exchange, login.id)
        )
        return found

    def there(self) -> dict[str, LoginSession]:
        """Return what the store has of the users, by id."""
        found: dict[str, LoginSession] = {}

        async def look() -> None:
            for user in USERS:
                name = subject(user)
                for record in await self.store.store.list(self.world.exchange, name):
                    assert record.user_id == name
                    found[record.id] = record

        self.world.do(look())
        return found

    def adopt(self, may_end: set[Login] | None = None) -> None:
        """Take over what the store says, after what could have gone in several ways: some of the
        logins *may_end* have ended (None for any), and no other.
        """
        there = self.there()
        for login in self.model.logins.values():
            record = there.get(login.id)
            if record is None:
                lost = login.alive and may_end is not None and login not in may_end
                assert not lost or self.model.is_over(login), "a login is lost"
                login.alive = False
                continue
            assert login.alive, "a login has come back"
            login.proof, login.remember, login.former = (
                record.digest,
                record.remember,
                record.former,
            )
            login.rotated, login.confirmed = record.rotated, record.confirmed
            login.seen, login.given = record.seen, self.given(record)
        for record in there.values():
            if record.id not in self.model.logins:
                self.take_in(record)

    def take_in(self, record: LoginSession) -> None:
        """Note a login that the store has, though its browser may not have heard of it."""
        [user] = [user for user in USERS if subject(user) == record.user_id]
        account = self.model.accounts[user]
        self.model.logins[record.id] = Login(
            record.id,
            user,
            account.epoch,
            record.created,
            record.seen,
            record.expires,
            record.digest,
            record.remember,
            record.former,
            record.rotated,
            record.confirmed,
            self.given(record),
        )

    @staticmethod
    def given(record: LoginSession) -> float:
        return max(record.fresh_since or 0, record.rotated or 0)

    def held_by(self, reply: Reply) -> Held | None:
        value = reply.sets.get("session")
        return None if value is None else self.model.sessions.get(value)

    def learn(self, reply: Reply) -> None:
        """Note what was issued by a request that could go in several ways."""
        value, proof = reply.sets.get("session"), self.proof_in(reply)
        if value is not None:
            found = self.decoded(value)
            held = None
            if proof is not None and "_user_id" in found and proof[0] in self.model.logins:
                login = self.model.logins[proof[0]]
                assert login.user == found["_user_id"]
                fresh = self.fresh_since(found, value)
                held = Held(login, proof[1], login.user, self.model.keys[0], fresh)
            self.model.sessions[value] = held
        series = self.series_in(reply)
        if series is not None and series[0] in self.model.logins:
            self.note_series(reply, self.model.logins[series[0]])

    def fresh_since(self, found: Mapping[str, Any], value: str) -> float | None:
        """Return when the password was typed, as the store has it."""
        if found.get("_fresh") is not True:
            return None
        for known in self.model.sessions.values():
            if known is not None and known.fresh_since is not None:
                proof = found["_login_session"].partition(".")[2]
                if sha256(proof.encode()).hexdigest() == known.proof:
                    return known.fresh_since
        return self.model.now

    @invariant()
    def the_store_has_what_there_is(self) -> None:
        if not hasattr(self, "jars"):
            return
        there = self.there().keys()
        for login in self.model.logins.values():
            # A store may drop what is over, as Redis does where a user has many.
            if login.id not in there and self.model.is_over(login):
                login.alive = False
        alive = {login.id for login in self.model.logins.values() if login.alive}
        assert there == alive, ("a login is lost", alive - there, "has come back", there - alive)
        self.is_intact = True

    @invariant()
    def a_step_was_taken(self) -> None:
        self.world.steps += 1

    def look_at_all(self) -> None:
        """At the end, show every credential that was issued."""
        jars = [{"session": value} for value in list(self.model.sessions)[-25:]]
        jars += [{"remember_token": value} for value in list(self.model.cookies)[-15:]]
        for jar in jars:
            self.page(jar)
            self.the_store_has_what_there_is()


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
