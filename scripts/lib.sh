# Shared by the scripts: words, quiet steps with a log, packages, processors. Source it.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$root/build/logs

# What it takes to build, run and test on Debian 12.
build_packages=(
  g++ cmake ninja-build ccache lld pkg-config
  libboost-dev libyaml-cpp-dev libpoco-dev libspdlog-dev prometheus-cpp-dev libcli11-dev
  libsqlite3-dev libpq-dev libmariadb-dev libpaho-mqttpp-dev libpaho-mqtt-dev librdkafka-dev
  nlohmann-json3-dev catch2
)
run_packages=(curl)
test_packages=(
  python3 sqlite3 mosquitto-clients kcat iproute2 valgrind
  clang-14                                       # compiles plugins too
  libhiredis-dev libssl-dev openssl redis-server # for examples/broker-redis-streams
)
# What scripts/services runs.
postgres_packages=(postgresql-common postgresql-15)
mysql_packages=(python3 mariadb-server-core mariadb-client-core)
mosquitto_packages=(mosquitto)
kafka_packages=(maven default-jre-headless)
fuzz_packages=(clang-14 libclang-rt-14-dev)
package_packages=(dpkg-dev file)
lint_packages=(clang-tidy-14 clang-format-14)

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# install_packages NAME...: installs what of it is missing; free when nothing is.
install_packages() {
  command -v dpkg-query >/dev/null || {
    say "This is not a Debian system: install these yourself if the build misses them: $*"
    return 0
  }
  local name state missing=()
  for name in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) || state=none
    [[ $state == installed ]] || missing+=("$name")
  done
  ((${#missing[@]})) || return 0

  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "missing packages, and neither root nor sudo to install: ${missing[*]}"
    as_root=(sudo)
  fi
  say "Installing: ${missing[*]}"
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get
    -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}")
  mkdir -p "$logs"
  # The lists may be recent enough; if not, they are fetched and it is tried once more.
  if "${install[@]}" </dev/null >"$logs/packages.log" 2>&1; then return 0; fi
  quiet package-lists "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 update || true
  quiet packages "${install[@]}" ||
    die "could not install: ${missing[*]}. Are the package sources (/etc/apt) reachable?"
}

# quiet NAME COMMAND...: output into build/logs/NAME.log; shown when the command fails.
quiet() {
  local log=$logs/$1.log code=0
  shift
  mkdir -p "$logs"
  "$@" </dev/null >"$log" 2>&1 || code=$?
  ((code == 0)) && return 0
  say "failed ($code): $*"
  say "--- the end of $log"
  grep -nE 'error|FAILED|Error' "$log" | head -n 20 >&2 || true
  tail -n 40 "$log" >&2
  return "$code"
}

# So many compilers at once: one for each processor, but no more than memory carries.
jobs() {
  local processors memory_gb
  processors=$(nproc)
  memory_gb=$(awk '/MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
  local fit=$((memory_gb > 1 ? memory_gb : 1))
  echo $((processors < fit ? processors : fit))
}

seconds_since() { echo $(($(date +%s) - $1)); }
