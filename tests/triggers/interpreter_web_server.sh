#!/bin/sh
# rule: cfa1981a-7c9f-424c-b516-fabc8e22b137
# A stand-in called python3 is asked for a web server.
set -eu
scratch=$1
cp /bin/true "$scratch/python3"
"$scratch/python3" -m http.server --bind 127.0.0.1 8000
