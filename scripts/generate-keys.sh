#!/usr/bin/env bash
# Makes the keys that the auth service signs with: <folder>/<kind>/<slot>.private.pem and .public.pem.
# Makes only missing keys and overwrites none. If it was interrupted, or ran twice at once, run it again.
#
#   scripts/generate-keys.sh [folder]      default: $KEYS_DIR, else keys/ beside this script's folder
set -euo pipefail
umask 077
source "${BASH_SOURCE[0]%/*}/key-files.sh"

make_private() {
  local folder=$1 file=$2
  if [[ -e $file ]]; then
    echo "kept $file"
    return
  fi
  draft_private "$folder"
  # Unlike mv, ln never replaces: of two runs at once the second keeps the key of the first.
  if ln "$draft" "$file" 2>/dev/null; then
    echo "made $file"
  elif [[ -e $file ]]; then
    echo "kept $file"
  else
    mv "$draft" "$file" # a file system without hard links
    echo "made $file"
  fi
  rm -f "$draft"
}

make_public() {
  local private=$1 file=$2
  if [[ -e $file ]]; then
    echo "kept $file"
    return
  fi
  write_public "$private" "$file"
  echo "made $file"
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
keys=${1:-${KEYS_DIR:-$here/keys}}

for kind in access refresh; do
  folder=$keys/$kind
  mkdir -p "$folder" || fail "cannot make $folder"
  clear_drafts "$folder"
  for slot in current next; do
    make_private "$folder" "$folder/$slot.private.pem"
    make_public "$folder/$slot.private.pem" "$folder/$slot.public.pem"
  done
done
