#!/bin/sh
# rule: 7757056d-f7d1-4613-8d65-9888badf0964
# A history file in the scratch folder is made and deleted.
set -eu
scratch=$1
: > "$scratch/.bash_history"
rm "$scratch/.bash_history"
