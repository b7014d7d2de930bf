#!/usr/bin/env bash
# What the one-shot `keys` of docker-compose.yml does without another command, as auth's own user: makes the signing keys
# in KEYS_DIR, and in DATABASE_DIR the password of the database, and the URL with that password in the place of
# DATABASE_URL_FORM's %s.
# Makes only what is missing and overwrites nothing. Cut off anywhere: run it again.
set -euo pipefail
umask 077

draft=
trap 'rm -f "$draft"' EXIT

# Makes a file that nobody sees before it is whole and on the disk.
make() {
  local mode=$1 file=$2 text=$3
  draft=$(mktemp "$DATABASE_DIR/.half.XXXXXX")
  echo "$text" >"$draft"
  chmod "$mode" "$draft"
  sync "$draft"
  # Unlike mv, ln never replaces: of two runs at once the second keeps what the first has made.
  ln "$draft" "$file" || [[ -e $file ]]
  rm "$draft"
  echo "made $file"
}

"${BASH_SOURCE%/*}/../../../scripts/generate-keys.sh" "$KEYS_DIR"

if [[ ! -e $DATABASE_DIR/password ]]; then
  password=$(openssl rand -hex 32)
  # 0640: the database's server is another user, who gets the group of this file.
  make 640 "$DATABASE_DIR/password" "$password"
fi
if [[ ! -e $DATABASE_DIR/url ]]; then
  password=$(<"$DATABASE_DIR/password")
  make 600 "$DATABASE_DIR/url" "${DATABASE_URL_FORM/\%s/$password}"
fi
