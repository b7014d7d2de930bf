#!/usr/bin/env bash
# Revokes a key: moves it to the folder `revoked` of its kind. Within 10 s every auth service sees it there, and refuses
# its tokens for ever. A revoked current key is replaced by next, and next by a new key.
# If it was interrupted, run it again.
#
#   scripts/revoke-key.sh <kid>      in $KEYS_DIR, else keys/ beside this script's folder
set -euo pipefail
umask 077
source "${BASH_SOURCE[0]%/*}/key-files.sh"

[[ $# == 1 && $1 =~ ^[A-Za-z0-9_-]{43}$ ]] || {
  echo 'usage: scripts/revoke-key.sh <kid>      (npm run admin -- keys lists them)' >&2
  exit 2
}
kid=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
keys=${KEYS_DIR:-$here/keys}

revoke() {
  local folder=$1 file=$2 target=$1/revoked/$kid.private.pem
  mkdir -p "$folder/revoked"
  if [[ ! -e $target ]]; then
    # From here on the key is revoked. The following lines put another key in its place.
    link "$file" "$target" || {
      draft "$folder/revoked"
      cp "$file" "$draft"
      mv "$draft" "$target"
    }
    echo "revoked $target"
  fi
  case ${file##*/} in
    current.*)
      if [[ -e $folder/next.private.pem ]]; then
        check_private "$folder/next.private.pem"
        mv "$folder/next.private.pem" "$file"
      else
        draft_private "$folder"
        mv "$draft" "$file"
      fi
      echo "promoted $file"
      ;;
    *) rm "$file" ;;
  esac
}

found=
for kind in access refresh; do
  folder=$keys/$kind
  lock_folder "$folder"
  clear_drafts "$folder"
  for file in "$folder"/*.private.pem; do
    [[ -e $file && $(thumbprint "$file") == "$kid" ]] || continue
    found=$folder
    revoke "$folder" "$file"
  done
  if [[ -e $folder/revoked/$kid.private.pem ]]; then
    found=$folder
    if [[ ! -e $folder/next.private.pem ]]; then
      draft_private "$folder"
      mv "$draft" "$folder/next.private.pem"
      echo "made $folder/next.private.pem"
    fi
    mend_public "$folder"
  fi
done
[[ $found ]] || fail "no key in $keys has the kid $kid. For a folder that is elsewhere: npm run admin -- revoke-key $kid"
