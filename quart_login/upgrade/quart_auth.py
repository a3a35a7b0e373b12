"""What becomes of Quart-Auth's calls?

`names` says what becomes of its names.  Quart-Auth knows an id; quart_login knows a user, whom a
``user_loader`` finds by the id.  So a class of one's own that derives from `AuthUser` can become
one of `UserMixin`, and the rest is told.  Whether users are to stay logged in is not for a program
to decide: it says by what call they do.
"""

from __future__ import annotations

import re

import libcst as cst
import libcst.matchers as m

from .._core.quart_auth import DEFAULTS
from .edits import Edit, Edits
from .kinds import Kinds
from .project import Project
from .sources import Source
from .survey import Class, Survey

_USER = "quart_auth.AuthUser"
_MANAGERS = ("quart_auth.QuartAuth", "quart_auth.AuthManager")

_SETTINGS = {
    "ATTRIBUTE_NAME": "give `LoginManager` a `name`: see docs/realms.md",
    "BASIC_PASSWORD": "write `@login_manager.verify_password`",
    "BASIC_USERNAME": "write `@login_manager.verify_password`",
    "COOKIE_DOMAIN": "set SESSION_COOKIE_DOMAIN and REMEMBER_COOKIE_DOMAIN",
    "COOKIE_HTTP_ONLY": "set SESSION_COOKIE_HTTPONLY and REMEMBER_COOKIE_HTTPONLY",
    "COOKIE_NAME": "set SESSION_COOKIE_NAME and REMEMBER_COOKIE_NAME",
    "COOKIE_PATH": "set SESSION_COOKIE_PATH and REMEMBER_COOKIE_PATH",
    "COOKIE_SAMESITE": "set SESSION_COOKIE_SAMESITE and REMEMBER_COOKIE_SAMESITE",
    "COOKIE_SECURE": "set LOGIN_SECURE_COOKIES to the same",
    "DURATION": "set REMEMBER_COOKIE_DURATION, and PERMANENT_SESSION_LIFETIME",
    "MODE": "tokens are accepted beside cookies: see docs/tokens.md",
    "SALT": "give `LoginManager` a `name`: see docs/realms.md",
    "USER_CLASS": "the `user_loader` makes the users",
}

#: What keeps Quart-Auth's logins, and the settings that it reads.
_ADOPT = "quart_login.quart_auth.adopt_quart_auth"
_READ = {key.removeprefix("QUART_AUTH_") for key in DEFAULTS}

#: What a manager is called that had no name.
_NAME = "login_manager"

_SETTING = re.compile(r"^[\"']QUART_AUTH_([A-Z_]+)[\"']$")

_SUPER_INIT = m.Call(func=m.Attribute(value=m.Call(func=m.Name("super")), attr=m.Name("__init__")))


