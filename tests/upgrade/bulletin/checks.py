"""The tests of the board."""

from __future__ import annotations

import json
from html import unescape

import pytest
from flask.testing import FlaskClient

from bulletin import create_app
from bulletin.models import store

BOB = {"name": "bob", "password": "the password of bob"}


@pytest.fixture
def app():
    store.reset()
    return create_app(TESTING=True)


@pytest.fixture
def client(app):
    return app.test_client()


def log_in(client, name="bob", **more):
    form = {"name": name, "password": f"the password of {name}", **more}
    return client.post("/login", data=form)


def text_of(response):
    return unescape(response.get_data(as_text=True))


def test_a_stranger_sees_the_board_and_is_sent_to_log_in(client):
    assert "You are nobody." in text_of(client.get("/"))
    response = client.post("/notices", data={"text": "hello"})
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/login")
    assert "Please log in" in client.get("/login").text


def test_whoever_logs_in_writes_and_logs_out(client):
    assert log_in(client).status_code == 302
    assert client.post("/notices", data=dict(text="hello")).status_code == 302
    assert "You are bob." in text_of(client.get("/"))
    assert "bob: hello" in text_of(client.get("/"))
    response = client.post("/logout", follow_redirects=True)
    assert "Goodbye, bob." in text_of(response)
    assert "You are nobody." in text_of(client.get("/"))


def test_a_wrong_password_is_refused_three_times_and_then_no_more(client):
    wrong = {**BOB, "password": "wrong"}
    for status in (422, 422, 422, 429):
        assert client.post("/login", data=wrong).status_code == status
    with client.session_transaction() as session:
        assert session.pop("attempts") == 4
    assert client.post("/login", data=BOB).status_code == 302


def test_the_remember_cookie_brings_back_a_login_that_is_not_fresh(app):
    client = app.test_client()
    log_in(client, remember="on")
    assert client.get("/secret").data == b"The secret of bob."
    with client.session_transaction() as session:
        session.clear()
    assert "You are bob." in text_of(client.get("/"))
    again = client.get("/secret", follow_redirects=True)
    assert "Please type your password again." in text_of(again)
    client.post("/confirm", data={"password": BOB["password"]})
    assert client.get("/secret").get_data() == b"The secret of bob."


def test_a_notice_is_its_authors(client: FlaskClient, app):
    log_in(client)
    client.post("/notices", data={"text": "mine"})
    [notice] = store.notices
    page = client.get(f"/notices/{notice}")
    assert "<h1>mine</h1>" in text_of(page)
    assert page.headers["Cache-Control"] == "private"
    changed = client.post(f"/notices/{notice}", data={"text": "still mine"})
    assert "<h1>still mine</h1>" in text_of(changed)
    with app.test_client() as other:
        log_in(other, "ann")
        assert other.delete(f"/notices/{notice}").status_code == 403
    assert client.delete(f"/notices/{notice}").status_code == 204
    assert "<h1>404</h1>" in text_of(client.get(f"/notices/{notice}"))


def test_moderators_alone_lock(client):
    log_in(client)
    response = client.get("/staff/")
    assert (response.status_code, response.headers["X-Who"]) == (403, "bob")
    log_in(client, "ann")
    assert client.get("/staff/").data == b"ann, bob"
    letter = client.post("/staff/lock", data={"name": "bob"})
    assert text_of(letter) == "Goodbye, bob: no reason."
    assert client.post("/staff/lock", data={"name": "zoe"}).status_code == 404
    client.post("/logout")
    log_in(client)
    assert "Your account is locked." in text_of(client.get("/"))


def test_programs_use_a_key_and_json(client):
    assert client.get("/api/me").json == {"name": None}
    assert client.get("/api/me", headers={"X-Key": "key-of-ann"}).json == {"name": "ann"}
    log_in(client)
    written = client.post("/api/notices", json={"text": "by a program"})
    assert written.status_code == 201
    assert written.get_json()["author"] == "bob"
    body = json.dumps({"text": "typed"})
    client.post("/api/notices", data=body, content_type="application/json")
    assert [notice["text"] for notice in client.get("/api/notices").json] == [
        "by a program",
        "typed",
    ]
    assert client.post("/api/notices", data="[]").status_code == 400
    assert client.post("/api/size", data="12345").json == {"bytes": 5, "again": 5}


def test_a_view_is_let_through_once(client):
    assert client.get("/often").data == b"once"
    assert client.get("/often").status_code == 429


def test_what_is_done_around_a_request(client):
    log_in(client)
    response = client.get("/")
    assert response.headers["X-Type"] == "text/html"
    assert len(response.data) == len(response.get_data())
    client.post("/often", data={"leave": "1"})
    assert "You are nobody." in text_of(client.get("/"))
