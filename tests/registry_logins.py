"""What becomes of logins when a browser logs in, out, or confirms who it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from registry_model import Account, Held, How, Login, Verdict
from registry_requests import Reply, Requests

YEAR: Final = 366 * 86_400


class Logins(Requests):
    """Browsers that log in and out."""

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
