# schemathesis reads the served OpenAPI file and asks the real daemon everything it allows: no 5xx,
# every answer as promised; a thousand silent peers neither delay a probe nor keep a reader out.
. "$(dirname "$0")/../stage.sh"
start_heygen
{ daemon_config; keyed_probes; } >"$work/config.toml"
start_daemon
is_watching() { [ "$(curl -s "$address/api/v1/observations?probe=submit&outcome=ok" | field data.0.outcome)" = ok ]; }
wait_for 30 is_watching || fail "the submit probe was not heard of: $(curl -s "$address/api/v1/observations?probe=submit")"
verdict_is state operational || fail "the stand-in is fine, and the verdict is not: $(curl -s "$address/api/v1/verdict" | field headline)"

# Silent peers: one byte each, for longer than a head may take.
python3 - "${address#http://}" >"$work/peers.log" 2>&1 <<'PEERS' &
import resource, socket, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
host, port = sys.argv[1].split(":")
peers = []
for _ in range(1000):
    peer = socket.create_connection((host, int(port)), 5)
    peer.send(b"G")
    peers.append(peer)
print("connected", len(peers), flush=True)
time.sleep(12)
PEERS
peers=$!
pids+=("$peers")
wait_for 30 grep -q 'connected 1000' "$work/peers.log" || { cat "$work/peers.log"; fail "the silent peers did not get in"; }
slowest=0
while kill -0 "$peers" 2>/dev/null; do
    took=$(curl -s -o /dev/null --max-time 5 -w '%{time_total}' "$address/-/healthy") || fail "nobody answers beside silent peers"
    slowest=$(python3 -c 'import sys; print(max(float(sys.argv[1]), float(sys.argv[2])))' "$slowest" "$took")
    sleep 0.3
done
python3 - "$address" <<'LATE' >"$work/late" || { cat "$work/late"; fail "a probe was late beside silent peers"; }
import json, sys, urllib.request
from datetime import datetime
rows = json.load(urllib.request.urlopen(sys.argv[1] + "/api/v1/observations?probe=api-read&since=12s&limit=200"))["data"]
begun = sorted(datetime.fromisoformat(row["begun_at"].replace("Z", "+00:00")) for row in rows)
gaps = [(later - earlier).total_seconds() for earlier, later in zip(begun, begun[1:])]
print(f"longest gap {max(gaps):.1f} s, longest run {max(row['duration_seconds'] for row in rows):.2f} s")
assert len(rows) >= 4 and max(gaps) < 4 and all(row["outcome"] == "ok" for row in rows), rows
LATE

venv=$work/venv
{ python3 -m venv "$venv" && "$venv/bin/pip" install --quiet 'schemathesis==4.32.5'; } >"$work/pip.log" 2>&1 ||
    { tail -n 3 "$work/pip.log"; skip "schemathesis cannot be had (python3-venv, PyPI)"; }
cat >"$work/schemathesis.toml" <<'CONFIG'
generation.deterministic = true
generation.max-examples = 25
# Whether a stretch of time is one (since before until, at most a year) is more than a schema can say.
[[operations]]
include-path = "/api/v1/uptime"
checks.positive_data_acceptance.enabled = false
CONFIG
(cd "$work" && timeout 240 "$venv/bin/schemathesis" --config-file "$work/schemathesis.toml" run "$address/api/openapi.json" \
    --url "$address" --workers 2 --phases examples,coverage,fuzzing --request-timeout 10) >"$work/schemathesis.log" 2>&1 ||
    { tail -n 60 "$work/schemathesis.log"; fail "schemathesis found something"; }
cases=$(grep -oE '[0-9]+ generated' "$work/schemathesis.log" | tail -n 1)
pass "$cases requests of schemathesis answered as documented; 1,000 silent peers: $(cat "$work/late"), readers within $slowest s"
