#!/bin/sh
# rule: 02a523fc-5e65-4e2a-a297-372d6e335ff8
# The word "true", encoded, decoded and run.
set -eu
scratch=$1
sh -c 'echo dHJ1ZQo= | base64 -d | sh'
