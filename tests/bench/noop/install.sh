#!/bin/sh
# The same application installed by hand: the steps of its instructions, each guarded where a guard is easy to write.
set -eu
cd "$1"
[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet -r backend/requirements.txt
mkdir -p backend/data backend/backups backend/logs exports
[ -e .env ] || cp .env.example .env
[ -d frontend/node_modules ] || (cd frontend && npm ci --no-audit --no-fund)
[ -d frontend/dist ] || (cd frontend && npm run build)
cd backend
[ -e data/kahani.db ] || ../.venv/bin/python init_database.py
[ -e data/names.json ] || ../.venv/bin/python make_names.py
../.venv/bin/alembic upgrade head
../.venv/bin/alembic current
