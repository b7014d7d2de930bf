#!/usr/bin/env bash
# Makes the keys that the auth service signs with: <folder>/<kind>/<slot>.private.pem and .public.pem.
# Makes only what is missing and overwrites nothing. Cut off anywhere, or run twice at once: run it again.
#
#   scripts/generate-keys.sh [folder]      default: $KEYS_DIR, else keys/ beside this script's folder
set -euo pipefail
umask 077

fail() {
  echo "generate-keys: $*" >&2
  exit 1
}

# A new file that nobody sees under its final name until it is whole.
draft() {
  draft=$(mktemp "$1/.half.XXXXXX") || fail "cannot write to $1"
}

make_private() {
  local folder=$1 file=$2 said
  if [[ -e $file ]]; then
    echo "kept $file"
    return
  fi
  draft "$folder"
  said=$(openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$draft" 2>&1) || fail "openssl: $said"
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
  local folder=$1 private=$2 file=$3 said
  if [[ -e $file ]]; then
    echo "kept $file"
    return
  fi
  draft "$folder"
  said=$(openssl pkey -in "$private" -pubout -out "$draft" 2>&1) || fail "openssl cannot read $private: $said"
  chmod 644 "$draft"
  mv "$draft" "$file"
  echo "made $file"
}

command -v openssl >/dev/null || fail "openssl is not installed (Debian, Ubuntu: apt-get install openssl)"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
keys=${1:-${KEYS_DIR:-$here/keys}}
draft=
trap 'rm -f "$draft"' EXIT

for kind in access refresh; do
  folder=$keys/$kind
  mkdir -p "$folder" || fail "cannot make $folder"
  # What a run left that was killed; one that is still at work is younger.
  find "$folder" -name '.half.*' -mmin +10 -exec rm -f {} +
  for slot in current next; do
    make_private "$folder" "$folder/$slot.private.pem"
    make_public "$folder" "$folder/$slot.private.pem" "$folder/$slot.public.pem"
  done
done
