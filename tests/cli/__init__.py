# SPDX-License-Identifier: MIT
"""A package, so that its conftest is a module of its own beside that of the other folders."""
