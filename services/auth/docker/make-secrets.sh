#!/usr/bin/env bash
# What the one-shot `keys` of docker-compose.yml does without another command, as auth's own user: makes the signing keys
# in KEYS_DIR, and the passwords of four users of the database: in OWNER_DIR that of its owner, also by itself for the
# server, in SERVICE_DIR that of the auth service, in CHAT_OWNER_DIR and CHAT_SERVICE_DIR those of the chat's database. Each
# of these folders has a URL, which is DATABASE_URL_FORM or CHAT_DATABASE_URL_FORM with the user and the password in the
# places of %s. In FEED_DIR the token of the revocation feed.
# Makes only what is missing and overwrites nothing. Cut off anywhere: run it again.
set -euo pipefail
umask 077

draft=
trap 'rm -f "$draft"' EXIT

# Makes a file that nobody sees before it is whole and on the disk.
make() {
  local mode=$1 file=$2 text=$3
  draft=$(mktemp "${file%/*}/.half.XXXXXX")
  echo "$text" >"$draft"
  chmod "$mode" "$draft"
  sync "$draft"
  # Unlike mv, ln never replaces: of two runs at once the second keeps what the first has made.
  ln "$draft" "$file" || [[ -e $file ]]
  rm "$draft"
  echo "made $file"
}

"${BASH_SOURCE%/*}/../../../scripts/generate-keys.sh" "$KEYS_DIR"

new_secret() { openssl rand -hex 32; }

make_url() {
  local folder=$1 form=$2 user=$3 password=$4 url
  # shellcheck disable=SC2059 # the form is from docker-compose.yml
  url=$(printf "$form" "$user" "$password")
  make 600 "$folder/url" "$url"
}

# With a password of its own, which `migrate` gives to the user of the URL; it makes the user, too.
make_user() {
  [[ ! -e $1/url ]] || return 0
  local password
  password=$(new_secret)
  make_url "$@" "$password"
}

if [[ ! -e $OWNER_DIR/password ]]; then
  password=$(new_secret)
  # 0640: the database's server is another user, who gets the group of this file.
  make 640 "$OWNER_DIR/password" "$password"
fi
if [[ ! -e $OWNER_DIR/url ]]; then
  password=$(<"$OWNER_DIR/password")
  make_url "$OWNER_DIR" "$DATABASE_URL_FORM" latchkey "$password"
fi
make_user "$SERVICE_DIR" "$DATABASE_URL_FORM" latchkey_service
make_user "$CHAT_OWNER_DIR" "$CHAT_DATABASE_URL_FORM" latchkey_chat_owner
make_user "$CHAT_SERVICE_DIR" "$CHAT_DATABASE_URL_FORM" latchkey_chat
if [[ ! -e $FEED_DIR/token ]]; then
  token=$(new_secret)
  make 600 "$FEED_DIR/token" "$token"
fi
