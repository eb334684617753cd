#!/bin/sh
# rule: cd603057-018d-476d-9429-1c5a3a806c79
# A stand-in called python3 gets the one-liner that spawns a terminal.
set -eu
scratch=$1
cp /bin/true "$scratch/python3"
"$scratch/python3" -c 'import pty; pty.spawn("/bin/sh")'
