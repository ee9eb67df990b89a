# A real Prometheus with our rules scrapes the real daemon through an outage: alerts fire and
# resolve, and every query of every panel, annotation and variable has an answer. Beside it the
# daemon of `demo`: a day of trouble on the simulator, with jobs, in a minute.
. "$(dirname "$0")/../stage.sh"
rules=$project/prometheus/heygen-monitor
promtool check rules "$rules.rules.yml" >"$work/rules.log" 2>&1 || { cat "$work/rules.log"; fail "promtool check rules"; }
promtool test rules "$rules.test.yml" >"$work/rules.log" 2>&1 || { cat "$work/rules.log"; fail "promtool test rules"; }

start_heygen
{
    daemon_config
    keyed_probes
    cat <<CONFIG
[[probe]]
name = "queue"
every = "2s"
check.queue = {}
[[probe]]
name = "speech"
check.speech = { voice = "v", price_usd = 0.002 }
[budget]
canaries = false
[[status_page]]
name = "Substitute"
url = "http://127.0.0.1:$heygen_port"
role = "alternative"
replaces = ["video_generation"]
every = "2s"
[[channel]]
name = "team-slack"
slack = { webhook_url_file = "$work/slack" }
CONFIG
} >"$work/config.toml"
(umask 077 && echo "http://127.0.0.1:$heygen_port/services/T0/B0/x" >"$work/slack")
# The port is kept, so that a restarted daemon is the same target.
sed -i "s/^listen = .*/listen = \"127.0.0.1:$(free_port)\"/" "$work/config.toml"
start_daemon

demo_port=$(free_port)
env -i PATH="$PATH" HOME="$work" "$bin" demo --listen "127.0.0.1:$demo_port" --for 60s >"$work/demo.log" 2>&1 &
pids+=($!)

# The rules are those of the project but for their patience: what waits for minutes waits for
# seconds here.
sed -E 's/for: [0-9]+[mh]$/for: 2s/; s/\[2m\]/[5s]/g; s/build_info\[5m\]/build_info[5s]/' "$rules.rules.yml" >"$work/rules.yml"
grep -c 'for: 2s' "$work/rules.yml" >/dev/null || fail "the rules have no \`for\` to shorten"
prometheus_port=$(free_port)
cat >"$work/prometheus.yml" <<CONFIG
global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
scrape_configs:
  - job_name: heygen-monitor
    static_configs: [{ targets: ["${address#http://}"] }]
  - job_name: demo
    static_configs: [{ targets: ["127.0.0.1:$demo_port"] }]
CONFIG
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" \
    --web.listen-address="127.0.0.1:$prometheus_port" >"$work/prometheus.log" 2>&1 &
pids+=($!)
prometheus=http://127.0.0.1:$prometheus_port
# answers QUERY: whether Prometheus has a result for it.
answers() { grep -q '"value"' <<<"$(curl -s --data-urlencode "query=$1" "$prometheus/api/v1/query")"; }
fires() { answers "ALERTS{alertname=\"$1\", alertstate=\"firing\", job=\"heygen-monitor\"}"; }
ended() { answers up && ! answers "ALERTS{alertname=\"$1\", job=\"heygen-monitor\"}"; }
complain() {
    tail -n 5 "$work/prometheus.log"
    curl -s "$prometheus/api/v1/alerts"
    tail -n 5 "$work/daemon.log"
    fail "$@"
}
seen=()
must_fire() { wait_for 30 fires "$1" || complain "$1 does not fire"; }
must_end() { wait_for 40 ended "$1" || complain "$1 does not end"; seen+=("$1"); }

wait_for 30 answers 'heygen_capability_state{job="heygen-monitor", capability="api", state="operational"} == 1' || complain "Prometheus never saw it well"
wait_for 15 answers 'count_over_time(up{job="heygen-monitor"}[1m]) >= 8' || complain "it was not scraped"
! answers 'ALERTS{alertstate="firing", job="heygen-monitor"}' || complain "an alert fires although all is well"

touch "$work/broken"
must_fire HeygenComponentDown
must_fire HeygenStatusPageDivergence
must_fire HeygenMonitorChannelDead
queries=$(python3 "$system/dashboards.py" "$prometheus" "$project"/grafana/*.json "$project"/grafana/import/*.json) ||
    complain "$queries"
[ "$queries" -gt 100 ] || fail "only $queries queries were found"
checker=$project/../shared/tools/dashboard_check.py
if [ -e "$checker" ]; then
    for dashboard in "$project"/grafana/*.json; do
        python3 "$checker" "$dashboard" --prometheus "$prometheus" >"$work/checker.log" || { cat "$work/checker.log"; fail "$dashboard"; }
    done
fi
curl -sf "$address/metrics" >"$work/metrics"
findings=$(promtool check metrics <"$work/metrics" 2>&1) && [ -z "$findings" ] || fail "promtool: $findings"
touch "$work/admitted"
must_end HeygenStatusPageDivergence
answers 'job_instance_probe:heygen_probe_observations_down:lower_bound1h{job="heygen-monitor"} > 0.1' || complain "no burn rate is recorded"
! answers 'ALERTS{alertname="HeygenErrorBudgetBurn", job="heygen-monitor"}' || complain "an outage is told twice"
rm "$work/broken" "$work/admitted"
must_end HeygenComponentDown

cp "$work/config.toml" "$work/good.toml"
echo 'nonsense = true' >>"$work/config.toml"
kill -HUP "$daemon"
must_fire HeygenMonitorConfigReloadFailed
mv "$work/good.toml" "$work/config.toml"
kill -HUP "$daemon"
must_end HeygenMonitorConfigReloadFailed

kill "$daemon"
wait "$daemon" || true
must_fire HeygenMonitorDown
start_daemon
must_end HeygenMonitorDown
# What the simulated day was, as Prometheus saw it.
for what in 'heygen_capability_state{job="demo", capability="api", state="outage"}' \
    'heygen_capability_blame{job="demo", capability="video_generation", blame="provider"}' \
    'heygen_jobs_in_flight{job="demo", stage="queue"}'; do
    wait_for 40 answers "max_over_time($what[5m]) >= 1" || { tail -n 20 "$work/demo.log"; complain "the simulated day had no $what"; }
done
pass "30 rules; fired and ended: ${seen[*]}; $queries queries answer"
