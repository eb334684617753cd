#!/bin/sh
# rule: 629e9e17-7f40-4d4e-9434-a7828dcefc50
# A comment is added to a private copy of /etc/passwd.
set -eu
scratch=$1
cp /etc/passwd "$scratch/passwd"
unshare -m sh -ec 'mount --bind "$1" /etc/passwd; echo "# nothing" >> /etc/passwd' sh "$scratch/passwd"
rm "$scratch/passwd"
