# SPDX-License-Identifier: MIT
"""What must hold after a run that was killed, or failed, at a point; and after the same command was typed again."""
import pathlib
import re
import sqlite3

import lab
import points

ATTEMPTS = 40   # of which one ends well
BEGUN = re.compile(r"live\.commit|file\.rename\S* app\.db$|file\.link\S* app\.db$")


class Reference:
    """The state before, and what an undisturbed run makes of it."""

    def __init__(self, lane, scenario):
        self.scenario = scenario
        lane.make(scenario)
        self.old = points.contents(lane.project.database)
        ended = lane.run(scenario.command)
        assert ended.status == 0, ended
        self.points = ended.points
        self.new = points.contents(lane.project.database)
        self.files = without_database(lane.files())
        assert self.old != self.new and isinstance(self.new, tuple), ended


def without_mode(found):
    """A copy has a journal mode of its own."""
    return found[:2] if isinstance(found, tuple) else found


def without_database(files):
    """The database is compared by what it holds."""
    return {name: digest for name, digest in files.items() if name != "app.db"}


class Case:
    """One scenario with one wish, on one lane. `wrong` says all that does not hold."""

    def __init__(self, lane, reference, wish, **env):
        self.lane, self.reference, self.wish, self.env = lane, reference, wish, env
        self.scenario, self.project = reference.scenario, lane.project
        self.wrong, self.was_hit = [], False

    def no(self, text, *values):
        self.wrong.append(text % values if values else text)

    # ---- after the run that was disturbed ----

    def disturb(self, **more):
        self.lane.make(self.scenario)
        self.before = points.database_bytes(self.project.database)
        self.runs = len(self.lane.marks())
        return self.lane.run(self.scenario.command, ATHANOR_FAILPOINT=self.wish, **self.env, **more)

    def check_database(self, ended):
        """OLD or NEW, byte for byte as before if no commit was begun, and no row lost."""
        has_begun = any(BEGUN.search(points.kind(point)) for point in ended.points)
        found = points.contents(self.project.database)
        if not has_begun and points.database_bytes(self.project.database) != self.before:
            self.no("the database has other bytes, and no commit was begun: %s", ended.points[-1:])
        if found not in (self.reference.old, self.reference.new):
            self.no("the database is torn (%s)", "damaged" if found == "damaged" else "neither old nor new")
        if points.stories(self.reference.old) and not points.stories(found):
            self.no("rows are lost")
        return found

    def check_sanitizer(self, ended):
        if "Sanitizer" in ended.err or "runtime error" in ended.err or "Assertion" in ended.err:
            self.no("a fault of the program: %s", ended.err[-3000:])

    def kill(self):
        ended = self.disturb()
        self.was_hit = ended.status not in (0, 1)
        self.lane.wait_for_orchestrator(ended)
        self.check_sanitizer(ended)
        self.check_database(ended)
        self.finish(ended)
        return self

    def kill_twice(self, wish):
        """The resume is killed as well."""
        ended = self.disturb()
        self.lane.wait_for_orchestrator(ended)
        again = self.lane.run(self.scenario.command, tag="again", ATHANOR_FAILPOINT=wish, **self.env)
        self.was_hit = again.status not in (0, 1)
        self.lane.wait_for_orchestrator(again)
        again.points = ended.points + again.points
        self.check_sanitizer(again)
        self.check_database(again)
        self.finish(again)
        return self

    def torture(self, seed):
        """Runs under random kills, failures and delays, until one ends well."""
        passed = []
        for attempt in range(ATTEMPTS):
            ended = self.lane.run(self.scenario.command, ATHANOR_TORTURE=str(seed + attempt)) if attempt \
                else self.disturb(ATHANOR_TORTURE=str(seed))
            self.lane.wait_for_orchestrator(ended)
            ended.points = passed = passed + ended.points
            self.check_sanitizer(ended)
            self.check_database(ended)
            self.was_hit = self.was_hit or "torture %d" % (seed + attempt) in ended.err
            if ended.status == 0 or self.wrong:
                break
        self.finish(ended)
        return self

    # ---- a failure ----

    def fail(self):
        """The run ends as it says; what it says is true."""
        ended = self.disturb()
        self.was_hit = bool(ended.points)
        self.check_sanitizer(ended)
        found = self.check_database(ended)
        if ended.status == 0 and found != self.reference.new:
            self.no("false success: %s", ended)
        if ended.status < 0 or ended.status > 128:
            self.no("it died: %s", ended)
        if ended.status:
            self.check_words(ended, found)
        self.check_journal_row(ended)
        self.finish(ended)
        return self

    def check_words(self, ended, found):
        said = re.search(r"^  database: (\w+(?: \w+)?)", ended.err, re.M)
        if not re.search(r"^athanor: ", ended.err, re.M):
            self.no("it fails without a word: %s", ended)
        if not said:
            if found != self.reference.old:
                self.no("the database is new, and nothing is said of it: %s", ended)
            return
        is_old = said[1].startswith(("unchanged", "not created"))
        is_new = said[1].split()[0] in ("upgraded", "created", "restored")
        if (is_old and found != self.reference.old) or (is_new and found != self.reference.new):
            self.no("it says '%s' of a database that is %s: %s", said[1],
                    "new" if found == self.reference.new else "old", ended)
        if not is_old and not is_new and ended.status != 4:
            self.no("it says '%s' of the database: %s", said[1], ended)

    def check_journal_row(self, ended):
        """The journal's row says the same, unless it is the journal that could not be written."""
        try:
            rows = self.project.journal("SELECT outcome, exit_status FROM run ORDER BY id")
        except sqlite3.Error:
            rows = []       # it failed before there was a journal
        if len(rows) > self.runs and rows[-1][0] not in (None, "nothing") and rows[-1][1] != ended.status and \
                not re.search(r"journal|\+:", self.wish):
            self.no("exit status %s, and the journal says %s", ended.status, rows[-1])

    # ---- the same command again ----

    def finish(self, disturbed):
        where = points.kind(disturbed.points[-1]) if disturbed.points else "the start"
        ended, alive = self.lane.resume(self.scenario.command, **self.env)
        self.check_sanitizer(ended)
        if alive:
            self.no("after %s these were alive when the first step began: %s", where, alive)
        if ended.status != 0:
            self.no("typed again after %s: %s", where, ended)
            return
        self.check_end(where)
        self.check_nothing_to_do(where)

    def check_end(self, where):
        found = points.contents(self.project.database)
        if found != self.reference.new:
            self.no("typed again after %s, the database is another than after an undisturbed run", where)
        if points.stories(self.reference.old) and \
                [row[:2] for row in points.stories(found)] != [row[:2] for row in points.stories(self.reference.old)]:
            self.no("rows are lost after %s", where)
        files = without_database(self.lane.files())
        if files != self.reference.files:
            self.no("other files after %s: %s", where, set(files.items()) ^ set(self.reference.files.items()))
        self.check_left_overs(where)
        self.check_journal()

    def check_left_overs(self, where):
        left = [str(path) for path in self.project.root.rglob("*") if ".venv" not in path.parts and re.search(
            r"\.athanor-|\.partial|\.pages$|^clone\.db|^rehearsal\.db", path.name)]
        if left:
            self.no("left over after %s: %s", where, left)
        for kept in pathlib.Path(self.project.root, ".athanor/backups").glob("pre-*.db"):
            if without_mode(points.contents(kept)) not in map(without_mode, (self.reference.old, self.reference.new)):
                self.no("the kept copy %s is neither the old nor the new state", kept)
        if lab.survivors(self.project):
            self.no("something is alive after the end: %s", lab.survivors(self.project))

    def check_journal(self):
        if self.project.journal("PRAGMA integrity_check") != [("ok",)]:
            self.no("the journal is damaged")
        if self.project.journal("SELECT count(*) FROM run WHERE outcome IS NULL") != [(0,)]:
            self.no("a run is open in the journal")
        open_steps = self.project.journal(
            "SELECT run.outcome, step FROM transition AS one JOIN run ON run.id = one.run WHERE state = 'running' AND "
            "NOT EXISTS (SELECT 1 FROM transition WHERE run = one.run AND step = one.step AND id > one.id)")
        if [row for row in open_steps if row[0] != "died"]:
            self.no("steps without an end in runs that have one: %s", open_steps)

    def check_nothing_to_do(self, where):
        before = self.lane.written()
        ended = self.lane.run(self.scenario.command, tag="last", **self.env)
        if ended.status or not re.search("nothing to|needs no repair", ended.out + ended.err):
            self.no("a second run after %s: %s", where, ended)
        if self.lane.written() != before:
            self.no("a second run after %s wrote files of the user", where)
