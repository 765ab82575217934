# SPDX-License-Identifier: MIT
"""For every cut of every chain: is what is inferred from its database true?"""
import collections
import json
import os
import shutil
import subprocess

import conftest
import pytest

pytestmark = pytest.mark.skipif(not conftest.CLI, reason="ATHANOR_INFER_CLI is not set")
CONFIDENT = ("none", "stamp", "complete")
GRADES = ("exact", "equivalent", "completed", "believed", "asked", "wrong")


def judge(member, cut, rows, answer):
    """
    What an answer is worth.

    exact: the truth. equivalent: the same text of the schema, and no data step between. asked: a person decides.
    completed: what is half applied is run again, and then the truth is reached. believed: the stamp stands, and the
    structure shows no difference (data steps, or attributes that never decide) or a revision between is blind.
    wrong: all else.
    """
    if answer["decision"] not in CONFIDENT:
        return "asked"
    truth = frozenset(cut["ids"])
    ids = member.closed(answer["inferred"].split(",") if answer["inferred"] else [])
    between = ids ^ truth
    if not between:
        return "exact"
    if answer["decision"] == "complete":
        return "completed" if ids | {answer["half"]} == truth else "wrong"
    other = member.by_ids.get(ids, {"sql": [], "structure": [], "types": []})
    if other["sql"] == cut["sql"] and not between & member.data:
        return "equivalent"
    stamp = cut["rows"] if rows == "=" else [] if rows in "-0" else rows.split(",")
    if stamp and member.closed(stamp) == ids:
        alike = all(other[key] == cut[key] for key in ("structure", "types"))
        if alike or between & member.blind:
            return "believed"
    return "wrong"


def asks(member):
    """(kind, cut, rows, answer) of every question about databases as Alembic left them."""
    for key, answer in member.answers.items():
        if key[0] == "ask":
            _, number, rows = key
            kind = {"=": "own stamp", "-": "no table", "0": "no row"}.get(rows, "other stamp")
            yield kind, member.cuts[number], rows, answer


def known(member):
    """A known fault is not hidden: its test is told as expected to fail."""
    if member.chain.fault:
        pytest.xfail(member.chain.fault)
    if not member.chain.is_static:
        pytest.skip("the scanner leaves this chain to Alembic")


def test_no_answer_is_wrong(member):
    wrong = [(cut["tips"], rows, answer) for _, cut, rows, answer in asks(member)
             if judge(member, cut, rows, answer) == "wrong"]
    if wrong:
        known(member)
    assert not wrong, wrong[:3]


def test_the_candidates_contain_the_truth(member):
    lost = [(cut["tips"], rows, answer) for _, cut, rows, answer in asks(member)
            if ",".join(cut["tips"]) not in answer["candidates"]]
    assert not lost, lost[:3]


def test_a_healthy_database_is_believed(member):
    for kind, cut, rows, answer in asks(member):
        if kind == "own stamp":
            assert answer["decision"] == "none" and answer["verdict"] in ("exact", "equivalent"), (cut["tips"], answer)
            assert answer["inferred"] == ",".join(cut["tips"]) and answer["pending"] is not None


def test_every_data_step_is_seen(member):
    known(member)
    seen = {one["id"] for one in member.graph["revisions"] if one["data"] or one["blind"]}
    assert member.data <= seen
    assert not {one["id"] for one in member.graph["revisions"] if one["literal"]} & member.data


def test_the_score(zoo, capsys):
    """How often each grade was given; the sums are those of docs/inference.md."""
    kinds = ("own stamp", "no table", "no row", "other stamp")
    tallies, cuts = {kind: collections.Counter() for kind in kinds}, 0
    for member in zoo.readable():
        cuts += len(member.cuts)
        tallies[member.name] = collections.Counter()
        for kind, cut, rows, answer in asks(member):
            tallies[member.name][judge(member, cut, rows, answer)] += 1
            tallies[kind][judge(member, cut, rows, answer)] += 1
    with capsys.disabled():
        print("\n%-22s" % "chain" + "".join("%11s" % grade for grade in GRADES))
        for name, tally in tallies.items():
            print("%-22s" % name + "".join("%11d" % tally[grade] for grade in GRADES))
        print("%d databases of %d chains" % (cuts, len(zoo.readable())))
    for kind in ("own stamp", "no table", "no row"):
        assert sum(tallies[kind].values()) == cuts and not tallies[kind]["wrong"]
    assert set(tallies["own stamp"]) <= {"exact", "equivalent"}
    assert tallies["no table"]["exact"] > tallies["no table"]["asked"]


def test_the_judge_catches_one_who_always_says_the_head(zoo):
    """The control: the same grades for a judge that is often wrong."""
    grades = collections.Counter()
    for member in zoo.readable():
        for cut in member.cuts:
            head = {"decision": "stamp", "inferred": ",".join(member.cuts[-1]["tips"]), "half": None}
            grades[judge(member, cut, "-", head)] += 1
    assert grades["exact"] >= len(zoo.readable()) and grades["wrong"] > grades["exact"]


# ---- half applied


