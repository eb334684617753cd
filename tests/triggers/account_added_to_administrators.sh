#!/bin/sh
# rule: a12e3f2b-db1b-4202-ae9a-fa6955a319e2
# A stand-in called usermod is asked to put an account into the group sudo.
set -eu
scratch=$1
cp /bin/true "$scratch/usermod"
"$scratch/usermod" -aG sudo guest7