class QuartAuth:
    """Looks for Quart-Auth's calls; `instead` is for `imports.Imports`."""

    def __init__(self, kinds: Kinds, edits: Edits) -> None:
        self._kinds = kinds
        self._project: Project = kinds.project
        self._edits = edits
        self.instead: dict[Source, dict[str, str]] = {}
        self._has_loader = any(
            attribute.attr.value == "user_loader"
            for survey in self._project.surveys
            for attribute in survey.attributes
        )
        self._adopts = any(
            _ADOPT in survey.source.names_of(call.func)
            for survey in self._project.surveys
            for call in survey.calls
        )
        self._users = [cls for cls in self._project.classes.values() if self._can_turn(cls)]
        for survey in self._project.surveys:
            self._look(survey)

    def _look(self, survey: Survey) -> None:
        source = survey.source
        for cls in (cls for cls in self._users if cls.source is source):
            self._turn(cls)
        if any(cls.source is source for cls in self._users):
            self._import_mixin(survey)
        for call in survey.calls:
            self._look_at_call(source, call)
        for attribute in survey.attributes:
            self._look_at_attribute(source, attribute)
        for node in survey.awaits:
            self._look_at_await(source, node)
        for string in survey.strings:
            self._look_at_setting(source, string)

    # --- users -----------------------------------------------------------------------------------

    def _can_turn(self, cls: Class) -> bool:
        """Does *cls* derive from `AuthUser` in a way that is understood?"""
        if not any(_USER in cls.source.names_of(base.value) for base in cls.node.bases):
            return False
        told = {"auth_id", "is_authenticated", "action"} & set(cls.methods)
        init = cls.methods.get("__init__")
        calls = m.findall(init.node, _SUPER_INIT) if init is not None else []
        plain = all(isinstance(one, cst.Call) and _id_of(one) is not None for one in calls)
        if not told and plain and (init is None or len(calls) == 1):
            return True
        what = f"derive `{cls.node.name.value}` from `UserMixin`, with an `id`"
        self._project.tell(cls.source, cls.node, what)
        return False

    def _turn(self, cls: Class) -> None:
        init = cls.methods.get("__init__")
        if init is None:
            self._edits.add(cls.source, cls.node, _with_init)
        else:
            for call in m.findall(init.node, _SUPER_INIT):
                assert isinstance(call, cst.Call)
                line = cls.source.parent(call)
                if isinstance(line, cst.Expr):
                    self._edits.add(cls.source, line, _keeping_id(call, init.params[0].name.value))
        name = cls.node.name.value
        what = f"who is anonymous is no `{name}` now, but `LoginManager.anonymous_user`"
        self._project.tell(cls.source, cls.node, what)

    def _import_mixin(self, survey: Survey) -> None:
        """Import `UserMixin` in place of `AuthUser`, or beside it where that is used otherwise."""
        source = survey.source
        bases = {base.value for cls in self._users for base in cls.node.bases}
        others = [
            node
            for node in survey.references
            if _USER in source.names_of(node) and node not in bases
        ]
        if not others:
            self.instead[source] = {_USER: "quart_login.UserMixin"}
            return
        self._edits.needed[source].add(("quart_login", "UserMixin"))
        for node in bases:
            if _USER in source.names_of(node):
                self._edits.add(source, node, lambda updated: cst.Name("UserMixin"))

    # --- calls and attributes --------------------------------------------------------------------

    def _look_at_call(self, source: Source, call: cst.Call) -> None:
        names = source.names_of(call.func)
        if any(name in _MANAGERS for name in names):
            self._name_manager(source, call)
            self._tell_of_manager(source, call)
        if _USER in names:
            self._tell_of_user(source, call)

    def _name_manager(self, source: Source, call: cst.Call) -> None:
        """Give the manager a name, where it has none: its `user_loader` is attached by that."""
        line = source.parent(call)
        if isinstance(line, cst.Expr) and not source.binds(_NAME):
            self._edits.add(source, line, _assigned)

    def _tell_of_manager(self, source: Source, call: cst.Call) -> None:
        for argument in call.args:
            name = argument.keyword.value.upper() if argument.keyword is not None else ""
            if name in _SETTINGS or name in ("SERIALIZER_CLASS", "SINGLETON"):
                hint = _SETTINGS.get(name, "delete it")
                what = f"`LoginManager` has no `{name.lower()}`: {hint}"
                if name in _READ or name == "SERIALIZER_CLASS":
                    what += "; give it to `adopt_quart_auth` as it was"
                self._project.tell(source, argument, what)
        if not self._has_loader:
            what = "`LoginManager` needs a `user_loader`, which finds the user of an id (a text)"
            self._project.tell(source, call, what)
        if not self._adopts:
            what = "everybody is logged out, unless you call `adopt_quart_auth(app)` after it: see"
            self._project.tell(source, call, f"{what} docs/coming-from-quart-auth.md")

    def _tell_of_user(self, source: Source, call: cst.Call) -> None:
        given = source.text(call.args[0].value) if call.args else "that id"
        what = f"log in the object that your `user_loader` returns for `{given}`, not `AuthUser`"
        self._project.tell(source, call, what)

    def _look_at_attribute(self, source: Source, node: cst.Attribute) -> None:
        if node.attr.value != "auth_id":
            return
        if self._project.name_of(source, node.value) == "quart_login.current_user":
            self._edits.add(source, node, _get_id)
            what = "`get_id()` is a text, also where Quart-Auth's id was a number"
            self._project.tell(source, node, what)
        elif self._kinds.of(source, node.value) & {cls.key for cls in self._users}:
            self._edits.add(source, node, lambda updated: updated.with_changes(attr=cst.Name("id")))

    def _look_at_await(self, source: Source, node: cst.Await) -> None:
        inner = node.expression
        if not (isinstance(inner, cst.Attribute) and inner.attr.value == "is_authenticated"):
            return
        kinds = self._kinds.of(source, inner.value) & {cls.key for cls in self._users}
        if kinds or self._project.name_of(source, inner.value) == "quart_login.current_user":
            self._edits.add(source, node, _without_await)

    def _look_at_setting(self, source: Source, string: cst.SimpleString) -> None:
        found = _SETTING.match(string.value)
        if found is not None:
            if found[1] in _READ and self._adopts:
                return  # It says what the old cookie was.
            hint = _SETTINGS.get(found[1], "delete it")
            what = "means nothing now"
            if found[1] in _READ:
                what = "is read by `adopt_quart_auth` alone"
            self._project.tell(source, string, f"{string.value} {what}: {hint}")


