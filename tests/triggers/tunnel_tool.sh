#!/bin/sh
# rule: 8b5008ae-0f96-444c-8c67-1f8479e1b7d0
# A stand-in called chisel is asked for a reverse tunnel.
set -eu
scratch=$1
cp /bin/true "$scratch/chisel"
"$scratch/chisel" client 127.0.0.1:9 R:8080:127.0.0.1:80
