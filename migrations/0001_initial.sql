-- SPDX-License-Identifier: MIT
-- The journal: append-only events; the present is a fold over them.

-- One execution of athanor. `ended_ms` is null while it is open, or when it died.
CREATE TABLE run (
	id          INTEGER PRIMARY KEY,
	mark        TEXT    NOT NULL UNIQUE,  -- the run mark in the environment of every step
	boot_id     TEXT    NOT NULL,         -- of the kernel it ran under
	version     TEXT    NOT NULL,         -- of athanor
	command     TEXT    NOT NULL,         -- install, repair, ...
	started_ms  INTEGER NOT NULL,         -- wall clock, since 1970
	ended_ms    INTEGER,
	outcome     TEXT,                     -- succeeded, nothing, failed, refused, cancelled, died
	exit_status INTEGER,
	message     TEXT,                     -- what failed, for people
	database    TEXT,                     -- unchanged, restored, upgraded, created, needs-you
	repeats     INTEGER NOT NULL DEFAULT 0, -- further runs that found nothing to do
	continues   INTEGER REFERENCES run (id) -- the unfinished run whose attempt this one goes on with
) STRICT;

-- A step came into a state.
CREATE TABLE transition (
	id      INTEGER PRIMARY KEY,
	run     INTEGER NOT NULL REFERENCES run (id),
	step    TEXT    NOT NULL,
	attempt INTEGER NOT NULL,             -- from 1
	state   TEXT    NOT NULL,
	reason  TEXT,
	at_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX transition_by_run ON transition (run, id);

-- The last success of a step and what its inputs were then.
CREATE TABLE satisfied (
	step        TEXT    PRIMARY KEY,
	fingerprint TEXT    NOT NULL,
	run         INTEGER NOT NULL REFERENCES run (id),
	at_ms       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a step wrote down, durably, before a dangerous act or for later runs: name=value lines.
CREATE TABLE note (
	id    INTEGER PRIMARY KEY,
	run   INTEGER NOT NULL REFERENCES run (id),
	step  TEXT    NOT NULL,
	name  TEXT    NOT NULL,
	pairs TEXT    NOT NULL,
	at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX note_by_name ON note (name, id);

-- What a step found out.
CREATE TABLE fact (
	id    INTEGER PRIMARY KEY,
	run   INTEGER NOT NULL REFERENCES run (id),
	name  TEXT    NOT NULL,
	value TEXT    NOT NULL,
	at_ms INTEGER NOT NULL
) STRICT;
