# SPDX-License-Identifier: MIT
"""The state table of the example application, row by row, with the real program on real databases."""
import collections
import copy

import pytest

import conftest
import table

Case = collections.namedtuple("Case", "chain shape row")
CASES = [Case(chain, shape, row) for chain in table.BOTH for shape in ("models", "replay")
         for row in table.chosen(chain, shape, conftest.EVERYTHING)]


def name_of(case):
    return "%s-%s-%s" % (case.chain, case.shape, case.row.name.replace(" ", "_").replace(",", ""))


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_the_program_does_what_the_row_says(judged, case):
    assert not judged[case], "\n".join(judged[case])


def test_every_row_is_asked_of_both_chains():
    asked = {(case.chain, case.row.name) for case in CASES}
    assert asked >= {(chain, row.name) for row in table.ROWS for chain in row.chains if not row.soak}


# What a row says is really held against the program: each of these is a lie about one state, and who must see it.
LIES = {
    "verdict": ("looks", lambda row: vars(row).update(verdict="ahead")),
    "inferred": ("looks", lambda row: vars(row).update(inferred="007")),
    "rows after repair": ("repairs", lambda row: row.results.update(repair=(0, ["008"]))),
    "repair writes nothing": ("repairs", lambda row: row.results.update(repair=(0, table.SAME))),
    "what is shown": ("repairs", lambda row: vars(row).update(shows=[("SELECT title FROM stories", [("One",)])])),
    "status of install": ("installs", lambda row: row.of_chain.update(clean=(3, [table.HEAD]))),
}


def test_a_row_that_lies_is_counted_as_wrong(states, lanes):
    lane = lanes["clean"].get()
    true = next(row for row in table.ROWS if row.name == "ec1f_without_008")
    found = {}
    for lie, (judge, tell) in LIES.items():
        row = copy.copy(true)
        row.results, row.of_chain, lane.wrong = dict(true.results), dict(true.of_chain), []
        tell(row)
        lane.make(row, states["clean", "models"])
        getattr(lane, judge)(row)
        found[Case("clean", lie, row)] = lane.wrong
    lanes["clean"].put(lane)
    counts = conftest.count(found)
    assert list(counts.values()) == [[1, 1]] * len(LIES), found
    assert conftest.count({Case("clean", "models", true): []}) == {("clean", "models"): [1, 0]}
    assert conftest.sentence(9, 8) == "state table: 1 of 9 rows as the table says (8 wrong)"
