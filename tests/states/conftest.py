# SPDX-License-Identifier: MIT
"""The state table before the program: all rows are judged once in a session, two at a time."""
import collections
import concurrent.futures
import os
import pathlib
import queue
import random
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
import judge  # noqa: E402
import table  # noqa: E402

EVERYTHING = bool(os.environ.get("ATHANOR_STATES_ALL"))
SEED = int(os.environ.get("ATHANOR_SEED") or random.SystemRandom().randrange(1 << 32))
WORKERS = 2
SCORE = {}  # (chain, shape): [rows, wrong]
WRONG = []  # names of the wrong rows


def wants_install(row, chain):
    """Some of the rows that end well on the clean chain, by the seed; on the flawed one, and for refusals, some."""
    some = ("base", "stamped_006", "no_alembic_version", "foreign_app", "only_alembic_version", "ec1f_without_008")
    is_drawn = random.Random("%d %s" % (SEED, row.name)).random() < 0.3
    return EVERYTHING or (chain == "clean" and row.is_go and is_drawn) or row.name in some


@pytest.fixture(scope="session")
def workshop(tmp_path_factory):
    return judge.Workshop(tmp_path_factory.mktemp("states"))


@pytest.fixture(scope="session")
def states(workshop):
    """Folders of databases, by chain and shape."""
    pairs = [(chain, shape) for chain in judge.FOLDERS for shape in ("models", "replay")]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(pairs, pool.map(lambda pair: workshop.make(*pair), pairs)))


@pytest.fixture(scope="session")
def lanes(workshop):
    """Queues of idle copies of the application, by chain."""
    found = collections.defaultdict(queue.SimpleQueue)
    for chain in judge.FOLDERS:
        for number in range(WORKERS):
            found[chain].put(workshop.lane(chain, number))
    return found


@pytest.fixture(scope="session")
def judged(states, lanes, request):
    """What is wrong, by chain, shape and name; of the rows that this session asks for."""
    wanted = {item.callspec.params["case"] for item in request.session.items if "case" in getattr(
        getattr(item, "callspec", None), "params", ())}

    def one(case):
        lane = lanes[case.chain].get()
        try:
            return lane.judge(case.row, states[case.chain, case.shape], wants_install(case.row, case.chain),
                              EVERYTHING)
        except Exception as error:  # noqa: BLE001: a row that could not be judged is wrong, and says why
            return ["%s: %s" % (type(error).__name__, error)]
        finally:
            lanes[case.chain].put(lane)

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        found = dict(zip(wanted, pool.map(one, wanted)))
    SCORE.update(count(found))
    WRONG.extend(sorted({case.row.name for case, wrong in found.items() if wrong}))
    return found


def count(found):
    """Rows and wrong ones, by chain and shape."""
    counts = collections.defaultdict(lambda: [0, 0])
    for case, wrong in found.items():
        counts[case.chain, case.shape][0] += 1
        counts[case.chain, case.shape][1] += bool(wrong)
    return dict(counts)


def sentence(rows, wrong):
    return "state table: %d of %d rows as the table says (%d wrong)" % (rows - wrong, rows, wrong)


def pytest_terminal_summary(terminalreporter):
    for (chain, shape), (rows, wrong) in sorted(SCORE.items()):
        terminalreporter.write_line("%s chain, %s: %s" % (chain, shape, sentence(rows, wrong)))
    if SCORE and not EVERYTHING:
        terminalreporter.write_line("state table: installed are some of them (ATHANOR_SEED=%d)" % SEED)
    if WRONG:
        terminalreporter.write_line("wrong: " + "; ".join(WRONG))
