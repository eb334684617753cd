#!/bin/sh
# rule: 46097977-5322-46d5-9b32-0cb535a589fa
# A stand-in called systemctl is asked to stop auditd.
set -eu
scratch=$1
cp /bin/true "$scratch/systemctl"
"$scratch/systemctl" stop auditd.service
