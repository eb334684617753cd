#!/bin/sh
# rule: cddbee5a-4e7a-492f-a87d-a606c625f318
# A stand-in called setcap is asked for cap_setuid.
set -eu
scratch=$1
cp /bin/true "$scratch/setcap"
"$scratch/setcap" cap_setuid+ep "$scratch/helper"
