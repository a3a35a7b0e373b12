"""The pages of the board."""

PAGES = {
    "base.html": """<!doctype html>
<title>{{ title }}</title>
{% for message in get_flashed_messages() %}<p role="status">{{ message }}</p>
{% endfor %}
{% if current_user.is_authenticated %}<p>You are {{ current_user.name }}.</p>
{% else %}<p>You are nobody.</p>
{% endif %}
{% block main %}{% endblock %}
""",
    "login.html": """{% extends "base.html" %}
{% block main %}<form method="post"><input name="name"><input name="password"></form>{% endblock %}
""",
    "board.html": """{% extends "base.html" %}
{% block main %}{% for notice in notices %}<li>{{ notice.author }}: {{ notice.text }}
{% endfor %}{% endblock %}
""",
    "notice.html": """{% extends "base.html" %}
{% block main %}<h1>{{ notice.text }}</h1>{% endblock %}
""",
    "error.html": """{% extends "base.html" %}
{% block main %}<h1>{{ code }}</h1>{% endblock %}
""",
    "goodbye.txt": "Goodbye, {{ name }}: {{ reason }}.",
}
