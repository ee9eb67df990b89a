# Two clustered Alertmanagers, two monitors that tell both: one outage is one notification to the
# receiver, and its end another one. The outage is longer than Alertmanager remembers by itself, so
# it stands because it is said again.
. "$(dirname "$0")/../stage.sh"
command -v prometheus-alertmanager >/dev/null || skip "no prometheus-alertmanager"
# Seconds: of the outage, after which Alertmanager forgets, after which it must all be over.
readonly OUTAGE=90 FORGETS=75 END=30
start_heygen

hook_port=$(free_port)
python3 "$system/hook.py" "$hook_port" "$work/told" >"$work/hook.log" 2>&1 &
pids+=($!)
cat >"$work/alertmanager.yml" <<CONFIG
global:
  resolve_timeout: ${FORGETS}s
route:
  receiver: hook
  group_by: [alertname, account]
  group_wait: 2s
  group_interval: 2s
  repeat_interval: 1h
receivers:
  - name: hook
    webhook_configs:
      - url: http://127.0.0.1:$hook_port/
        send_resolved: true
CONFIG

gossip=($(free_port) $(free_port)) ports=($(free_port) $(free_port))
for i in 0 1; do
    prometheus-alertmanager --config.file="$work/alertmanager.yml" --storage.path="$work/alerts$i" \
        --web.listen-address="127.0.0.1:${ports[i]}" --cluster.listen-address="127.0.0.1:${gossip[i]}" \
        --cluster.advertise-address="127.0.0.1:${gossip[i]}" --cluster.peer="127.0.0.1:${gossip[1 - i]}" \
        --cluster.peer-timeout=3s --cluster.gossip-interval=100ms --cluster.settle-timeout=10s \
        --log.level=debug >"$work/alertmanager$i.log" 2>&1 &
    pids+=($!)
done
complain() { tail -n 15 "$work"/alertmanager?.log "$work"/monitor?.log; cat "$work/told"; fail "$@"; }
# is_cluster I: it is ready and knows two members.
is_cluster() {
    local status
    status=$(curl -sf "http://127.0.0.1:${ports[$1]}/api/v2/status") || return 1
    [ "$(field cluster.status <<<"$status")" = ready ] || return 1
    [ "$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)["cluster"]["peers"]))' <<<"$status")" = 2 ]
}
for i in 0 1; do wait_for 30 is_cluster $i || complain "the Alertmanagers are no cluster"; done

for i in 0 1; do
    mkdir "$work/monitor$i"
    { echo "# monitor $i"; daemon_config; keyed_probes; cat <<CONFIG; } | sed "s/^vantage = .*/vantage = \"place-$i\"/" >"$work/monitor$i/config.toml"
[[channel]]
name = "alerts"
alertmanager = { urls = ["http://127.0.0.1:${ports[0]}", "http://127.0.0.1:${ports[1]}"] }
CONFIG
    env -i PATH="$PATH" HEYGEN_MONITOR_STATE_DIR="$work/monitor$i" HEYGEN_API_KEY="$heygen_key" \
        "$bin" --config "$work/monitor$i/config.toml" run >"$work/monitor$i.log" 2>&1 &
    pids+=($!)
done
# is_fine I: this monitor has seen that all is well.
is_fine() {
    address=http://$(sed 's#^http://##' "$work/monitor$1/listen") && verdict_is state operational
}
for i in 0 1; do wait_for 30 is_fine $i || complain "monitor $i is never content"; done

# told STATUS: how many notifications of this status the receiver got.
told() { grep -c "\"status\":\"$1\",\"alerts\"" "$work/told" || true; }
is_told() { [ "$(told "$1")" -ge 1 ]; }
begun=$SECONDS
touch "$work/broken"
wait_for 30 is_told firing || complain "nobody was told of the outage"
took=$((SECONDS - begun))
while [ $((SECONDS - begun)) -lt $OUTAGE ]; do
    ! is_told resolved || complain "resolved while it stood"
    sleep 1
done
rm "$work/broken"
wait_for $END is_told resolved || complain "nobody was told of the end"
# Whoever would tell it twice has done so by now: both peers' turns and both intervals.
sleep 8
[ "$(told firing) $(told resolved)" = "1 1" ] || complain "told of the outage $(told firing) times, of its end $(told resolved) times"
for i in 0 1; do
    address=http://$(sed 's#^http://##' "$work/monitor$i/listen")
    shows '^heygen_monitor_notifications_total\{channel="alerts",event="opened"\} [1-9]' "$address/metrics" ||
        complain "monitor $i told nothing of the outage"
    shows '^heygen_monitor_notifications_total\{channel="alerts",event="resolved"\} [1-9]' "$address/metrics" ||
        complain "monitor $i told nothing of its end"
done
pass "2 monitors, 2 clustered Alertmanagers: 1 firing after $took s, stood $OUTAGE s, 1 resolved"
