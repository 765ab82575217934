# SPDX-License-Identifier: MIT
"""Several installers at once on one target."""
import concurrent.futures


def test_eight_installers_at_once_do_the_work_once(small):
    small.stored("a1")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(lambda _: small.install("--lock-timeout", "120"), range(8)))
    assert [one.status for one in ended] == [0] * 8, ended
    worked = [mark for mark, outcome in small.journal("SELECT mark, outcome FROM run") if outcome == "succeeded"]
    started = small.journal("SELECT step, count(*) FROM transition WHERE state = 'running' GROUP BY step")
    assert len(worked) == 1 and {count for _, count in started} == {1}, (worked, started)
    assert small.rows() == ["c3"] and sum("nothing to do" in one.out for one in ended) == 7
    assert any("another run is at work (process" in one.err for one in ended), ended
