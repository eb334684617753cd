#!/bin/sh
# rule: 567756a6-2a1d-48cc-95dc-b752f0a3287d
# A copy of true runs under a hidden name.
set -eu
scratch=$1
cp /bin/true "$scratch/.cache-d"
"$scratch/.cache-d"
