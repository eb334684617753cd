#!/bin/sh
# rule: 7aa1c546-0ad0-4eda-b354-0266c20e7c05
# find looks for SSH keys in the scratch folder.
set -eu
scratch=$1
find "$scratch" -name 'id_rsa*'
