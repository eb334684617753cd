#!/bin/sh
# rule: 5037b879-88ce-40c6-81df-89f126e35628
# A stand-in called nmap is asked to scan loopback.
set -eu
scratch=$1
cp /bin/true "$scratch/nmap"
"$scratch/nmap" -sT -p 1-10 127.0.0.1
