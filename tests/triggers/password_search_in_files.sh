#!/bin/sh
# rule: 9d6643f3-d9ff-4133-ba55-568a2f7fe7dd
# grep looks for the word in the scratch folder.
set -eu
scratch=$1
echo "nothing here" > "$scratch/notes"
grep -ri password "$scratch" || true
rm "$scratch/notes"
