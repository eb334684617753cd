#!/bin/sh
# rule: 048dc4d2-a588-4e9b-89d3-4b666d7da386
# A bash without a session clears its own empty history.
set -eu
scratch=$1
bash -c 'unset HISTFILE; history -c'
