from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import select
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import pytest

from mutants import __doc__ as manual
from mutants.collected import CORE, TESTS, Collected
from mutants.generated import Generated, mistakes
from mutants.page import PAGE, with_made
from mutants.survivors import explained
from mutants.workshop import ROOT, Outcome, Ran, Running, Workshop, changed, run_tests
from mutants.written import Written, text_of, written

#: Seconds for which tests may run on a mutant that somebody wrote, or that is imported anew.
PATIENCE = 180.0

#: And where they need not end.
HANGING = 30.0

#: What part of its time the gate takes for mistakes that are made as a module is imported.
AT_IMPORT = 0.2

#: Of a hundred that a program thought of, so many must die in the gate, or be explained.
ENOUGH = 95.0


@dataclass
class Result:
    """How the tests took one mutant."""

    name: str
    outcome: Outcome
    seconds: float
    said: str = ""

    @property
    def is_killed(self) -> bool:
        return self.outcome is not Outcome.PASSED


# --- what somebody wrote -------------------------------------------------------------------------


def try_written(workshop: Workshop, mutants: Sequence[Written]) -> Iterator[Result]:
    """Run on each of *mutants* the tests that must fail."""
    jobs = [
        Job(
            mutant.name,
            mutant.file,
            mutant.apply(text_of(mutant)),
            [mutant.tests],
            HANGING if mutant.hangs else PATIENCE,
        )
        for mutant in mutants
    ]
    return at_once(workshop, jobs)


def wrong_with(mutant: Written, result: Result) -> str | None:
    """Return what is wrong if the tests of *mutant* did not fail as they must, or None."""
    if result.outcome is Outcome.FAILED or (mutant.hangs and result.outcome is Outcome.TIMED_OUT):
        return None
    said = {
        Outcome.PASSED: f"no test fails of {', '.join(mutant.tests)}",
        Outcome.BROKEN: f"the tests could not be run:\n{result.said[-2000:]}",
        Outcome.TIMED_OUT: "the tests did not end",
    }
    return f"{mutant.name} ({mutant.file}): {said[result.outcome]}"


# --- what a program thought of -------------------------------------------------------------------


def all_generated() -> list[tuple[Generated, str]]:
    """Return the core's mistakes, each with the text of its module."""
    found = []
    for file in sorted((ROOT / CORE).glob("*.py")):
        path, text = f"{CORE}/{file.name}", file.read_text("utf-8")
        found += [(mistake, text) for mistake in mistakes(path, text)]
    return found


def try_collected(
    workshop: Workshop, mutants: Sequence[tuple[Generated, str]], seconds: float
) -> tuple[list[Result], set[str]]:
    """Try *mutants* with what is imported once, for so many *seconds*; return also the names of
    those that must be imported.
    """
    parts = [mutants[number :: len(workshop.copies)] for number in range(len(workshop.copies))]
    files = [copy.with_suffix(".jsonl") for copy in workshop.copies]
    running = [
        workshop.start(copy, _judging(part, file, time.monotonic() + seconds), seconds + 600)
        for copy, part, file in zip(workshop.copies, parts, files, strict=True)
    ]
    for one in running:
        ran = one.end()
        if ran.outcome is not Outcome.PASSED:
            raise RuntimeError(f"The generated mutants could not be tried:\n{ran.said[-4000:]}")
    said = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    results = [Result(name, Outcome[how], spent) for name, how, spent in said if how is not None]
    return results, {name for name, how, _ in said if how is None}


def _judging(
    mutants: Sequence[tuple[Generated, str]], file: Path, until: float
) -> Callable[[], int]:
    def work(collected: Collected) -> None:
        with file.open("w") as told:
            for mutant, text in mutants:
                began = time.monotonic()
                if began > until:
                    return
                outcome = collected.judge(mutant, text)
                spent = round(time.monotonic() - began, 2)
                how = None if outcome is None else outcome.name
                print(json.dumps([mutant.name, how, spent]), file=told, flush=True)

    # Without a capture: the forks would share its file.
    return lambda: int(
        pytest.main(["-q", "-s", "-p", "no:cacheprovider", TESTS], plugins=[Collected(work)])
    )


def try_at_import(
    workshop: Workshop, mutants: Sequence[tuple[Generated, str]], seconds: float
) -> Iterator[Result]:
    """Try *mutants* with a new import for each, for so many *seconds*."""
    jobs = []
    for mutant, text in mutants:
        own = f"{TESTS}/test_{Path(mutant.path).stem}.py"
        parts = [[own], [TESTS]] if (ROOT / own).exists() else [[TESTS]]
        jobs.append(Job(mutant.name, mutant.path, mutant.apply(text), parts))
    return at_once(workshop, jobs, seconds)


# --- to run them ---------------------------------------------------------------------------------


@dataclass
class Job:
    """The tests to run, part by part, where the file *path* says *text*."""

    name: str
    path: str
    text: str
    parts: Sequence[Sequence[str]]
    limit: float = PATIENCE


def at_once(workshop: Workshop, jobs: Sequence[Job], seconds: float = 1e9) -> Iterator[Result]:
    """Do *jobs*, one at a time in each copy, and begin none after so many *seconds*."""
    until = time.monotonic() + seconds
    waiting, idle = iter(jobs), list(workshop.copies)
    busy: dict[Running, tuple[Copy, Job]] = {}
    more = True
    while more or busy:
        while more and idle:
            job = next(waiting, None) if time.monotonic() < until else None
            more = job is not None
            if job is not None:
                copy = Copy(workshop, idle.pop(), job)
                busy[copy.begin()] = (copy, job)
        ready = select.select(
            list(busy), [], [], max(0, min(one.left for one in busy)) if busy else 0
        )[0]
        for one in ready or [one for one in busy if one.left <= 0]:
            copy, job = busy.pop(one)
            result = copy.take(one.end())
            if result is None:
                busy[copy.begin()] = (copy, job)
            else:
                idle.append(copy.place)
                yield result


