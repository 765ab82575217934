# SPDX-License-Identifier: MIT
"""Killed, or made to fail, at each point of a run: typed again, it ends where an undisturbed run would have ended.

One case again: ATHANOR_POINT='orchestrator/vfs.write@app.db:2:kill' pytest tests/torture/test_kills.py -k upgrade-wal
All points whose kind begins so, instead of a sample: ATHANOR_POINTS_OF=journal
"""
import collections
import concurrent.futures
import contextlib
import os
import random
import re
import time

import pytest

import lab
import judged
import points
from conftest import SEED, SOAK, score

pytestmark = pytest.mark.skipif(not points.HAS_POINTS, reason="no build with -Dfailpoints=true (ATHANOR_SANITIZED)")

WORKERS = 2
KILLS, FAILURES = 2, 1      # of one scenario in the short form
DOUBLE = TORTURED = 100     # of one scenario in the soak: kills of a run and its resume; seeds of random faults
ONE = os.environ.get("ATHANOR_POINT")
ONLY = os.environ.get("ATHANOR_POINTS_OF") or ""
HOW = ("kill", "kill", "kill-both", "kill-warden")
TALLY = collections.Counter()


def by_name(name):
    return next(one for one in points.SCENARIOS if one.name == name)


@contextlib.contextmanager
def idle(lanes):
    """A place that nobody works in."""
    place = lanes.get()
    try:
        yield points.Lane(place)
    finally:
        lanes.put(place)


@pytest.fixture(scope="session")
def references(lanes):
    """Undisturbed runs, by the name of their scenario; each is made when it is wanted first."""
    made = {}

    def reference(scenario):
        if scenario.name not in made:
            with idle(lanes) as lane:
                made[scenario.name] = judged.Reference(lane, scenario)
        return made[scenario.name]
    return reference


