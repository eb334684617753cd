#!/bin/sh
# rule: 6ac169c7-594e-42ce-a048-b93a523f999f
# A pipe feeds a shell.
set -eu
scratch=$1
echo true | sh
