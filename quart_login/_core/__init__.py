"""The logic of both shells, written once.

The rule of this folder: the standard library, blinker, itsdangerous and Werkzeug; never Quart,
Flask or asyncio.  A module that decides holds plain functions only.  A module that waits (`load`,
`login`, `guard`, `finish`) holds coroutines that await nothing but their exchange.
"""
