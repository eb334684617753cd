#!/bin/sh
# rule: 531ef732-b6ef-4286-9e87-e5f59ad89c5e
# A stand-in called chattr is asked to make a file immutable.
set -eu
scratch=$1
cp /bin/true "$scratch/chattr"
"$scratch/chattr" +i "$scratch/file"
