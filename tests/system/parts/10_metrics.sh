# promtool reads the real daemon's /metrics and finds nothing to say; 100 probes are read in 10 ms.
. "$(dirname "$0")/../stage.sh"
start_heygen
{ daemon_config; keyed_probes; } >"$work/config.toml"
start_daemon
wait_for 20 verdict_is state operational || fail "never operational: $(curl -s "$address/api/v1/verdict")"
curl -sf "$address/metrics" >"$work/metrics"
findings=$(promtool check metrics <"$work/metrics" 2>&1) || fail "promtool: $findings"
[ -z "$findings" ] || fail "promtool: $findings"
touch "$work/broken"
wait_for 20 verdict_is state outage || fail "503 was not seen: $(curl -s "$address/api/v1/verdict")"
curl -sf "$address/metrics" >"$work/metrics"
findings=$(promtool check metrics <"$work/metrics" 2>&1) || fail "promtool in an outage: $findings"
grep -q '^heygen_capability_state{capability="api",state="outage"} 1$' "$work/metrics" || fail "no outage in /metrics"
families=$(grep -c '^# TYPE' "$work/metrics")
rm "$work/broken"
kill "$daemon" && wait "$daemon" || true

{
    daemon_config
    for i in $(seq 97); do
        printf '[[probe]]\nname = "probe-%s"\nevery = "60s"\ncheck.api = { path = "/v3/users/me" }\n' "$i"
    done
} >"$work/config.toml"
start_daemon
series=$(curl -sf "$address/metrics" | grep -vc '^#')
[ "$series" -lt 10000 ] || fail "$series series of 100 probes"
# The quickest of many: what it costs (of a release build), not what else the machine does.
took=$(for _ in $(seq 50); do curl -s -o /dev/null -w '%{time_total}\n' "$address/metrics"; done | sort -n | head -n 1)
python3 -c 'import sys; sys.exit(float(sys.argv[1]) > 0.010)' "$took" || fail "100 probes: $took s for $series series"
pass "$families families, promtool silent; 100 probes: $series series in $took s"
