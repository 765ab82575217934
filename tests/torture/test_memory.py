# SPDX-License-Identifier: MIT
"""The memory of the program itself, looked at by valgrind, in whole runs; and that the checkers see what is wrong."""
import re
import shutil
import subprocess

import lab
import pytest

pytestmark = [
    pytest.mark.skipif(not shutil.which("valgrind"), reason="there is no valgrind"),
    pytest.mark.skipif(lab.SANITIZED, reason="valgrind does not run a program with a sanitizer"),
]
FOUND = re.compile(r"ERROR SUMMARY: (\d+) errors")


def valgrind(folder):
    """The program that goes before the command; each process writes a report of its own into the folder."""
    return ("valgrind", "--leak-check=full", "--errors-for-leak-kinds=definite", "--trace-children=no",
            "--log-file=%s/%%p" % folder)


def errors(folder):
    """The number of errors of each process that came to its end as this program, and the reports that name some."""
    reports = [text for text in (path.read_text() for path in folder.iterdir()) if FOUND.search(text)]
    counts = [int(FOUND.findall(text)[-1]) for text in reports]
    return counts, [text for text, count in zip(reports, counts) if count]


@pytest.mark.parametrize("command, stamp, schema, status", [
    ("install", None, None, 0), ("install", "a1", "a1", 0), ("install", "b2", "b2", 0), ("repair", "a1", "b2", 0),
    ("install", "unknown", "a1", 3)])
def test_a_run_has_no_error(small, tmp_path, command, stamp, schema, status):
    if stamp:
        small.stored(stamp, tables=lab.SCHEMAS.get(schema, lab.STORIES))
    lab.athanor(command, "--no-input", small.root, program=valgrind(tmp_path)).is_status(status)
    counts, reports = errors(tmp_path)
    assert not reports and len(counts) == 2, (counts, reports)  # of the warden and of the orchestrator


def test_valgrind_sees_a_program_that_reads_what_was_never_written(tmp_path):
    (tmp_path / "faulty.c").write_text("#include <stdlib.h>\nint main(int n, char **words)\n{\n\tint *made = malloc(8);\n"
                                       "\t(void)words;\n\treturn made[n] ? 1 : 2;\n}\n")
    subprocess.run(["cc", "-g", "-o", tmp_path / "faulty", tmp_path / "faulty.c"], check=True)
    (tmp_path / "reports").mkdir()
    subprocess.run([*valgrind(tmp_path / "reports"), tmp_path / "faulty"], check=False)
    counts, reports = errors(tmp_path / "reports")
    assert counts == [2] and "uninitialised" in reports[0] and "definitely lost: 8" in reports[0], (counts, reports)


def test_the_thread_sanitizer_sees_two_threads_that_write_at_once(tmp_path):
    """What packaging/check builds the threaded tests with."""
    (tmp_path / "race.c").write_text("#include <pthread.h>\nstatic int shared;\nstatic void *add(void *none)\n{\n"
                                     "\tshared++;\n\treturn none;\n}\nint main(void)\n{\n\tpthread_t other;\n"
                                     "\tpthread_create(&other, 0, add, 0);\n\tadd(0);\n"
                                     "\treturn pthread_join(other, 0);\n}\n")
    subprocess.run(["cc", "-g", "-fsanitize=thread", "-o", tmp_path / "race", tmp_path / "race.c"], check=True)
    ran = subprocess.run([tmp_path / "race"], stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode and "data race" in ran.stderr
