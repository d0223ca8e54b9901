#!/usr/bin/env bash
# Passes all tests. It installs what they need (Debian packages when run as root, Go modules, axe-core from npm), starts
# a PostgreSQL of its own on a free port, and ends it again. Arguments go to `go test`; without any, everything is checked.
#
# With CI=true a part that is missing is a failure; without it, the tests that need the part are skipped.
set -euo pipefail
cd "$(dirname "$0")"
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"

say() { printf '\n== %s\n' "$*"; }

install_packages() {
  local missing=()
  [ -x /usr/lib/postgresql/15/bin/initdb ] || missing+=(postgresql-15)
  [ -x /usr/sbin/postfix ] || missing+=(postfix)
  command -v gcc >/dev/null || missing+=(gcc libc6-dev) # the race detector is C
  command -v chromium >/dev/null || missing+=(chromium)
  [ -f /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || missing+=(fonts-noto-cjk)
  command -v npm >/dev/null || missing+=(nodejs npm)
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "not installed: ${missing[*]} (run as root on Debian, or install them yourself)"
    return 0
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  mkdir -p /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/none.conf
  apt-get -qq update
  apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

install_axe() { # the accessibility checks that run in the browser
  local axe=apptest/browser/axe
  command -v npm >/dev/null || return 0
  [ ! $axe/node_modules/.package-lock.json -nt $axe/package-lock.json ] || return 0
  npm ci --prefix $axe --no-audit --no-fund --silent
}

# PostgreSQL refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

start_postgres() {
  local bin=/usr/lib/postgresql/15/bin
  [ -x $bin/initdb ] || return 0
  [ -z "${COUNTERSIGN_TEST_POSTGRES:-}" ] || return 0
  cluster=$(mktemp -d)
  [ "$(id -u)" != 0 ] || chown postgres "$cluster"
  local port
  port=$(free_port)
  as_postgres $bin/initdb -D "$cluster/data" -U postgres --auth=trust --encoding=UTF8 --locale=C >/dev/null
  # On one line: pg_ctl hands it to a shell.
  local options="-p $port -k '' -c listen_addresses=127.0.0.1 -c fsync=on -c max_connections=300 -c shared_buffers=256MB"
  as_postgres $bin/pg_ctl -D "$cluster/data" -w -l "$cluster/log" -o "$options" start >/dev/null
  trap 'as_postgres '$bin'/pg_ctl -D "$cluster/data" -m immediate stop >/dev/null; rm -rf "$cluster"' EXIT
  export COUNTERSIGN_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
}

free_port() {
  for _ in $(seq 100); do
    local port=$((20000 + RANDOM % 30000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo $port; return; }
  done
}

lint() {
  test -z "$(gofmt -l $(git ls-files '*.go'))" || { gofmt -l $(git ls-files '*.go'); return 1; }
  templates_are_generated
  go vet ./...
  go tool -modfile=tools/go.mod golangci-lint run ./...
}

templates_are_generated() {
  local before
  before=$(digest_templates)
  go tool -modfile=tools/go.mod templ generate -log-level error
  [ "$before" = "$(digest_templates)" ] || { echo "templ generate changed *_templ.go: keep what it wrote"; return 1; }
}

digest_templates() { git ls-files -co --exclude-standard -- '*_templ.go' | sort | xargs -r sha256sum; }

fuzz() { # a few seconds each; by hand: go test -fuzz NAME -fuzztime 10m ./PACKAGE
  local package target
  for package in $(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u); do
    for target in $(grep -ho '^func Fuzz[A-Za-z0-9]*' "$package"/*_test.go | cut -d' ' -f2); do
      go test -run '^$' -fuzz "^$target\$" -fuzztime 3s "./$package"
    done
  done
}

install_packages
install_axe
start_postgres
if [ $# -gt 0 ]; then
  go test "$@"
  exit
fi
say "lint"
lint
say "tests"
CGO_ENABLED=0 go test -timeout 20m ./...
say "races"
go test -race -timeout 15m ./base/store ./base/event ./base/ratelimit ./channel/... ./verify
say "fuzzing"
fuzz
say "all passed"
