# Sourced by every part: a directory that goes away at the end, a stand-in for HeyGen, the daemon
# on it, and waiting for a condition with a deadline.
set -euo pipefail
system=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$system/../.." && pwd)
bin=$HEYGEN_MONITOR_BIN
work=$(mktemp -d /tmp/heygen-monitor-part.XXXXXX)
chmod 755 "$work"
pids=()
cleanups=()

finish() {
    local code=$?
    set +e
    for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do eval "${cleanups[i]}"; done
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null; done
    rm -rf --one-file-system "$work"
    exit $code
}
trap finish EXIT
trap 'exit 143' TERM

skip() { echo "$*"; exit 77; }
fail() { echo "$*"; exit 1; }
pass() { echo "$*"; exit 0; }

# wait_for SECONDS COMMAND…: until the command succeeds, looking five times a second.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.2
    done
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start_heygen [COMMAND…]: a HeyGen that works, on loopback; of another network where the command
# runs the rest of its line there. `touch $work/broken` makes its API answer 503, `touch
# $work/admitted` lets its page say so.
start_heygen() {
    heygen_key=sk_system_test_0123456789
    heygen_port=$(free_port)
    "$@" python3 "$system/heygen.py" "$heygen_port" "$heygen_key" "$work/broken" >"$work/heygen.log" 2>&1 &
    pids+=($!)
    wait_for 10 "$@" curl -sf "http://127.0.0.1:$heygen_port/control/1" || fail "the stand-in for HeyGen did not start"
}

# daemon_config [ADDRESS]: the checks that need no key, seconds apart, all on the stand-in.
daemon_config() {
    local heygen=http://127.0.0.1:$heygen_port
    cat <<CONFIG
vantage = "system-test"
[heygen]
base_url = "$heygen"
[web]
listen = "${1:-127.0.0.1:0}"
[thresholds]
recheck = "300ms"
[[status_page]]
name = "heygen"
url = "$heygen"
role = "primary"
every = "2s"
[[probe]]
name = "api-anonymous"
every = "2s"
timeout = "1500ms"
capabilities = ["api"]
check.api = { path = "/v3/users/me", anonymous = true }
[[probe]]
name = "web-app"
every = "2s"
capabilities = ["web_app"]
check.web = { url = "$heygen/app" }
[[probe]]
name = "control"
every = "2s"
check.control = { https = ["$heygen/control/1", "$heygen/control/2", "$heygen/control/3"] }
CONFIG
}

# keyed_probes: those that need the key.
keyed_probes() {
    cat <<CONFIG
[[probe]]
name = "api-read"
every = "2s"
timeout = "1500ms"
capabilities = ["api", "authentication"]
check.api = { path = "/v3/users/me" }
[[probe]]
name = "submit"
every = "5s"
timeout = "4s"
check.submit = {}
CONFIG
}

# start_daemon [NAME=VALUE…]: runs it on $work/config.toml, sets $daemon and $address.
start_daemon() {
    mkdir -p "$work/state"
    env -i PATH="$PATH" HEYGEN_MONITOR_STATE_DIR="$work/state" HEYGEN_API_KEY="$heygen_key" "$@" \
        "$bin" --config "$work/config.toml" run >"$work/daemon.log" 2>&1 &
    daemon=$!
    pids+=("$daemon")
    wait_for 20 test -s "$work/state/listen" || { cat "$work/daemon.log"; fail "the daemon did not start"; }
    address=$(tr -d '\n' <"$work/state/listen")
    address=http://${address#http://}
    wait_for 20 curl -sf "$address/-/ready" || { cat "$work/daemon.log"; fail "the daemon did not become ready"; }
}

# field PATH: of the JSON on stdin, e.g. `field state` or `field capabilities.0.state`.
field() {
    python3 -c 'import json, sys
value = json.load(sys.stdin)
for step in sys.argv[1].split("."):
    value = value[int(step)] if isinstance(value, list) else value[step]
print(value)' "$1"
}

# shows PATTERN ADDRESS: whether what it serves has a line like that. (Not a pipe into `grep -q`:
# that would fail whenever grep is done before the other side.)
shows() { grep -qE "$1" <<<"$(curl -s "$2")"; }

verdict_is() { [ "$(curl -s "$address/api/v1/verdict" | field "$1")" = "$2" ]; }
