#!/bin/sh
# rule: ec195146-9652-4917-992b-0d12c3b358ee
# A stand-in called setenforce is asked for permissive mode.
set -eu
scratch=$1
cp /bin/true "$scratch/setenforce"
"$scratch/setenforce" 0
