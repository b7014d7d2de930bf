#!/usr/bin/env bash
# What the one-shot `keys` of docker-compose.yml runs, as auth's own user: `generate`, `rotate access`, `revoke <kid>`,
# or any other command.
set -euo pipefail

here=${BASH_SOURCE%/*}
scripts=$here/../../../scripts
case ${1-} in
  generate) exec bash "$here/make-secrets.sh" ;;
  rotate) exec "$scripts/rotate-keys.sh" "${@:2}" ;;
  revoke) exec "$scripts/revoke-key.sh" "${@:2}" ;;
  *) exec "$@" ;;
esac
