#!/bin/sh
# rule: 07ee3d8c-d597-4906-843b-ef54d4dd34b8
# A copy of dash called nginx starts a shell.
set -eu
scratch=$1
cp /bin/dash "$scratch/nginx"
"$scratch/nginx" -c 'sh -c true; true'
