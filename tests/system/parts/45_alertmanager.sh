# The fleet of docs/fleet.md with its very files: two machines (network namespaces), each with a
# monitor and an Alertmanager, and one Prometheus. In an outage that is longer than Alertmanager
# remembers by itself, one monitor and its Alertmanager are killed and restarted: the receiver hears
# of the outage once, and of its end once.
. "$(dirname "$0")/../stage.sh"
command -v prometheus-alertmanager >/dev/null || skip "no prometheus-alertmanager"
fleet=$project/docs/fleet
# Seconds: of the outage, longer than its resolve_timeout; after which it must all be over.
readonly OUTAGE=105 END=40
grep -q 'resolve_timeout: 90s' "$fleet/alertmanager.yml" || fail "the outage must be longer than resolve_timeout"

# Two machines on one cable. Their addresses count as public ones.
machines=(fra sgp)
declare -A address_of=([fra]=100.128.7.1 [sgp]=100.128.7.2)
space() { echo "heygen-monitor-$1"; }
# at MACHINE COMMAND…: as a process of that machine (its pid is the command's).
at() { exec ip netns exec "$(space "$1")" "${@:2}"; }
for machine in "${machines[@]}"; do
    ip netns del "$(space "$machine")" 2>/dev/null || true
    ip netns add "$(space "$machine")" 2>/dev/null || skip "this machine makes no network namespaces"
    cleanups+=("ip netns del $(space "$machine")" "rm -rf /etc/netns/$(space "$machine")")
    mkdir -p "/etc/netns/$(space "$machine")" "$work/$machine"
    cat >"/etc/netns/$(space "$machine")/hosts" <<HOSTS
127.0.0.1 localhost
${address_of[fra]} fra.example.org receiver.example.org
${address_of[sgp]} sgp.example.org
HOSTS
done
ip link add hm-fra netns "$(space fra)" type veth peer name hm-sgp netns "$(space sgp)"
for machine in "${machines[@]}"; do
    (at "$machine" sh -c "ip link set lo up; ip addr add ${address_of[$machine]}/24 dev hm-$machine; ip link set hm-$machine up")
done

# An authority, and a certificate for each machine; one token for whoever reads the monitors.
token=$(openssl rand -hex 24)
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=fleet" -keyout "$work/ca.key" -out "$work/ca.crt" 2>/dev/null
for machine in "${machines[@]}"; do
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$machine.example.org" -keyout "$work/$machine/alertmanager.key" -out "$work/$machine.csr" 2>/dev/null
    openssl x509 -req -days 2 -in "$work/$machine.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial \
        -extfile <(echo "subjectAltName=DNS:$machine.example.org") -out "$work/$machine/alertmanager.crt" 2>/dev/null
    cp "$fleet/alertmanager.yml" "$fleet/alertmanager-web.yml" "$work/$machine/"
    (umask 077 && mkdir "$work/$machine/secrets" && echo "$token" >"$work/$machine/secrets/web_token")
done
(umask 077 && echo "$token" >"$work/web_token")

heygen_key=sk_system_test_0123456789
heygen_port=18080
for machine in "${machines[@]}"; do
    (at "$machine" python3 "$system/heygen.py" $heygen_port $heygen_key "$work/broken") >"$work/$machine/heygen.log" 2>&1 &
    pids+=($!)
done
(at fra python3 "$system/hook.py" 8080 "$work/told" 0.0.0.0) >"$work/hook.log" 2>&1 &
pids+=($!)

