# Functions for the scripts that make, rotate and revoke keys. These source this file, and set -euo pipefail.
# shellcheck shell=bash

fail() {
  local script=${0##*/}
  echo "${script%.sh}: $*" >&2
  exit 1
}

# Makes a draft: a new file that gets its final name only when it is complete.
draft() {
  draft=$(mktemp "$1/.half.XXXXXX") || fail "cannot write to $1"
}

# Makes a new private key, as a draft in the folder.
draft_private() {
  local said
  draft "$1"
  said=$(openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$draft" 2>&1) || fail "openssl: $said"
}

# Writes the public half of a private key, under its final name.
write_public() {
  local private=$1 file=$2 said
  draft "${file%/*}"
  said=$(openssl pkey -in "$private" -pubout -out "$draft" 2>&1) || fail "openssl cannot read $private: $said"
  chmod 644 "$draft"
  mv "$draft" "$file"
}

# Ends the script if services/auth/src/keys/key-file.ts would refuse a private key: no service starts with such a file.
check_private() {
  local said
  said=$(openssl pkey -inform PEM -in "$1" -passin pass: -noout -text_pub 2>&1) || said=
  [[ $said =~ \(([0-9]+)\ bit.*Exponent:\ 65537\  && ${BASH_REMATCH[1]} -ge 2048 ]] ||
    fail "$1 is no key that a service can use: RSA of 2048 bits or more, in PEM, readable, without a passphrase." \
      "Put a good copy in its place, or delete it, which ends the tokens that it signed; then run this again"
}

# Deletes the drafts of a killed run. Drafts of a running script are younger than ten minutes.
clear_drafts() {
  find "$1" -name '.half.*' -mmin +10 -exec rm -f {} +
}

# Lets one script at a time change the folder. The lock ends with the process that holds it, so nobody has to remove it.
lock_folder() {
  [[ -d $1 ]] || fail "$1 is no folder; scripts/generate-keys.sh makes keys where there are none"
  exec 9>>"$1/.lock" || fail "cannot write to $1"
  if command -v flock >/dev/null; then
    flock --nonblock 9
  else
    perl -e 'open my $lock, ">>&=9" or die; exit !flock $lock, 2 | 4'
  fi || fail "another script is changing $1; try again when it has ended"
}

# Makes the right public half beside each private key, and deletes all others.
mend_public() {
  local folder=$1 file half
  for file in "$folder"/*.public.pem; do
    [[ -e ${file%.public.pem}.private.pem ]] || rm -f "$file"
  done
  for file in "$folder"/*.private.pem; do
    [[ -e $file ]] || continue
    half=$(openssl pkey -in "$file" -pubout) || fail "openssl cannot read $file"
    if [[ $half != "$(cat "${file%.private.pem}.public.pem" 2>/dev/null)" ]]; then
      write_public "$file" "${file%.private.pem}.public.pem"
    fi
  done
}

# The kid of a key: its RFC 7638 thumbprint. The exponent is 65537, as the service accepts no other.
thumbprint() {
  local modulus
  modulus=$(openssl rsa -in "$1" -noout -modulus 2>/dev/null) || return 0
  modulus=$(sed 's/^Modulus=//; s/../\\x&/g' <<<"$modulus")
  # shellcheck disable=SC2059 # the format is the number, byte for byte
  printf '{"e":"AQAB","kty":"RSA","n":"%s"}' "$(printf "$modulus" | base64url)" | openssl dgst -sha256 -binary | base64url
}

base64url() {
  openssl base64 -A | tr '+/' '-_' | tr -d '='
}

# Gives a key a second name. Fails if the file system has no hard links.
link() {
  ln "$1" "$2" 2>/dev/null
}

command -v openssl >/dev/null || fail "openssl is not installed (Debian, Ubuntu: apt-get install openssl)"
draft=
trap 'rm -f "$draft"' EXIT
