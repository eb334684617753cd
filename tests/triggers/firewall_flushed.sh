#!/bin/sh
# rule: fdad9ec2-32cb-4662-b498-7d1cd06107b7
# A stand-in called iptables is asked to flush.
set -eu
scratch=$1
cp /bin/true "$scratch/iptables"
"$scratch/iptables" -F