def sample(found, count, chance):
    """Of each kind of point one before any kind gets a second; those around the commit always come first."""
    found = [point for point in found if points.kind(point).startswith(ONLY)]
    if SOAK or ONLY:
        return found
    kinds = collections.defaultdict(list)
    for point in found:
        kinds[points.kind(point)].append(point)
    first = [kind for kind in kinds if points.ALWAYS.search(kind)]
    rest = [kind for kind in kinds if kind not in first]
    chosen = chance.sample(first, min(len(first), count // 2))
    chosen += chance.sample(rest, min(len(rest), count - len(chosen)))
    return [chance.choice(kinds[kind]) for kind in chosen]


def all_of(cases, lanes, try_one):
    """Tries the cases, two at a time; all that is wrong, each with what plays it again."""
    def one(case):
        since = time.monotonic()
        try:
            with idle(lanes) as lane:
                tried = try_one(lane, case)
            print("%s: %.1f s" % (case, time.monotonic() - since))
            TALLY["hit" if tried.was_hit else "missed"] += 1
            return ["%s: %s" % (case, text) for text in tried.wrong]
        except Exception as error:  # noqa: BLE001: a case that could not be judged is wrong, and says why
            return ["%s: %s: %s" % (case, type(error).__name__, error)]

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        wrong = [text for texts in pool.map(one, cases) for text in texts]
    TALLY["wrong"] += len(wrong)
    return wrong


def assert_right(wrong):
    assert not wrong, "seed %d\n%s" % (SEED, "\n".join(wrong[:20]))


def wishes(reference, found, actions, chance):
    if ONE:
        return [ONE]
    return ["%s:%s" % (points.address(point, reference.points), chance.choice(actions)) for point in found]


@pytest.mark.parametrize("scenario", points.SCENARIOS, ids=lambda scenario: scenario.name)
def test_killed_at_a_point_it_is_finished_by_the_same_command(scenario, lanes, references):
    chance = random.Random("%d kill %s" % (SEED, scenario.name))
    reference = references(scenario)
    cases = wishes(reference, sample(reference.points, KILLS, chance), HOW, chance)
    TALLY["points"] += len(reference.points)
    TALLY["killed"] += len(cases)
    assert_right(all_of(cases, lanes, lambda lane, wish: judged.Case(lane, reference, wish).kill()))


@pytest.mark.parametrize("scenario", points.SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_failure_at_a_point_is_told_truly(scenario, lanes, references):
    chance = random.Random("%d fail %s" % (SEED, scenario.name))
    reference = references(scenario)
    found = sample(reference.points, FAILURES, chance)
    cases = wishes(reference, found, ("fail:EIO", "fail:ENOSPC"), chance)
    for idx, point in enumerate(found):
        if not ONE and chance.random() < 0.3:       # a disk that is full stays so
            cases[idx] = "%s/%d+:fail:ENOSPC" % (point.role, point.number)
    TALLY["failed"] += len(cases)
    assert_right(all_of(cases, lanes, lambda lane, wish: judged.Case(lane, reference, wish).fail()))


@pytest.mark.skipif(not SOAK, reason="only with ATHANOR_SOAK")
@pytest.mark.parametrize("scenario", points.SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_resume_is_killed_too(scenario, lanes, references):
    chance = random.Random("%d twice %s" % (SEED, scenario.name))
    reference = references(scenario)
    first, second = [wishes(reference, chance.choices(reference.points, k=DOUBLE), HOW, chance) for _ in range(2)]
    pairs = list(zip(first, second))
    TALLY["killed twice"] += len(pairs)
    assert_right(all_of(pairs, lanes, lambda lane, pair: judged.Case(lane, reference, pair[0]).kill_twice(pair[1])))


@pytest.mark.parametrize("scenario", points.SCENARIOS, ids=lambda scenario: scenario.name)
def test_under_random_faults_it_comes_to_its_end(scenario, lanes, references):
    chance = random.Random("%d torture %s" % (SEED, scenario.name))
    reference = references(scenario)
    if not SOAK and scenario.name not in ("fresh", "upgrade-wal"):
        pytest.skip("only with ATHANOR_SOAK")
    seeds = [chance.randrange(10 ** 9) for _ in range(TORTURED if SOAK else 1)]
    TALLY["tortured"] += len(seeds)
    assert_right(all_of(seeds, lanes, lambda lane, seed: judged.Case(lane, reference, "").torture(seed)))


# ---- points at which a fault was found ----

def one_case(lanes, reference, wish):
    return all_of([wish], lanes, lambda lane, one: judged.Case(lane, reference, one).fail())


@pytest.mark.parametrize("errno", ["EIO", "ENOSPC"])
def test_a_copy_that_stays_in_wal_mode_is_not_kept(lanes, references, errno):
    """SQLite does not report that it could not write the header of a copy that leaves WAL mode."""
    reference = references(by_name("upgrade-wal"))
    found = [point for point in reference.points if points.kind(point) == "vfs.sync pre-*.db.partial-journal"]
    assert_right(one_case(lanes, reference, points.address(found[-1], reference.points) + ":fail:" + errno))


def test_a_restore_that_was_killed_in_its_commit_asks_nothing_when_it_goes_on(lanes, references):
    """The half of a transaction that lies in the live file then is its own: nothing was written since the backup."""
    reference = references(by_name("restore-delete"))
    found = [point for point in reference.points if points.kind(point) == "vfs.write app.db"]
    wish = points.address(found[-1], reference.points) + ":kill"
    assert_right(all_of([wish], lanes, lambda lane, one: judged.Case(lane, reference, one).kill()))


def test_no_copy_is_named_that_was_not_made(lanes, references):
    """Where an empty file is filled, no copy of the state before is kept."""
    reference = references(by_name("fresh-empty-file"))
    found = [point for point in reference.points if points.kind(point) == "vfs.write app.db"]
    with idle(lanes) as lane:
        case = judged.Case(lane, reference, "orchestrator/%d+:fail:EIO" % found[0].number)
        ended = case.disturb()
        assert ended.status and not re.search(r"kept as \S+pre-", ended.err), ended


@contextlib.contextmanager
def damaged(lanes):
    """After an upgrade, a database of which nothing can be read; the place, and what is kept of earlier states."""
    with idle(lanes) as lane:
        lane.make(by_name("restore-delete"))
        lane.project.database.write_bytes(b"noise" * 50000)
        yield lane, set(os.listdir(lane.root / ".athanor/backups"))


@pytest.mark.parametrize("point, status, database", [
    ("live.commit:1:fail:EIO", 1, "unchanged"), ("vfs.write@app.db:1:fail:ENOSPC", 1, "unchanged"),
    ("live.commit/after:1:fail:EIO", 1, "restored")])
def test_a_restore_over_a_damaged_database_that_failed_is_told_truly(lanes, point, status, database):
    """Its bytes are asked: pages cannot be read of it. A second copy of what is still in its place does not stay."""
    with damaged(lanes) as (lane, kept):
        before = points.database_bytes(lane.project.database)
        ended = lane.run("restore", "--discard-newer", ATHANOR_FAILPOINT="orchestrator/" + point)
        assert ended.status == status and "database: " + database in ended.err, ended
        said = lane.project.journal("SELECT database FROM run ORDER BY id DESC LIMIT 1")
        assert said == [(database,)]
        if database == "unchanged":
            assert points.database_bytes(lane.project.database) == before
            assert set(os.listdir(lane.root / ".athanor/backups")) == kept
        assert lane.run("restore", "--discard-newer").status == 0
        assert lane.project.rows() == ["a1"]


def test_a_copy_of_damaged_bytes_that_was_not_finished_takes_no_room(lanes):
    with damaged(lanes) as (lane, kept):
        passed = lane.run("restore", "--discard-newer", ATHANOR_FAILPOINT="live.commit:1:fail:EIO").points
        begun = [point.number for point in passed if point.name == "file.write" and point.role == "orchestrator"]
        assert begun
        for number in begun:
            ended = lane.run("restore", "--discard-newer", ATHANOR_FAILPOINT="orchestrator/%d:fail:ENOSPC" % number)
            assert ended.status == 1, ended
            assert set(os.listdir(lane.root / ".athanor/backups")) == kept


# ---- controls: a guard is switched off, and it is missed ----

def test_a_commit_that_cannot_be_rolled_back_is_seen(lanes, references):
    """The control: without a rollback journal a kill between two pages of the commit leaves a torn database."""
    reference = references(by_name("upgrade-delete"))
    with idle(lanes) as lane:
        case = judged.Case(lane, reference, "live.commit/after:1:kill", ATHANOR_SABOTAGE="no-rollback")
        passed = case.disturb().points
        inside = [point for point in passed if points.kind(point) == "vfs.write app.db"]
        case.wish = points.address(inside[len(inside) // 2], passed) + ":kill"
        ended = case.disturb()
        case.check_database(ended)
    assert any("torn" in text for text in case.wrong), (case.wrong, ended.points[-5:])


def test_a_sweep_that_is_left_out_is_seen(lanes, references):
    """The control: a child of a run whose two processes were killed lives on until the next run ends it."""
    reference = references(by_name("upgrade-delete"))
    spawned = [point for point in reference.points if point.name == "process.spawn/after"]
    with idle(lanes) as lane:
        for _ in range(5):      # it may have come to its end by itself
            case = judged.Case(lane, reference, points.address(spawned[-1], reference.points) + ":kill-both",
                               ATHANOR_SABOTAGE="no-sweep").kill()
            if case.wrong:
                break
    assert any("alive" in text for text in case.wrong), case.wrong


def test_the_released_program_has_no_points():
    assert b"ailpoint" not in open(lab.ATHANOR, "rb").read().lower()
    assert b"ATHANOR_TORTURE" not in open(lab.ATHANOR, "rb").read()


@pytest.fixture(scope="session", autouse=True)
def tally():
    yield
    score("at points: %s (seed %d)", ", ".join("%s %d" % pair for pair in TALLY.items()), SEED)
