#!/bin/sh
# rule: a9cfee1e-5674-435e-9cc6-b2b841cbbe01
# A comment is written to a .bashrc in the scratch folder.
set -eu
scratch=$1
echo "# nothing" > "$scratch/.bashrc"
rm "$scratch/.bashrc"
