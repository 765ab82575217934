# SPDX-License-Identifier: MIT
"""Write text files as rows of a C table: embed.py OUTPUT FILE... ; each row is { number, name, text }.

The number is the digits at the front of the file's name, or 0.
"""
import pathlib
import re
import sys


def literal(text):
    lines = [line.replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n")]
    return "\n".join(f'\t\t"{line}\\n"' for line in lines)


def main():
    output, *files = sys.argv[1:]
    rows = []
    for file in map(pathlib.Path, files):
        digits = re.match(r"\d+", file.name)
        number = int(digits.group()) if digits else 0
        rows.append(f'\t{{ {number}, "{file.name}",\n{literal(file.read_text())} }},\n')
    pathlib.Path(output).write_text("".join(rows))


main()
