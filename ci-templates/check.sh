#!/bin/sh
# Any other CI, or none: builds the image, holds it against the baseline, ends with imgopt's exit code.
# 0 fine, 1 a rule is broken, 2 wrong input or no baseline, 3 no engine.
#
#   ci-templates/check.sh app . [more arguments of imgopt ci check]
set -eu
name=${1:?"usage: check.sh NAME CONTEXT [ARGUMENT...]"}
context=${2:?"usage: check.sh NAME CONTEXT [ARGUMENT...]"}
shift 2
tag="imgopt-check-$name:$(date +%s)-$$"
trap 'docker image rm --force "$tag" > /dev/null 2>&1 || true' EXIT
docker build --quiet --tag "$tag" "$context" > /dev/null
imgopt ci check --context "$context" --require-baseline "$@" -- "$name=$tag"
