#!/bin/sh
# Gathers wheels of everything that .venv takes, with its build of PyTorch. Usage: gather_wheels.sh FOLDER INDEX: where they
# go, and the index that has PyTorch without CUDA.
set -eu
read -r _ _ build <.venv/ready
mkdir -p "$1"
rm -f "$1"/torch-*.whl "$1"/torchvision-*.whl # of another build
if [ "$build" = cpu ]; then
    .venv/bin/pip wheel -qq --disable-pip-version-check --no-deps --index-url "$2" -w "$1" \
        $(grep -E '^torch(vision)?==' constraints.txt)
fi
# `2.13.0+cpu` satisfies `2.13.0`, and pip takes it from the folder since it is the higher of the two.
.venv/bin/pip wheel -qq --disable-pip-version-check -c constraints.txt --find-links "$1" -w "$1" \
    'setuptools>=77' '.[elsewhere,kubernetes,slurm,test]'
