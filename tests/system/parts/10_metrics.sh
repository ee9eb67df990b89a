# promtool reads the real daemon's /metrics and finds nothing to say.
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
pass "$(grep -c '^# TYPE' "$work/metrics") families, $(grep -vc '^#' "$work/metrics") series, promtool silent"
