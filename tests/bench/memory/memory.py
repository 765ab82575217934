# SPDX-License-Identifier: MIT
"""G8: peak memory of athanor's own processes, with 100 MB of a child's output and in the main job."""
import bench

LIMIT_KIB = 16 * 1024
LOUD = """  loud:
    run: [sh, -c, "yes 0123456789012345678901234567890123456789 | head -c %d; touch loud.txt"]
    creates: [loud.txt]
"""
LOUD_AND_LARGE = """  loud:
    run: [python, -c, "import sys; [sys.stdout.write('x' * (20 << 20)) for i in range(%d >> 20)]; open('loud.txt', 'w')"]
    creates: [loud.txt]
"""


def measure(table, build, app, handicap, peak_of_install):
    """`app` is installed. The handicap: its children count, too, and are large."""
    loud = LOUD_AND_LARGE % (5 << 20) if handicap else LOUD % (100 << 20)
    recipe = app / "athanor.yaml"
    recipe.write_text(recipe.read_text().replace("steps:\n", "steps:\n" + loud))
    peak = bench.peaks([build / "athanor", "install", "--yes", "--only", "loud", app], any_name=handicap)
    written = sum(path.stat().st_size for path in app.glob(".athanor/runs/*/loud.log"))
    table.add("G8", f"100 MB of output ({written >> 20} MiB kept), peak at most 16 MiB", f"{peak / 1024:.1f} MiB",
              0 < peak <= LIMIT_KIB)
    table.add("G8", "fresh installation, peak at most 16 MiB", f"{peak_of_install / 1024:.1f} MiB",
              0 < peak_of_install <= LIMIT_KIB)
