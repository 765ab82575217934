# SPDX-License-Identifier: MIT
"""The graph as the scanner reads it is the one that Alembic's ScriptDirectory has."""
import conftest
import pytest

pytestmark = pytest.mark.skipif(not conftest.CLI, reason="ATHANOR_INFER_CLI is not set")


def compare(member):
    """(compared, differences) of one chain."""
    compared, different = 0, []

    def same(what, ours, theirs):
        nonlocal compared
        compared += 1
        if sorted(ours) != sorted(theirs):
            different.append((what, sorted(ours), sorted(theirs)))

    graph, truth = member.graph, member.truth
    ours = {one["id"]: one for one in graph["revisions"]}
    same("ids", ours, member.needs)
    same("heads", graph["heads"], truth["heads"])
    same("bases", graph["bases"], truth["bases"])
    for one in truth["revisions"]:
        same("parents of " + one["id"], ours[one["id"]]["downs"], one["downs"])
        same("needs of " + one["id"], ours[one["id"]]["needs"], member.needs[one["id"]])
    labels = {label for one in truth["revisions"] for label in one["labels"]}
    same("labels", graph["branches"], labels)
    for label in labels & set(graph["branches"]):
        same("branch " + label, graph["branches"][label], [one["id"] for one in truth["revisions"] if label in one["labels"]])
    for number, cut in enumerate(member.cuts):
        same("pending above " + ",".join(cut["tips"]), member.answers["ask", number, "="]["pending"], cut["pending"])
    return compared, different


def is_order(order, needs):
    """Every revision once, after all it needs."""
    seen = set()
    for one in order:
        if not needs[one] <= seen:
            return False
        seen.add(one)
    return len(order) == len(seen) == len(needs)


def test_the_graph_is_that_of_alembic(member):
    if not member.chain.is_static:
        assert member.graph["static"] is False and member.graph["obstacle"]
        return
    compared, different = compare(member)
    assert compared and not different, different
    assert is_order(member.graph["order"], member.needs)
    pending = [answer["pending"] for key, answer in member.answers.items() if key[0] == "ask"]
    assert all(is_order(one, {each: member.needs[each] & set(one) for each in one}) for one in pending)


def test_how_much_was_compared(zoo, capsys):
    counts = [compare(member)[0] for member in zoo.readable()]
    with capsys.disabled():
        print("\ngraphs: %d, facts compared with Alembic's: %d, different 0" % (len(counts), sum(counts)))


def test_a_wrong_graph_is_noticed(zoo):
    """The control: a parent taken away, and an order turned round."""
    member = next(one for one in zoo.members if one.name == "depends_on")
    assert not is_order(member.graph["order"][::-1], member.needs)
    needs, member.needs = member.needs, {**member.needs, "n1": set()}
    try:
        assert [what for what, _, _ in compare(member)[1]] == ["needs of n1"]
    finally:
        member.needs = needs
