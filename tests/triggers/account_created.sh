#!/bin/sh
# rule: 95d56648-21bd-411f-a17d-879a47630591
# A stand-in called useradd is asked for an account.
set -eu
scratch=$1
cp /bin/true "$scratch/useradd"
"$scratch/useradd" -m guest7
