#!/usr/bin/env bash
# Installs what test/interop/ runs the snippets of docs/verify-elsewhere.md with, the clients that it logs out with,
# the package managers that it installs the verifier with, the packages of docs/tracing.md, and Schemathesis, outside the checkout. Takes what the machine
# has (Go, Python, Java with Maven, Rust) and leaves out the rest; what is installed already costs nothing.
# Usage: test/interop/install.sh [folder]; by default INTEROP_TOOLS, or latchkey-interop in the user's cache.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/tools" && pwd)
folder=${1:-${INTEROP_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/latchkey-interop}}
mkdir -p "$folder"
cd "$folder"

# Usage: once <name> <files that it depends on …> -- <command …>: runs the command in a new folder of that name, unless it has
# ended well before with the same files.
once() {
  local name=$1 files=() note
  shift
  while [[ $1 != -- ]]; do files+=("$tools/$1") && shift; done
  shift
  note=$(cat "${files[@]}" | sha256sum)
  [[ -f $name/.installed && $(<"$name/.installed") == "$note" ]] && return
  echo "installing $name …"
  rm -rf "$name" && mkdir "$name" && cp "${files[@]}" "$name"
  (cd "$name" && "$@")
  echo "$note" >"$name/.installed"
}

has() {
  for command in "$@"; do command -v "$command" >/dev/null || return; done
}

# Usage: python <file with requirements>
python() {
  python3 -m venv . && bin/pip install --quiet --disable-pip-version-check --requirement "$1"
}

# The program is a stand-in, so that the dependencies are compiled.
rust() {
  mkdir src && echo 'fn main() {}' >src/main.rs && cargo build --quiet --locked
}

go_modules() {
  go mod download && GOBIN="$PWD/bin" go install github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6
}

once node package.json package-lock.json -- npm ci --silent
once managers managers/package.json managers/package-lock.json -- npm ci --silent
once tracing tracing/package.json tracing/package-lock.json -- npm ci --silent
if has python3; then
  once python requirements.txt -- python requirements.txt
  once schemathesis schemathesis.txt -- python schemathesis.txt
fi
if has go; then once go go.mod go.sum -- go_modules; fi
if has java javac mvn; then
  once java pom.xml -- mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=lib
fi
if has cargo; then once rust Cargo.toml Cargo.lock -- rust; fi
