"""How does an application of Flask-Login or Quart-Auth become one of quart_login?

    python -m quart_login.upgrade PATH            # a diff, and what is left to do
    python -m quart_login.upgrade --write PATH

It needs LibCST, which the extra ``upgrade`` brings.  It reads the code and never runs it.

`names`    what something of Flask's is called in Quart
`awaited`  what is awaited in Quart
`sources`  one file, and what each name in it means
`survey`   the functions, classes and calls of a file
`project`  all files together
`kinds`    of which class a value is
`homes`    where an ``await`` may stand
`wrappers` the project's own decorators
`streams`  which generators become asynchronous ones
`colours`  which functions become coroutine functions, and what is awaited in them
`strays`, `texts`  where one of those is used, and perhaps not awaited
`imports`, `clients`, `quart_auth`, `leftovers`  what else is written anew, or told
`convert`  all of that, for a folder
"""
