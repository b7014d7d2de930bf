#!/usr/bin/env bash
# Rotates the keys of one kind: current becomes previous-<UTC time>, next becomes current, a new key becomes next.
# The auth services notice by themselves, and sign with the new current once it has been published for KEY_LEAD.
# If it was interrupted, run it again: it completes that rotation instead of beginning another one.
#
#   scripts/rotate-keys.sh access|refresh [--prune]      in $KEYS_DIR, else keys/ beside this script's folder
#
# With --prune it first deletes the previous keys that are retired: no token that they signed is still valid. Only the
# database knows them. If the environment names a database, the script runs npm run admin -- keys. Otherwise it reads
# the output of that command from standard input.
set -euo pipefail
umask 077
source "${BASH_SOURCE[0]%/*}/key-files.sh"

usage() {
  echo 'usage: scripts/rotate-keys.sh access|refresh [--prune]' >&2
  exit 2
}

list_keys() {
  if [[ -n ${DATABASE_URL-}${DATABASE_URL_FILE-} ]]; then
    node "$here/services/auth/dist/admin.js" keys
  elif [[ -t 0 ]]; then
    fail 'which keys are retired? Set DATABASE_URL, or pipe the output of npm run admin -- keys into this script'
  else
    cat
  fi
}

prune() {
  local listed slot kid
  listed=$(list_keys) || fail 'nothing is pruned: the keys could not be listed'
  while read -r slot kid; do
    if [[ $slot == previous-* && -e $folder/$slot.private.pem && $(thumbprint "$folder/$slot.private.pem") == "$kid" ]]; then
      rm -f "$folder/$slot.private.pem" "$folder/$slot.public.pem"
      echo "deleted $folder/$slot.private.pem, which is retired"
    fi
  done < <(awk -v kind="$kind" '$1 == kind && $4 == "retired" { print $2, $3 }' <<<"$listed")
}

# Tells whether a rotation was interrupted: the current key then has a second name, or has lost its first one.
is_half_done() {
  [[ -e $current ]] || return 0
  local file
  for file in "$folder"/previous-*.private.pem; do
    [[ -e $file ]] && cmp -s "$file" "$current" && return 0
  done
  return 1
}

set_aside() {
  local slot number=1
  slot=$folder/previous-$(date -u +%Y%m%dT%H%M%SZ)
  while [[ -e $slot.private.pem ]]; do
    slot=${slot%Z*}Z-$((number += 1))
  done
  # The key has two names for a moment, so that there is always a current key.
  link "$current" "$slot.private.pem" || mv "$current" "$slot.private.pem"
  echo "set aside $slot.private.pem"
}

[[ ${1-} == access || ${1-} == refresh ]] || usage
[[ $# == 1 || ($# == 2 && $2 == --prune) ]] || usage
kind=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${KEYS_DIR:-$here/keys}/$kind
current=$folder/current.private.pem
next=$folder/next.private.pem

lock_folder "$folder"
clear_drafts "$folder"
[[ -e $current || -e $next ]] || fail "there is no key in $folder; scripts/generate-keys.sh makes keys where there are none"

# First makes the new key and checks the others: what can fail does so before a file is deleted or renamed.
draft_private "$folder"
for file in "$folder"/*.private.pem; do
  [[ ! -e $file ]] || check_private "$file"
done
[[ $# == 1 ]] || prune
if [[ ! -e $next ]]; then
  echo "completing what was cut off: there was no next key"
else
  if is_half_done; then
    echo "completing a rotation that was cut off"
  else
    set_aside
  fi
  mv "$next" "$current"
  echo "promoted $current"
fi
mv "$draft" "$next"
echo "made $next"
mend_public "$folder"
