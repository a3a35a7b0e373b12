"""A Flask application and a Quart application on one site, with one login.

From a checkout, in an environment of its own:

    pip install '.[example]'
    python -m examples.side_by_side

Then open http://127.0.0.1:8000.  This is how an application moves from Flask to Quart, a view at
a time: `flask_half` is what there was, `quart_half` what is new, `common` what makes it one login,
and `app` serves both.
"""