def judge_half(member, cut, half, rows, answer):
    """
    The same where the last revision of a cut died between two statements.

    completed: it is run again whole. below, above: the schema shows nothing of it, or all of it and there are no data
    steps. believed: it is blind, and the stamp stands. unproven: there is no version table either, and nothing but its
    data steps is missing.
    """
    if answer["decision"] not in CONFIDENT:
        return "asked"
    above = frozenset(cut["ids"])
    below = above - {half["tip"]}
    ids = member.closed(answer["inferred"].split(",") if answer["inferred"] else [])
    if answer["decision"] == "complete":
        return "completed" if ids == below and answer["half"] == half["tip"] else "wrong"
    if rows == "=" and half["tip"] in member.blind and ids == member.closed(half["rows"]):
        return "believed"
    other = member.by_ids.get(ids, {"sql": [], "structure": [], "types": []})
    if rows == "-" and ids == above and half["tip"] in member.data and other["sql"] == half["sql"]:
        return "unproven"
    if (ids ^ below) - {half["tip"]} & member.data or half["tip"] in ids and half["tip"] in member.data:
        return "wrong"
    if half["tip"] not in ids and all(other[key] == half[key] for key in ("structure", "types")):
        return "below"
    return "above" if half["tip"] in ids and other["sql"] == half["sql"] else "wrong"


def halves(member):
    for key, answer in member.answers.items():
        if key[0] == "half":
            _, number, which, rows = key
            cut = member.cuts[number]
            if len(cut["ids"]) == 1 and "CREATE TABLE" in member.chain.env:
                continue        # what its env.py makes before the first revision is the truth of no cut
            yield cut, cut["halves"][which], rows, answer


def test_no_answer_about_a_half_applied_revision_is_wrong(member):
    wrong = [(cut["tips"], half["file"], rows, answer) for cut, half, rows, answer in halves(member)
             if judge_half(member, cut, half, rows, answer) == "wrong"]
    if wrong:
        known(member)
    assert not wrong, wrong[:3]


def test_the_score_of_half_applied_revisions(zoo, capsys):
    tallies = {rows: collections.Counter(judge_half(member, cut, half, rows, answer) for member in zoo.readable()
                                         for cut, half, at, answer in halves(member) if at == rows) for rows in "=-"}
    with capsys.disabled():
        for rows, tally in tallies.items():
            print("\nhalf applied, %s: %s" % ({"=": "as the crash left it", "-": "no table"}[rows],
                                              ", ".join("%s %d" % one for one in sorted(tally.items()))), end="")
    assert tallies["="]["completed"] > tallies["="]["asked"]


# ---- drift


def test_drift_never_leads_to_a_wrong_answer(member):
    if not member.chain.is_static:
        pytest.skip("the scanner leaves this chain to Alembic")
    told = member.answers["drift"]
    if told["wrong"]:
        known(member)
    assert not told["wrong"], told["shown"]
    assert told["seeds"] == told["confident"] + told["asked"]


def test_drift_of_real_files_never_leads_to_a_wrong_answer(zoo, capsys):
    tally = collections.Counter()
    for member in zoo.readable():
        for key, answer in member.answers.items():
            if key[0] == "file":
                tally["confident" if answer["decision"] in CONFIDENT else "asked"] += 1
                assert answer["fine"], (member.name, key, answer)
    with capsys.disabled():
        print("\ndrift of files: %d, confident %d, wrong 0" % (sum(tally.values()), tally["confident"]))
    assert tally["confident"] > tally["asked"] and sum(tally.values()) > 100


def test_the_score_of_drift(zoo, capsys):
    """Also: the same harness catches a naive judge, and says what columns by hand would do."""
    sums = {}
    for judge_name in ("drift", "by_hand", "naive"):
        tallies = [member.answers[judge_name] for member in zoo.readable() if not member.chain.fault]
        sums[judge_name] = {key: sum(one[key] for one in tallies) for key in ("seeds", "confident", "asked", "wrong")}
    with capsys.disabled():
        print("\nfirst seed %d of each chain" % conftest.FIRST)
        for name, tally in sums.items():
            print("%-8s %s" % (name, ", ".join("%s %d" % one for one in tally.items())))
    assert sums["drift"]["wrong"] == 0 and sums["drift"]["confident"] > sums["drift"]["asked"]
    assert sums["naive"]["wrong"] > sums["naive"]["seeds"] / 10


# ---- the program


def inspect(member, number, rows):
    """What the real program says of a database in its place."""
    path = member.root / member.chain.database
    shutil.copy(member.cuts[number]["file"], path)
    if rows == "-":
        conftest.execute(path, "DROP TABLE alembic_version")
    ended = subprocess.run([os.environ["ATHANOR"], "inspect", "--json", "-C", str(member.root), str(path)], text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    path.unlink()
    assert ended.stdout, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.skipif(not os.environ.get("ATHANOR"), reason="ATHANOR is not set")
def test_the_program_says_the_same(zoo):
    """One database of each chain: stamped and unstamped in turn."""
    compared = 0
    for place, member in enumerate(zoo.readable()):
        if member.chain.table != "alembic_version":     # before a first run, inspect does not know another
            continue
        number, rows = (place * 3) % len(member.cuts), "=-"[place % 2]
        said, answer = inspect(member, number, rows), member.answers["ask", number, rows]
        revision = said["revision"]
        assert (revision["verdict"], said["decision"], revision["inferred"], revision["candidates"], said["pending"],
                said["blind"]) == tuple(answer[key] for key in ("verdict", "decision", "inferred", "candidates",
                                                                "pending", "blind")), member.name
        compared += 1
    assert compared >= len(zoo.readable()) - 1