declare -A pid_of
other() { [ "$1" = fra ] && echo sgp || echo fra; }
# The flags of docs/fleet.md; the last line is about this test's patience alone.
start_alertmanager() {
    (at "$1" env SSL_CERT_FILE="$work/ca.crt" prometheus-alertmanager --config.file="$work/$1/alertmanager.yml" \
        --web.config.file="$work/$1/alertmanager-web.yml" --storage.path="$work/$1/alerts" \
        --cluster.listen-address=0.0.0.0:9094 --cluster.advertise-address="${address_of[$1]}:9094" \
        --cluster.peer="$(other "$1").example.org:9094" \
        --cluster.peer-timeout=3s --cluster.settle-timeout=10s --log.level=debug) >>"$work/$1/alertmanager.log" 2>&1 &
    pid_of[alertmanager-$1]=$!
    pids+=($!)
}
# The file of docs/fleet, and behind it where HeyGen is in this test.
start_monitor() {
    { cat "$fleet/monitor-$1.toml"; daemon_config | sed '/^vantage/d; /^\[web\]/,/^listen/d'; keyed_probes; } >"$work/$1/config.toml"
    (at "$1" env -i PATH="$PATH" SSL_CERT_FILE="$work/ca.crt" HEYGEN_MONITOR_STATE_DIR="$work/$1" HEYGEN_API_KEY=$heygen_key \
        "$bin" --config "$work/$1/config.toml" run) >>"$work/$1/monitor.log" 2>&1 &
    pid_of[monitor-$1]=$!
    pids+=($!)
}
complain() { tail -n 12 "$work"/*/alertmanager.log "$work"/*/monitor.log; cat "$work/told"; fail "$@"; }
from() { (at "$1" curl -sf --cacert "$work/ca.crt" -H "Authorization: Bearer $token" "${@:2}"); }
# is_cluster MACHINE: its Alertmanager is ready and knows two members.
is_cluster() {
    local status
    status=$(from "$1" "https://$1.example.org:9093/api/v2/status") || return 1
    [ "$(field cluster.status <<<"$status")" = ready ] || return 1
    [ "$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)["cluster"]["peers"]))' <<<"$status")" = 2 ]
}
# says MACHINE STATE: what its monitor believes.
says() { [ "$(from "$1" "http://$1.example.org:10043/api/v1/verdict" | field state)" = "$2" ]; }

for machine in "${machines[@]}"; do start_alertmanager "$machine"; done
for machine in "${machines[@]}"; do wait_for 40 is_cluster "$machine" || complain "the Alertmanagers are no cluster"; done
for machine in "${machines[@]}"; do start_monitor "$machine"; done
for machine in "${machines[@]}"; do wait_for 40 says "$machine" operational || complain "$machine is never content"; done
cp "$fleet/prometheus.yml" "$project/prometheus/heygen-monitor.rules.yml" "$work/"
(at fra env SSL_CERT_FILE="$work/ca.crt" prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb") >"$work/prometheus.log" 2>&1 &
pids+=($!)
answers() { grep -q '"value"' <<<"$(from fra --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query)"; }

# told STATUS: how many notifications of this status the receiver got about HeyGen.
told() { grep '"alertname":"HeygenIncident"' "$work/told" | grep -c "\"status\":\"$1\",\"alerts\"" || true; }
is_told() { [ "$(told "$1")" -ge 1 ]; }
begun=$SECONDS
touch "$work/broken"
wait_for 40 is_told firing || complain "nobody was told of the outage"
took=$((SECONDS - begun))

# The machine fra loses both at once, in the middle of it.
kill -9 "${pid_of[monitor-fra]}" "${pid_of[alertmanager-fra]}"
wait "${pid_of[monitor-fra]}" "${pid_of[alertmanager-fra]}" 2>/dev/null || true
! is_cluster fra || fail "it was not killed"
sleep 10
start_alertmanager fra
start_monitor fra
wait_for 40 is_cluster fra || complain "the Alertmanagers are no cluster again"
wait_for 40 says fra outage || complain "the restarted monitor does not see the outage"
wait_for 60 answers 'count(up == 1) == 2' || complain "Prometheus does not scrape both: $(tail -n 3 "$work/prometheus.log")"
wait_for 60 answers 'heygen_capability_state{capability="api", state="outage", instance="fra.example.org:10043"} == 1' || complain "Prometheus sees no outage"
while [ $((SECONDS - begun)) -lt $OUTAGE ]; do
    ! is_told resolved || complain "resolved while it stood"
    sleep 1
done
rm "$work/broken"
wait_for $END is_told resolved || complain "nobody was told of the end"
# Whoever would tell it twice has done so by now: both peers' turns and both intervals.
sleep 15
[ "$(told firing) $(told resolved)" = "1 1" ] || complain "told of the outage $(told firing) times, of its end $(told resolved) times"
! grep -q '"alertname":"HeygenComponentDown"' "$work/told" || complain "the rules told it besides"
for machine in "${machines[@]}"; do
    for event in opened resolved; do
        shows_told=$(from "$machine" "http://$machine.example.org:10043/metrics" | grep -cE "^heygen_monitor_notifications_total\{channel=\"alerts\",event=\"$event\"\} [1-9]") || true
        [ "$shows_told" = 1 ] || [ "$machine $event" = "fra opened" ] || complain "$machine never told $event"
    done
done
pass "2 monitors, 2 clustered Alertmanagers, one of each killed: 1 firing after $took s, stood $OUTAGE s, 1 resolved"
