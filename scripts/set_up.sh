#!/bin/sh
# Sets .venv up. Usage: set_up.sh PYTHON TORCH WHEELHOUSE INDEX, of which the first three may be empty: a Python in the
# place of the first that fits; the build of PyTorch, `cpu` or `cuda`, in the place of that which .venv has; a folder of
# wheels in the place of the network. The index is that of PyTorch without CUDA.
set -eu
named=$1 torch=$2 wheelhouse=$3 without_cuda=$4
pythons='3.11 to 3.13'

fail() {
    echo "error: $1" >&2
    exit 1
}

case $torch in
'' | cpu | cuda) ;;
*) fail "TORCH=$torch: cpu for the build without CUDA, or cuda for the one with it" ;;
esac
if [ -n "$wheelhouse" ]; then
    [ -d "$wheelhouse" ] || fail "WHEELHOUSE=$wheelhouse: no such folder; make wheelhouse makes one"
    build=cuda
    for wheel in "$wheelhouse"/torch-*+cpu-*.whl; do
        [ ! -e "$wheel" ] || build=cpu
    done
    [ "${torch:-$build}" = $build ] ||
        fail "TORCH=$torch: not the build of WHEELHOUSE=$wheelhouse; make wheelhouse TORCH=$torch gathers it"
    set -- --no-index --find-links "$wheelhouse"
else
    build=$torch
    if [ -z "$build" ] && [ -f .venv/ready ]; then
        read -r _ _ build <.venv/ready || :
    fi
    build=${build:-cuda}
    set --
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

echo 'Setting up .venv, once'
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
export PIP_RETRIES="${PIP_RETRIES:-2}" # of 15 seconds, so that an index that answers no more ends it in a minute

# Ends where an index does not answer. Usage: look REMEDY PACKAGE [OPTION]…
look() {
    remedy=$1
    shift
    silent=$(.venv/bin/python scripts/check_index.py "$@" 2>&1) || fail "$silent; $remedy"
}

# Says once a minute what pip said last, until it is ended; what it waits for then ends by itself, and holds no pipe.
say_how_far() {
    seconds=0
    while sleep 1 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
        seconds=$((seconds + 1))
        [ $((seconds % 60)) = 0 ] || continue
        tail -n 1 "$said" | (read -r last || :; echo "pip, after $((seconds / 60)) min: $last")
    done
}

# Installs with our versions. Usage: pip_install OPTION…
pip_install() {
    say_how_far &
    trap 'kill '$!' 2>/dev/null' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    code=0
    .venv/bin/pip install --disable-pip-version-check --progress-bar off -c constraints.txt "$@" \
        >"$said" 2>&1 || code=$?
    kill $! 2>/dev/null || :
    trap - EXIT INT TERM
    if [ $code != 0 ]; then
        reason=$(grep '^ *ERROR: ' "$said" | tail -n 1) # of what a package is built with, pip indents it
        fail "pip: ${reason#*ERROR: } ($said has the rest; without a network, WHEELHOUSE=… names a folder of wheels)"
    fi
}

if [ -z "$wheelhouse" ]; then
    look 'without a network, WHEELHOUSE=… names a folder of wheels' setuptools
fi
if [ -z "$wheelhouse" ] && [ $build = cpu ]; then
    look 'make it with TORCH=cuda, or with WHEELHOUSE=…, a folder of wheels' torch --index-url "$without_cuda"
    pip_install --no-deps --index-url "$without_cuda" $(grep -E '^torch(vision)?==' constraints.txt)
fi
pip_install "$@" -e '.[test]'
.venv/bin/python -c 'import sys; print(sys.argv[1] or "uv", sys.version.split()[0], sys.argv[2])' "$python" $build >.venv/ready