def _id_of(call: cst.Call) -> cst.BaseExpression | None:
    """Return the id that ``super().__init__(id, action)`` is given."""
    for argument in call.args[:1]:
        named = argument.keyword is None or argument.keyword.value == "auth_id"
        return argument.value if named and not argument.star else None
    return None


def _keeping_id(call: cst.Call, this: str) -> Edit:
    value = _id_of(call)
    assert value is not None
    return lambda updated: cst.Assign(
        [cst.AssignTarget(cst.Attribute(cst.Name(this), cst.Name("id")))],
        value.deep_clone(),
    )


def _assigned(updated: cst.Expr) -> cst.Assign:
    return cst.Assign([cst.AssignTarget(cst.Name(_NAME))], updated.value)


def _with_init(updated: cst.ClassDef) -> cst.ClassDef:
    function = cst.ensure_type(
        cst.parse_statement("def __init__(self, auth_id):\n    self.id = auth_id\n"),
        cst.FunctionDef,
    )
    if not isinstance(updated.body, cst.IndentedBlock):
        return updated.with_changes(body=cst.IndentedBlock([function]))
    body = [one for one in updated.body.body if not _is_nothing(one)]
    head, rest = (body[:1], body[1:]) if body and _is_docstring(body[0]) else ([], body)
    blank = [cst.EmptyLine(indent=False)] if head else []
    new = [*head, function.with_changes(leading_lines=blank), *rest]
    return updated.with_changes(body=updated.body.with_changes(body=new))


def _is_nothing(node: cst.BaseStatement) -> bool:
    return m.matches(node, m.SimpleStatementLine(body=[m.Pass() | m.Expr(m.Ellipsis())]))


def _is_docstring(node: cst.BaseStatement) -> bool:
    return m.matches(node, m.SimpleStatementLine(body=[m.Expr(m.SimpleString())]))


def _get_id(updated: cst.Attribute) -> cst.Call:
    return cst.Call(updated.with_changes(attr=cst.Name("get_id")))


def _without_await(updated: cst.Await) -> cst.BaseExpression:
    inner = updated.expression
    if updated.lpar and not isinstance(inner.lpar, tuple | list):
        return inner
    return inner.with_changes(lpar=updated.lpar or inner.lpar, rpar=updated.rpar or inner.rpar)
