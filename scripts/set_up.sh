#!/bin/sh
# Sets .venv up. Usage: set_up.sh PYTHON TORCH WHEELHOUSE, each of which may be empty: a Python in the place of the first
# that fits; `cpu` for PyTorch without CUDA; a folder of wheels in the place of the network.
set -eu
named=$1 torch=$2 wheelhouse=$3
pythons='3.11 to 3.13'

fail() {
    echo "error: $1" >&2
    exit 1
}

case $torch in
'') set -- ;;
cpu) set -- --extra-index-url https://download.pytorch.org/whl/cpu ;;
*) fail "TORCH=$torch: cpu, or nothing for the build with CUDA" ;;
esac
if [ -n "$wheelhouse" ]; then
    [ -d "$wheelhouse" ] || fail "WHEELHOUSE=$wheelhouse: no such folder; make wheelhouse makes one"
    set -- "$@" --no-index --find-links "$wheelhouse"
fi

# Whether a command is a Python of ours that can make an environment; Debian keeps what that takes in python3-venv.
fits() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

python=
for candidate in ${named:-python3.11 python3.12 python3.13 python3 python}; do
    if fits "$candidate"; then
        python=$candidate
        break
    fi
done

echo 'Setting up .venv: once, two to three minutes'
if [ -n "$python" ]; then
    "$python" -m venv --clear .venv
elif [ -n "$named" ]; then
    fail "PYTHON=$named is no Python $pythons with venv"
elif command -v uv >/dev/null; then
    uv venv --quiet --clear --seed --python 3.11 .venv
else
    fail "there is no Python $pythons with venv, and no uv: install one (Debian, Ubuntu: python3-venv), or name it, PYTHON=…"
fi

said=.venv/pip.log
if ! .venv/bin/pip install -qq --disable-pip-version-check -c constraints.txt "$@" -e '.[test]' 2>"$said"; then
    reason=$(grep '^ERROR: ' "$said" | tail -n 1)
    fail "pip: ${reason#ERROR: } ($said has the rest; without a network, WHEELHOUSE=… names a folder of wheels)"
fi
.venv/bin/python -c 'import sys; print(sys.argv[1] or "uv", sys.version.split()[0])' "$python" >.venv/ready
