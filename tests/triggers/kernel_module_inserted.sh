#!/bin/sh
# rule: 9a85a2ec-bd4f-4703-b323-40ef296fa649
# A stand-in called insmod is asked for a module that does not exist.
set -eu
scratch=$1
cp /bin/true "$scratch/insmod"
"$scratch/insmod" "$scratch/driver.ko"
