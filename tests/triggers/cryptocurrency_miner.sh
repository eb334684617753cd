#!/bin/sh
# rule: abdca6d5-a525-4bed-9ad8-44f6e3d57b86
# A copy of true gets the arguments of a miner.
set -eu
scratch=$1
cp /bin/true "$scratch/worker"
"$scratch/worker" -o stratum+tcp://127.0.0.1:9 -u wallet --donate-level 1
