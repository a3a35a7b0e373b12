"""What an application with a registry answers, held against `registry_model`.

What each request issued is noted, and each login is compared with what the store has of it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from registry_model import Account, Held, How, Login, Model, Shown, Verdict
from registry_world import Broken, Member, World, add_view
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


class Requests(RuleBasedStateMachine):
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

    # --- a request --------------------------------------------------------------------------------

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

    # --- what was issued --------------------------------------------------------------------------

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

    # --- what comes of looking at the user --------------------------------------------------------

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

    # --- users, keys, clocks ----------------------------------------------------------------------

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

    def rotate(self) -> None:
        self.key += 1
        self.model.keys.insert(0, f"the secret key of number {self.key:06}")

    def _tell_keys(self) -> None:
        current, *former = self.model.keys
        self.site.app.config.update(SECRET_KEY=current, SECRET_KEY_FALLBACKS=former)

    def pass_time(self, seconds: int) -> None:
        self.site.clock.now += seconds
        self.model.now = self.site.clock.now

    # --- what is in the store ---------------------------------------------------------------------

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
