"""Notes of one's own: a whole application with quart-login.

From a checkout, in an environment of its own:

    pip install '.[example]'
    python -m examples.notes

Then open http://127.0.0.1:8000.  `app` puts it together; `accounts` and `devices` are where the
logins are.
"""