class Copy:
    """A copy of the tree with a job to do in it."""

    def __init__(self, workshop: Workshop, place: Path, job: Job) -> None:
        self.place = place
        self._workshop, self._job = workshop, job
        self._parts = list(job.parts)
        self._seconds = 0.0
        self._changed = ExitStack()
        self._changed.enter_context(changed(place, job.path, job.text))

    def begin(self) -> Running:
        """Run the next part of the tests."""
        tests = self._parts.pop(0)
        return self._workshop.start(self.place, lambda: run_tests(tests), self._job.limit)

    def take(self, ran: Ran) -> Result | None:
        """Return how it came out; None if there are tests yet to run."""
        self._seconds += ran.seconds
        if ran.outcome is Outcome.PASSED and self._parts:
            return None
        self._changed.close()
        return Result(self._job.name, ran.outcome, round(self._seconds, 2), ran.said)


# --- the command ---------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(
        "python tests/mutants", description=manual, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="all mutants, however long it takes")
    parser.add_argument("--only", metavar="TEXT", help="those with this in their name, or broken")
    parser.add_argument("--kind", choices=("written", "generated"), help="those of one kind")
    parser.add_argument("--minutes", type=float, default=2.0, help="for generated ones (2)")
    parser.add_argument("--seed", help="which generated ones come first; else the code says it")
    parser.add_argument("--jobs", type=int, default=1, choices=(1, 2), help="at a time (1)")
    parser.add_argument("--page", action="store_true", help="make docs/proof.md's tables anew")
    parser.add_argument("--results", type=Path, help="a file to be given a line for each mutant")
    options = parser.parse_args()
    if options.page:
        PAGE.write_text(with_made(PAGE.read_text("utf-8")), "utf-8")
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        workshop = Workshop(Path(place), options.jobs)
        wrong = []
        if options.kind != "generated":
            wrong += do_written(workshop, options)
        if options.kind != "written":
            wrong += do_generated(workshop, options)
    for line in wrong:
        print(f"\nWRONG: {line}")
    print(f"\n{time.monotonic() - began:.0f} s")
    return bool(wrong)


def do_written(workshop: Workshop, options: argparse.Namespace) -> list[str]:
    """Try the mutants that somebody wrote; return what is wrong."""
    every = options.all or options.only is not None
    mutants = [one for one in written() if is_meant(one, options) and (every or not one.slow)]
    results = noted("written", try_written(workshop, mutants), options)
    by_name = {one.name: one for one in mutants}
    found = (wrong_with(by_name[result.name], result) for result in results)
    return [wrong for wrong in found if wrong is not None]


def is_meant(mutant: Written, options: argparse.Namespace) -> bool:
    only = options.only
    return only is None or only in mutant.breaks or only in mutant.name or only in mutant.file


def do_generated(workshop: Workshop, options: argparse.Namespace) -> list[str]:
    """Try the mutants that a program thinks of; return what is wrong."""
    mutants = all_generated()
    seed = options.seed or hashlib.sha256("".join(text for _, text in mutants).encode()).hexdigest()
    random.Random(seed).shuffle(mutants)
    if options.only is not None:
        mutants = [one for one in mutants if options.only in one[0].name]
    every = options.all or options.only is not None
    seconds = 1e5 if every else 60 * options.minutes
    early = [one for one in mutants if one[0].at_import]
    others = [one for one in mutants if not one[0].at_import]
    results, left = [], set[str]()
    if others:
        results, left = try_collected(workshop, others, seconds * (1 - AT_IMPORT))
    early += [one for one in others if one[0].name in left]
    results = noted("generated", results, options)
    results += noted("at import", try_at_import(workshop, early, seconds * AT_IMPORT), options)
    known = explained()
    survivors = [result.name for result in results if not result.is_killed]
    print(f"  {len(survivors)} survive; {sum(one in known for one in survivors)} are explained")
    wrong = [f"survives, and nobody says why: {one}" for one in survivors if one not in known]
    return wrong if every else too_many(wrong, len(results))


def too_many(wrong: Sequence[str], tried: int) -> list[str]:
    """Return what is wrong with a part of the generated mutants, of which *wrong* survived: nothing
    if few did.  (How far the part goes is the machine's affair, and a gate's answer must not be.)
    """
    for line in wrong:
        print(f"  {line}")
    share = 100 * (1 - len(wrong) / max(tried, 1))
    return [] if share >= ENOUGH else [f"{share:.1f} % of the generated ones die, not {ENOUGH:g} %"]


def noted(kind: str, results: Iterable[Result], options: argparse.Namespace) -> list[Result]:
    """Return *results*, of one *kind*, and say how many were killed."""
    found = []
    for one in results:
        found.append(one)
        if options.results is not None:
            with options.results.open("a") as told:
                print(json.dumps([kind, one.name, one.outcome.name, one.seconds]), file=told)
    killed, spent = sum(one.is_killed for one in found), sum(one.seconds for one in found)
    share = 100 * killed / max(len(found), 1)
    print(f"{kind}: {killed} of {len(found)} killed ({share:.1f} %), {spent:.0f} s", flush=True)
    return found


if __name__ == "__main__":
    os.nice(5)
    sys.exit(main())
