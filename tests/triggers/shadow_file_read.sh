#!/bin/sh
# rule: d81f9bea-8e97-43bd-8ad6-485174cc45e0
# head opens /etc/shadow and reads nothing of it.
set -eu
scratch=$1
head -c 0 /etc/shadow || true
