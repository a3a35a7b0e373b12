"""How are the core's tests run on a thousand mutants?

Rule 1.  They are imported and collected once; for each mutant, the process forks, and the fork puts
         the mutant's code into the functions that are there.  That takes a tenth of what a new
         import would.
Rule 2.  First come the tests of the module's own file that reach the changed line, then whichever
         else reach it.  (No cache keeps a test from reaching what another has reached.)
Rule 3.  What runs as a module is imported cannot be changed so: see `workshop`.
"""

from __future__ import annotations

import gc
import os
import resource
import select
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final

import coverage
import pytest

from .generated import Generated
from .workshop import MEMORY, Outcome

#: The tests that kill the core's mutants, and what these are mutants of.
TESTS: Final = "tests/core"
CORE: Final = "quart_login/_core"

#: Per file and line, the tests that run it.
Reached = Mapping[str, Mapping[int, Sequence[str]]]


#: Functions, each with the code that it gets.
Changes = list[tuple[FunctionType, CodeType]]


class Collected:
    """A plugin of pytest that, in place of running what was collected, does *work* with it."""

    def __init__(self, work: Callable[[Collected], None]) -> None:
        self._work = work
        self._items: dict[str, pytest.Item] = {}
        self._reached: dict[str, dict[int, list[str]]] = {}
        self._functions: dict[str, list[FunctionType]] = {}
        self._seconds: dict[str, float] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        assert not session.testsfailed, "the tests cannot be collected"
        self._items = {item.nodeid: item for item in session.items}
        self._functions = _functions()
        self._measure()
        gc.freeze()
        self._work(self)
        return True

    # --- which tests reach a line ----------------------------------------------------------------

    def _measure(self) -> None:
        """Run everything once; note who reaches what, and how long each takes."""
        inlet, outlet = os.pipe()
        child = os.fork()
        if child == 0:
            _end_with(lambda: self._say_reached(outlet))
        os.close(outlet)
        with os.fdopen(inlet) as said:
            for line in said:
                file, number, test = line.rstrip("\n").split("\t")
                if file:
                    self._reached.setdefault(file, {}).setdefault(int(number), []).append(test)
                else:
                    self._seconds[test] = float(number)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            raise RuntimeError("The tests must pass before anything is changed.")

    def _say_reached(self, outlet: int) -> int:
        measure = coverage.Coverage(data_file=None, source=[CORE], config_file=False)
        measure.start()
        caches = _caches()

        starts: list[tuple[str, float]] = []

        def begin(test: str) -> None:
            for cache in caches:
                cache.cache_clear()
            starts.append((test, time.monotonic()))
            measure.switch_context(test)

        failed = self._run(list(self._items), begin)
        measure.stop()
        data = measure.get_data()
        starts.append(("", time.monotonic()))
        with os.fdopen(outlet, "w") as told:
            for (test, start), (_, end) in pairwise(starts):
                told.write(f"\t{end - start}\t{test}\n")
            for file in data.measured_files():
                path = str(Path(file).relative_to(Path.cwd()))
                for line, tests in data.contexts_by_lineno(file).items():
                    told.writelines(f"{path}\t{line}\t{test}\n" for test in tests if test)
        return failed

    def in_order(self, mutant: Generated) -> Iterator[list[str]]:
        """Yield the tests of *mutant*, in parts, those first that will likely fail."""
        of_file, (first, last) = self._reached.get(mutant.path, {}), mutant.lines
        found = dict.fromkeys(t for n in range(first, last + 1) for t in of_file.get(n, ()))
        own = f"{TESTS}/test_{Path(mutant.path).stem}.py"
        files = Counter(test.partition("::")[0] for test in found)
        if own not in files and files:
            own = files.most_common(1)[0][0]
        for is_own in (True, False):
            yield [test for test in found if test.startswith(f"{own}::") is is_own]

    # --- to run some of them ---------------------------------------------------------------------

    def judge(self, mutant: Generated, text: str) -> Outcome | None:
        """Run the tests on *mutant* of a module that is *text*; None if it must be imported for
        that.
        """
        changes = self._changes(mutant, text)
        parts = [tests for tests in self.in_order(mutant) if tests]
        if not changes or not parts:
            return None
        for tests in parts:
            limit = 5 + 3 * sum(self._seconds[test] for test in tests)
            outcome = self._try(changes, tests, limit)
            if outcome is not Outcome.PASSED:
                return outcome
        return Outcome.PASSED

    def _changes(self, mutant: Generated, text: str) -> Changes:
        """Return which functions get which code; none if one of them cannot take it."""
        old, new = _codes(text, mutant.path), _codes(mutant.apply(text), mutant.path)
        found = []
        for function in self._functions.get(mutant.path, ()):
            name, line = function.__code__.co_qualname, function.__code__.co_firstlineno
            if _is_within(mutant.where, name):
                number = [code.co_firstlineno for code in old[name]].index(line)
                found.append((function, new[name][number]))
        fit = all(code.co_freevars == one.__code__.co_freevars for one, code in found)
        return found if fit else []

    def _try(self, changes: Changes, tests: Sequence[str], limit: float) -> Outcome:
        child = os.fork()
        if child == 0:
            _end_with(lambda: self._run_changed(changes, tests))
        handle = os.pidfd_open(child)
        timed_out = not select.select([handle], [], [], limit)[0]
        os.close(handle)
        if timed_out:
            os.killpg(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if timed_out:
            return Outcome.TIMED_OUT
        return Outcome.FAILED if status else Outcome.PASSED

    def _run_changed(self, changes: Changes, tests: Sequence[str]) -> int:
        for function, code in changes:
            function.__code__ = code
        return self._run(tests)

    def _run(self, tests: Sequence[str], told: Callable[[str], None] | None = None) -> int:
        """Run *tests* up to the first that fails; return how many failed."""
        items = [self._items[test] for test in tests]
        session = items[0].session
        for item, after in zip(items, [*items[1:], None], strict=True):
            if told is not None:
                told(item.nodeid)
            item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
            if session.testsfailed:
                break
        return int(session.testsfailed)


def _end_with(work: Callable[[], int]) -> None:
    """Do *work* in this process, which is a fork, and end it."""
    status = 70
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        status = min(work(), 1)
    finally:
        os._exit(status)


def _functions() -> dict[str, list[FunctionType]]:
    """Return the functions of the core that there are, per file."""
    here, found = f"{Path.cwd()}/", defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType):
            name = one.__code__.co_filename
            if name.startswith(here):
                found[name.removeprefix(here)].append(one)
    return found


def _caches() -> list[Any]:
    """Return what remembers results of the core's functions."""
    kind = type(lru_cache(len))
    return [one for one in gc.get_objects() if isinstance(one, kind) and _is_ours(one)]


def _is_ours(cache: Any) -> bool:
    return str(cache.__module__).startswith("quart_login.")


def _codes(text: str, path: str) -> defaultdict[str, list[CodeType]]:
    """Return what *text*, the module at *path*, is compiled to, by qualified names."""
    found: defaultdict[str, list[CodeType]] = defaultdict(list)
    waiting = [compile(text, str(Path.cwd() / path), "exec", dont_inherit=True)]
    while waiting:
        code = waiting.pop()
        found[code.co_qualname].append(code)
        waiting += [one for one in reversed(code.co_consts) if isinstance(one, CodeType)]
    return found


def _is_within(where: str, qualname: str) -> bool:
    """Is the function *qualname* the one at *where*, or around it?"""
    plain = qualname.replace("<locals>.", "")
    return where == plain or where.startswith(f"{plain}.")
