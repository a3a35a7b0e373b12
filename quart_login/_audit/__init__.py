"""Does somebody's own application keep what this library promises?  (``pytest --login-audit``)

`plan` says what is asked of it, `checks` asks, `visiting` is who does, `named` finds the
application, and `collecting` makes it items of pytest's.  Nothing here is imported before somebody
asks for an audit, and nothing imports Quart or Flask: each shell has a `Visitor` of its own.
"""
