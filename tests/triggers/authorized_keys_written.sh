#!/bin/sh
# rule: faee9b67-65a4-4e03-a7f2-3c6df8642e4a
# A comment is written to an authorized_keys file in the scratch folder.
set -eu
scratch=$1
mkdir -p "$scratch/home/.ssh"
echo "# no key" > "$scratch/home/.ssh/authorized_keys"
rm -r "$scratch/home"
