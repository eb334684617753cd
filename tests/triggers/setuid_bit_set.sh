#!/bin/sh
# rule: 3217c360-1728-4b96-8acc-69b34e317ec0
# A copy of true gets the bit and is removed.
set -eu
scratch=$1
cp /bin/true "$scratch/helper"
chmod u+s "$scratch/helper"
rm "$scratch/helper"
