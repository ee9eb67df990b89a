# A real Prometheus scrapes the real daemon; every query of the dashboard runs on it and answers.
. "$(dirname "$0")/../stage.sh"
start_heygen
{
    daemon_config
    keyed_probes
    printf '[[channel]]\nname = "team-slack"\nslack = { webhook_url_file = "%s" }\n' "$work/slack"
} >"$work/config.toml"
(umask 077 && echo "http://127.0.0.1:$heygen_port/services/T0/B0/x" >"$work/slack")
start_daemon
prometheus_port=$(free_port)
cat >"$work/prometheus.yml" <<CONFIG
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: heygen-monitor
    static_configs: [{ targets: ["${address#http://}"] }]
CONFIG
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" \
    --web.listen-address="127.0.0.1:$prometheus_port" >"$work/prometheus.log" 2>&1 &
pids+=($!)
touch "$work/broken"
api=http://127.0.0.1:$prometheus_port/api/v1
# answers QUERY: whether Prometheus has a result for it.
answers() { grep -q '"value"' <<<"$(curl -s --data-urlencode "query=$1" "$api/query")"; }
wait_for 30 answers 'heygen_capability_state{capability="api", state="outage"} == 1' || { tail -n 5 "$work/prometheus.log"; fail "Prometheus saw no outage"; }
wait_for 15 answers 'count_over_time(up{job="heygen-monitor"}[1m]) >= 4' || fail "it was not scraped"

queries=0
python3 - "$project/grafana/heygen-monitor.json" >"$work/queries" <<'LIST'
import json, sys
for panel in json.load(open(sys.argv[1]))["panels"]:
    for target in panel.get("targets", []):
        print(target["expr"].replace("$__rate_interval", "1m").replace("$job", ".+").replace("$instance", ".+"))
LIST
while read -r query; do
    answers "$query" || fail "no answer: $query: $(curl -s --data-urlencode "query=$query" "$api/query")"
    queries=$((queries + 1))
done <"$work/queries"
[ $queries -gt 30 ] || fail "only $queries queries were found"
pass "scraped; all $queries queries of the dashboard answer"
