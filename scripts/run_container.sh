#!/bin/sh
# Makes a target of make, such as paper, in the container of Containerfile, and copies the results out of it. Other targets
# than these write elsewhere, or nothing, and would be lost with the container, seeds after an hour.
set -eu

case $1 in
paper | smoke | verify | report | bench) ;;
*)
    echo "error: TARGET=$1: only results/ leaves the container: paper, smoke, verify, report or bench" >&2
    exit 1
    ;;
esac
engine=$(command -v podman || command -v docker) || {
    echo 'error: there is no podman and no docker: install one (Debian, Ubuntu: podman)' >&2
    exit 1
}
"$engine" build --quiet --file Containerfile --tag ndgm .
made=$("$engine" create ndgm "$1")
trap '"$engine" rm --force "$made" >/dev/null' EXIT
"$engine" start --attach "$made"
mkdir -p results
"$engine" cp "$made:/home/author/ndgm/results/." results
