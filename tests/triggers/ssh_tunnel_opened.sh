#!/bin/sh
# rule: 31c84814-f06b-47e4-ac90-1bc9535058d4
# A stand-in called ssh is asked for a remote forwarding.
set -eu
scratch=$1
cp /bin/true "$scratch/ssh"
"$scratch/ssh" -N -R 8080:127.0.0.1:80 127.0.0.1
