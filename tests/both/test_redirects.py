"""Where a login leads: section 3.G of the survey of attacks, each test under its row's number.

Each vector comes by the query, by the form and by the session, and what counts is the ``Location``
on the wire, as a browser reads it.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sites import Answer, Browser, Site
from whatwg import HERE, origin
from wire import send_raw

FORM = b"application/x-www-form-urlencoded"


def with_login(site: Site, **options: Any) -> Site:
    """Add a page that redirects as a login does, and one that says what is safe."""

    @site.route("/go", methods=["GET", "POST", "PUT"])
    async def go() -> Any:
        return await site.call(site.lib.redirect_next, "/home", **options)

    @site.route("/safe")
    async def safe() -> str:
        return site.lib.safe_next(site.args().get("next"), "/home")

    return site


@pytest.fixture
def site(make_site: Any) -> Site:
    return with_login(make_site())


def quoted(vector: str) -> str:
    return quote(vector, safe="", errors="surrogatepass")


async def by_query(site: Site, vector: str, method: str = "POST") -> Answer:
    return await send_raw(site, "/go", [], method, query=f"next={quoted(vector)}".encode())


async def by_form(site: Site, vector: str) -> Answer:
    return await posted(site, f"next={quoted(vector)}".encode())


async def posted(site: Site, body: bytes, kind: bytes = FORM) -> Answer:
    return await send_raw(site, "/go", [(b"Content-Type", kind)], "POST", body=body)


async def by_session(site: Site, vector: str) -> Answer:
    browser = site.browser()
    browser.set_session(next=vector)
    answer = await browser.post("/go")
    assert "next" not in browser.session()
    return answer


WAYS = [by_query, by_form, by_session]


async def assert_stays(site: Site, vector: str) -> None:
    """Assert that *vector* leads to the fallback, whichever way it comes."""
    for way in WAYS:
        answer = await way(site, vector)
        assert (answer.status, answer.location) == (303, "/home"), (way.__name__, vector)


# --- the survey's vectors ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "vector", ["/\t/evil.com", "/\n/evil.com", "/\r/evil.com", "/%09/evil.com"]
)
async def test_074_a_tab_or_line_break_between_slashes(site: Site, vector: str) -> None:
    await assert_stays(site, vector)


@pytest.mark.parametrize("vector", ["////evil.com", "///evil.com", "/////evil.com//", "//////"])
async def test_075_more_than_two_slashes(site: Site, vector: str) -> None:
    await assert_stays(site, vector)


@pytest.mark.parametrize(
    "vector",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "java\tscript:alert(1)",
        "javascript://localhost/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox",
        "mailto:a@b",
    ],
)
async def test_077_a_scheme_that_is_none_of_the_web_s(site: Site, vector: str) -> None:
    await assert_stays(site, vector)


@pytest.mark.parametrize(
    "vector",
    [
        "//evil.com",
        " //evil.com",
        "\x19//evil.com",
        "\x00//evil.com",
        "\t//evil.com",
        "//\tevil.com",
    ],
)
async def test_078_two_slashes_behind_what_browsers_cut_off(site: Site, vector: str) -> None:
    await assert_stays(site, vector)


@pytest.mark.parametrize(
    "vector", ["/\\evil.com", "\\/evil.com", "\\\\evil.com", "/%5Cevil.com", "/a/..\\\\evil.com"]
)
async def test_081_a_backslash_that_is_a_slash(site: Site, vector: str) -> None:
    await assert_stays(site, vector)


@pytest.mark.parametrize(
    "vector",
    [
        "http://localhost:99999/",
        "http://localhost:port/",
        "http://[",
        "http://[::1",
        "http://localhost:80:80/",
        "http:///evil.com",
        "http:evil.com",
        "https:evil.com",
        "http://evil.com",
        "http://localhost@evil.com",
        "http://localhost.evil.com",
        "\ud800",
        "/\ud800",
        "/" + "a" * 3000,
    ],
)
async def test_082_a_url_that_cannot_be_parsed_or_is_another_s(site: Site, vector: str) -> None:
    if "\ud800" in vector:  # No session could hold it.
        for way in (by_query, by_form):
            answer = await way(site, vector)
            assert answer.status == 303 and origin(answer.location or "") == HERE
        return
    await assert_stays(site, vector)


@pytest.mark.parametrize(
    "path", ["//evil.com/x", "/\\evil.com/x", "/\t/evil.com/x", "/..//evil.com"]
)
@pytest.mark.parametrize(
    "host", [b"localhost", b"evil.com", b"evil.com/", b"[", b"a@evil.com", b""]
)
@pytest.mark.parametrize("in_session", [True, False])
async def test_084_the_page_to_come_back_to_is_a_path_whatever_was_asked_for(
    make_site: Any, path: str, host: bytes, in_session: bool
) -> None:
    site = with_login(make_site({"USE_SESSION_FOR_NEXT": in_session}))
    site.manager.login_view = "/login"
    site.app.before_request(site.manager.unauthorized)
    answer = await send_raw(site, path, [(b"Host", host)])
    assert answer.status < 500
    if answer.status != 302:
        return  # The framework refuses such a request.
    assert answer.location is not None and origin(answer.location) == HERE
    site.app.before_request_funcs[None].remove(site.manager.unauthorized)
    browser = site.browser()
    if in_session:
        browser.jar["session"] = (answer.cookie("session") or "").split(";")[0].partition("=")[2]
        back = browser.session()["next"]
    else:
        [back] = parse_qs(urlsplit(answer.location).query)["next"]
    assert back.startswith("/") and origin(back) == HERE
    later = await browser.post("/go" if in_session else f"/go?next={quoted(back)}")
    assert later.status == 303 and origin(later.location or "") == HERE


# --- where it does lead --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vector", "location"),
    [
        ("/private", "/private"),
        ("/private?a=1&b=/c", "/private?a=1&b=/c"),
        ("/zoë x", "/zo%C3%AB%20x"),
        ("http://localhost/private?a=1#part", "/private?a=1"),
    ],
)
async def test_a_page_of_this_site_is_gone_to(site: Site, vector: str, location: str) -> None:
    for way in WAYS:
        answer = await way(site, vector)
        assert (answer.status, answer.location) == (303, location)


async def test_what_is_fetched_by_get_is_redirected_with_302(site: Site) -> None:
    answer = await by_query(site, "/private", "GET")
    assert (answer.status, answer.location) == (302, "/private")
    assert (await by_query(site, "/private", "PUT")).status == 303


async def test_the_field_may_have_another_name(make_site: Any) -> None:
    site = with_login(make_site(), next_field="back")
    assert (await send_raw(site, "/go", [], query=b"back=/a&next=/b")).location == "/a"
    assert (await posted(site, b"back=/a&next=/b")).location == "/a"
    assert (await posted(site, b"next=/b")).location == "/home"


async def test_a_stranger_comes_back_to_where_they_were_going(make_site: Any) -> None:
    for config in ({}, {"USE_SESSION_FOR_NEXT": True}):
        site = with_login(make_site(config))
        site.manager.login_view = "go"
        browser = site.browser()
        answer = await browser.get("/private?a=%2Fb")
        assert answer.status == 302 and answer.location is not None
        answer = await browser.post(answer.location)
        assert (answer.status, answer.location) == (303, "/private?a=%2Fb")
        # Once: a later login is not led there.
        answer = await browser.post("/go")
        assert answer.location == "/home"


async def test_each_realm_has_its_own_page_to_come_back_to(make_site: Any) -> None:
    site = with_login(make_site())
    staff = site.lib.LoginManager(site.app, name="staff")

    @site.route("/staff/go", methods=["POST"])
    async def staff_go() -> Any:
        return await site.call(staff.redirect_next, "/staff/home")

    browser = site.browser()
    browser.set_session(**{"next": "/a", staff.keys.next: "/staff/a"})
    assert (await browser.post("/staff/go")).location == "/staff/a"
    assert (await browser.post("/staff/go")).location == "/staff/home"
    assert (await browser.post("/go")).location == "/a"


# --- forms and queries that cannot be read -------------------------------------------------------

MULTIPART = b"multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"next=\xff\xfe", FORM),
        (b"\xff=\xff&next=//evil.com", FORM),
        (b"next=%", FORM),
        (b"&" * 2000, FORM),
        (b"--x\r\n", MULTIPART),
        (b"--x\r\nContent-Disposition: form-data; name=next\r\n\r\n\xff\r\n--x--", MULTIPART),
        (b"junk", b"multipart/form-data"),
        (b"junk", b"multipart/form-data; boundary=\xff"),
        (b"{", b"application/json"),
        (b"junk", b"\xff"),
        (b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" * 1500, MULTIPART),
    ],
)
async def test_a_form_that_cannot_be_read_leads_to_the_fallback(
    site: Site, body: bytes, kind: bytes
) -> None:
    answer = await posted(site, body, kind)
    assert answer.status == 303 and origin(answer.location or "") == HERE
    assert answer.location == "/home" or b"\xff" in body


@pytest.mark.parametrize("limit", ["MAX_CONTENT_LENGTH", "MAX_FORM_MEMORY_SIZE"])
@pytest.mark.parametrize("kind", [FORM, MULTIPART])
async def test_a_form_that_is_too_large_leads_to_the_fallback(
    make_site: Any, limit: str, kind: bytes
) -> None:
    site = with_login(make_site({limit: 100}))
    answer = await posted(site, b"--x\r\n" * 100 + b"next=/a", kind)
    assert (answer.status, answer.location) == (303, "/home")


@pytest.mark.parametrize("query", [b"next=%ff", b"%ff=%ff", b"next=%00", b"next=%"])
async def test_a_query_that_is_no_utf8_leads_to_this_site(site: Site, query: bytes) -> None:
    for method in ("GET", "POST"):
        answer = await send_raw(site, "/go", [], method, query=query)
        assert answer.status in (302, 303) and origin(answer.location or "") == HERE


@pytest.mark.parametrize("host", [b"", b"[", b"evil.com/", b"\xff", b"a b", b"localhost:99999"])
async def test_no_host_header_breaks_it(site: Site, host: bytes) -> None:
    target = b"next=http://" + quote(host).encode() + b"/a"
    answer = await send_raw(site, "/go", [(b"Host", host)], query=target)
    assert answer.status < 500
    if answer.status == 302:
        assert answer.location is not None and origin(answer.location) == HERE


# --- P19 -----------------------------------------------------------------------------------------

PARTS = st.sampled_from(
    [
        *("/", "//", "\\", "..", "%2e%2e", "%2f", "%5c", "%", "\t", "\n", "\0", " ", "\x19"),
        *("http:", "https://", "javascript:", "localhost", "evil.com", "@", ":", "?", "#", "a"),
        *("é", "\u2028", "\N{FULLWIDTH SOLIDUS}", "%0d%0aSet-Cookie:%20a=b"),
    ]
)
TARGETS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.lists(
    PARTS, max_size=8
).map("".join)


@given(target=TARGETS)
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
async def test_p19_whatever_the_target_the_login_leads_to_this_site(
    site: Site, target: str
) -> None:
    said = await send_raw(site, "/safe", [], query=f"next={quoted(target)}".encode())
    assert said.status == 200 and origin(said.text) == HERE
    for answer in (await by_query(site, target), await by_form(site, target)):
        assert answer.status == 303 and answer.set_cookies == []
        # What the framework makes of it on the wire is what was meant.
        assert answer.location == said.text


# --- outside a request ---------------------------------------------------------------------------


def test_what_is_safe_can_be_asked_outside_a_request(site: Site) -> None:
    assert site.lib.safe_next("/a b") == "/a%20b"
    assert site.lib.safe_next("http://localhost/a") == "/"
    assert site.lib.safe_next(object(), "anything at all") == "anything at all"


# --- what the client asked for -------------------------------------------------------------------

JSON = {"Accept": "application/json"}
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/list?p=2"}


@pytest.fixture
def guarded(make_site: Any) -> Site:
    site = make_site()
    site.manager.login_view, site.manager.refresh_view = "login", "refresh"
    return site


def vary(answer: Answer) -> set[str]:
    return {name.strip() for line in answer.headers.getlist("Vary") for name in line.split(",")}


NEGOTIATED = {"Accept", "X-Requested-With", "HX-Request"}


@pytest.mark.parametrize("headers", [JSON, {"X-Requested-With": "XMLHttpRequest"}])
async def test_a_program_gets_a_problem_in_json(guarded: Site, headers: Any) -> None:
    browser = guarded.browser()
    answer = await browser.get("/private", headers=headers)
    assert answer.status == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert json.loads(answer.text)["code"] == "login_required"
    assert vary(answer) >= NEGOTIATED
    assert "_flashes" not in browser.session()


async def test_a_program_with_a_stale_login_is_told_so_and_not_whose_it_is(guarded: Site) -> None:
    browser = guarded.browser()
    await browser.get("/in/1?fresh=0")
    answer = await browser.get("/very", headers=JSON)
    said = json.loads(answer.text)
    assert (answer.status, said["status"]) == (401, 401)
    assert said["code"] == "fresh_login_required"
    assert "user 1" not in answer.text and "login_required" in answer.text


async def test_htmx_is_sent_to_the_login_page_and_back_to_its_page(guarded: Site) -> None:
    browser = guarded.browser()
    answer = await browser.get("/private", headers=HTMX)
    assert answer.status == 401 and answer.location is None
    assert answer.headers["HX-Redirect"] == "/login?next=%2Flist%3Fp%3D2"
    assert vary(answer) >= {*NEGOTIATED, "HX-Current-URL"}
    assert "_flashes" in browser.session()


@pytest.mark.parametrize("headers", [{}, {"Accept": "*/*"}, {"Accept": "text/html"}])
async def test_a_browser_is_redirected(guarded: Site, headers: Any) -> None:
    answer = await guarded.browser().get("/private", headers=headers)
    assert (answer.status, answer.location) == (302, "/login?next=%2Fprivate")
    assert vary(answer) >= NEGOTIATED


async def test_an_answer_that_was_not_negotiated_names_none_of_these_headers(guarded: Site) -> None:
    browser = guarded.browser()
    assert not vary(await browser.get("/public", headers=JSON)) & NEGOTIATED
    await browser.get("/in/1")
    assert not vary(await browser.get("/private", headers=JSON)) & NEGOTIATED


async def test_negotiation_can_be_switched_off(make_site: Any) -> None:
    site = make_site({"LOGIN_NEGOTIATE": False})
    site.manager.login_view = "login"
    for headers in ({}, JSON, HTMX):
        answer = await site.browser().get("/private", headers=headers)
        assert (answer.status, answer.location) == (302, "/login?next=%2Fprivate")
        assert not vary(answer) & NEGOTIATED


async def test_the_applications_page_for_401_takes_the_place_of_ours(guarded: Site) -> None:
    async def own(error: Any) -> Any:
        return f"own {error.code}", 401

    guarded.app.register_error_handler(401, _plain(guarded, own))
    assert await guarded.browser().get("/private", headers=JSON) == (401, "own 401")
    # Where there is a page to go to, it is no error.
    assert (await guarded.browser().get("/private")).status == 302
    assert "HX-Redirect" in (await guarded.browser().get("/private", headers=HTMX)).headers


def _plain(site: Site, handler: Any) -> Any:
    if site.web.__name__ == "quart":
        return handler
    return lambda error: (f"own {error.code}", 401)


async def test_the_applications_handler_for_strangers_answers_programs_too(guarded: Site) -> None:
    @guarded.manager.unauthorized_handler
    def own() -> tuple[str, int]:
        return "own", 403

    for headers in ({}, JSON, HTMX):
        assert await guarded.browser().get("/private", headers=headers) == (403, "own")


@pytest.mark.parametrize(
    "accept", [b"\xff", b'"', b"a/b;q=" * 5000, b"*/*" * 20000, b"application/json" + b"," * 60000]
)
async def test_no_accept_is_an_error(guarded: Site, accept: bytes) -> None:
    answer = await send_raw(guarded, "/private", [(b"Accept", accept)])
    assert answer.status == 302


@pytest.mark.parametrize("page", ["//evil.com", "http://evil.com/", "javascript:alert(1)", "é", ""])
async def test_htmx_is_not_sent_off_the_site_by_what_it_says_of_its_page(
    guarded: Site, page: str
) -> None:
    headers = [(b"HX-Request", b"true"), (b"HX-Current-URL", page.encode())]
    answer = await send_raw(guarded, "/private", headers)
    assert (answer.status, answer.headers["HX-Redirect"]) == (401, "/login")


# --- back to a page that can be fetched by GET ---------------------------------------------------


def with_forms(site: Site) -> Site:
    @site.route("/save", guard="login_required", methods=["POST"])
    async def save() -> str:
        return "saved"

    @site.route("/form", guard="login_required", methods=["GET", "POST"])
    async def form() -> str:
        return "form"

    # One page, each method by a rule of its own.
    @site.route("/item", endpoint="item-shown", methods=["GET"])
    async def item() -> str:
        return "item"

    @site.route("/item", endpoint="item-saved", guard="login_required", methods=["POST"])
    async def save_item() -> str:
        return "saved"

    return site


@pytest.mark.parametrize(
    ("path", "referrer", "back"),
    [
        ("/form", None, "/form"),
        ("/item", None, "/item"),
        ("/save", None, None),
        ("/save", "http://localhost/form?a=1", "/form?a=1"),
        ("/save", "http://localhost/item", "/item"),
        ("/save", "http://localhost/save", None),
        ("/save", "http://localhost/s%61ve?x", None),
        ("/save", "http://localhost/of-another-application", "/of-another-application"),
        ("/save", "http://evil.com/form", None),
    ],
)
async def test_who_posted_comes_back_to_a_page_that_can_be_fetched_by_get(
    guarded: Site, path: str, referrer: str | None, back: str | None
) -> None:
    with_forms(guarded)
    headers = {} if referrer is None else {"Referer": referrer}
    answer = await guarded.browser().post(path, headers=headers)
    query = "" if back is None else "?" + urlencode({"next": back})
    assert (answer.status, answer.location) == (302, f"/login{query}")


# --- login pages that are called, and those of blueprints ----------------------------------------


async def test_a_login_page_may_depend_on_the_request(make_site: Any) -> None:
    site = make_site()

    def of_tenant() -> str:
        return f"/{site.args()['tenant']}/login"

    async def of_tenant_later() -> str:
        return of_tenant()

    views = [of_tenant] if site.web.__name__ == "flask" else [of_tenant, of_tenant_later]
    for view in views:
        site.manager.login_view = site.manager.refresh_view = view
        browser = site.browser()
        answer = await browser.get("/private?tenant=a")
        assert answer.location == "/a/login?next=%2Fprivate%3Ftenant%3Da"
        await browser.get("/in/1?fresh=0")
        assert (await browser.get("/very?tenant=b")).location == (
            "/b/login?next=%2Fvery%3Ftenant%3Db"
        )


def nested(site: Site) -> dict[str, Any]:
    """Add the blueprints shop, shop.admin, blog, blog.admin and admin, each with a page and a
    login page."""
    made: dict[str, Any] = {}
    for name in ("shop", "shop.admin", "blog", "blog.admin", "admin"):
        own = name.rpartition(".")[2]
        made[name] = made_one = site.web.Blueprint(own, __name__, url_prefix=f"/{own}")

        async def page() -> str:
            return "page"

        view = site.lib.login_required(site.colour(page))
        made_one.add_url_rule("/page", "page", view)
        made_one.add_url_rule("/login", "login", site.colour(page))
    made["shop"].register_blueprint(made["shop.admin"])
    made["blog"].register_blueprint(made["blog.admin"])
    for name in ("shop", "blog", "admin"):
        site.app.register_blueprint(made[name])
    return made


async def in_app(site: Site, fn: Any, *args: Any) -> None:
    """Call *fn* with the application at hand."""
    if site.web.__name__ == "flask":
        with site.app.app_context():
            fn(*args)
    else:
        async with site.app.app_context():
            fn(*args)


async def login_page(browser: Browser, path: str) -> str | None:
    answer = await browser.get(path)
    return None if answer.location is None else urlsplit(answer.location).path


async def test_a_nested_blueprint_has_its_parents_login_page(site: Site) -> None:
    made = nested(site)
    await in_app(site, site.lib.set_login_view, ".login", made["shop"])
    browser = site.browser()
    assert await login_page(browser, "/shop/page") == "/shop/login"
    assert await login_page(browser, "/shop/admin/page") == "/shop/login"
    assert await login_page(browser, "/blog/admin/page") is None
    assert await login_page(browser, "/admin/page") is None


async def test_nested_blueprints_of_one_name_have_login_pages_of_their_own(site: Site) -> None:
    made = nested(site)
    site.manager.login_view = "login"
    await in_app(site, site.lib.set_login_view, ".login", made["shop.admin"])
    await in_app(site, site.lib.set_login_view, "blog.admin.login", made["blog.admin"])
    browser = site.browser()
    assert await login_page(browser, "/shop/admin/page") == "/shop/admin/login"
    assert await login_page(browser, "/blog/admin/page") == "/blog/admin/login"
    for path in ("/shop/page", "/blog/page", "/admin/page"):
        assert await login_page(browser, path) == "/login"


async def test_a_blueprints_login_page_is_not_that_of_a_nested_one_of_the_same_name(
    site: Site,
) -> None:
    made = nested(site)
    await in_app(site, site.lib.set_login_view, ".login", made["admin"])
    await in_app(site, site.lib.set_login_view, ".login", made["shop"])
    browser = site.browser()
    assert await login_page(browser, "/admin/page") == "/admin/login"
    assert await login_page(browser, "/shop/admin/page") == "/shop/login"
    assert await login_page(browser, "/blog/admin/page") is None


async def test_a_blueprints_login_page_may_be_called_and_leave_it_to_its_parents(
    site: Site,
) -> None:
    nested(site)
    site.manager.blueprint_login_views = {"shop.admin": lambda: None, "shop": lambda: ".login"}
    assert await login_page(site.browser(), "/shop/admin/page") == "/shop/login"


# --- requests that a page of another site began --------------------------------------------------

FOREIGN = {"Sec-Fetch-Site": "cross-site"}


@pytest.fixture(params=[False, True], ids=["next in the URL", "next in the session"])
def posted_to(request: Any, guarded: Site) -> Site:
    """Return a site with a form for users."""
    guarded.app.config["USE_SESSION_FOR_NEXT"] = request.param

    @guarded.route("/form", guard="login_required", methods=["GET", "POST"])
    async def form() -> str:
        return "sent"

    return guarded


@pytest.mark.parametrize("path", ["/form", "/private"])
async def test_a_post_of_another_site_writes_no_session_over_the_user_s(
    posted_to: Site, path: str
) -> None:
    posted_to.manager.require_login(posted_to.app)  # to which a wrong method is a stranger's, too
    answer = await posted_to.browser().post(path, headers=FOREIGN)
    assert answer.status == 302 and answer.location is not None
    assert "Set-Cookie" not in answer.headers


async def test_a_link_of_another_site_writes_none_over_a_strict_session(posted_to: Site) -> None:
    posted_to.app.config["SESSION_COOKIE_SAMESITE"] = "Strict"
    answer = await posted_to.browser().get("/form", headers=FOREIGN)
    assert (answer.status, answer.location) == (302, "/login?next=%2Fform")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, JSON])
async def test_a_post_of_this_site_s_is_told_what_it_was(posted_to: Site, headers: Any) -> None:
    browser = posted_to.browser()
    answer = await browser.post("/form", headers=headers)
    assert ("_flashes" in browser.session()) is (answer.status == 302)


async def test_a_stranger_with_a_session_is_told_wherever_the_link_was(posted_to: Site) -> None:
    browser = posted_to.browser()
    browser.set_session(cart=[1])
    await browser.post("/form", headers=FOREIGN)
    assert browser.session()["cart"] == [1] and "_flashes" in browser.session()
