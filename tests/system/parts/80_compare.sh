# The same HeyGen, the same five kinds of trouble, watched by heygen-monitor and by
# blackbox_exporter with Prometheus and Alertmanager, every 2 s each: who is told of what, and when.
# Prints the table of docs/comparison.md. With a `vigil` in the PATH (cargo install vigil-server),
# Vigil is the third.
. "$(dirname "$0")/../stage.sh"
command -v prometheus-blackbox-exporter >/dev/null || skip "no prometheus-blackbox-exporter"
command -v prometheus-alertmanager >/dev/null || skip "no prometheus-alertmanager"
rivals=(blackbox)
! command -v vigil >/dev/null || rivals+=(vigil)
everybody=(ours "${rivals[@]}")

start_heygen
heygen=http://127.0.0.1:$heygen_port
heygen_pid=${pids[-1]}
cleanups+=("kill -CONT $heygen_pid")

# Each tells a receiver of its own, that can be stopped.
declare -A hook_port hook_pid
start_hook() {
    python3 "$system/hook.py" "${hook_port[$1]}" "$work/told-$1" >"$work/hook-$1.log" 2>&1 &
    hook_pid[$1]=$!
    pids+=($!)
}
for one in "${everybody[@]}"; do hook_port[$one]=$(free_port); start_hook "$one"; done

# In proportion: a control that waits longer than the calls it vouches for would vouch for too many.
{
    daemon_config | sed 's/^name = "control"/&\ntimeout = "1s"/'
    keyed_probes
    cat <<CONFIG
[[probe]]
name = "queue"
every = "2s"
check.queue = {}
[jobs.render]
queue_floor = "4s"
queue_late = "4s"
queue_stuck = "8s"
[[channel]]
name = "hook"
webhook = { url_file = "$work/hook" }
CONFIG
} >"$work/config.toml"
(umask 077 && echo "http://127.0.0.1:${hook_port[ours]}/" >"$work/hook")

# What the documentation of blackbox_exporter says: a module per kind of check, one alert when a
# target fails twice. The key, the anonymous call, the web app and the page.
blackbox_port=$(free_port) prometheus_port=$(free_port) alertmanager_port=$(free_port)
cat >"$work/blackbox.yml" <<CONFIG
modules:
  keyed: { prober: http, timeout: 1500ms, http: { headers: { X-Api-Key: $heygen_key } } }
  anonymous: { prober: http, timeout: 1500ms, http: { valid_status_codes: [401] } }
  plain: { prober: http, timeout: 1500ms }
  page: { prober: http, timeout: 1500ms, http: { fail_if_body_not_matches_regexp: ['"indicator": "none"'] } }
CONFIG
cat >"$work/rules.yml" <<CONFIG
groups:
  - name: blackbox
    rules:
      - { alert: ProbeFailed, expr: probe_success == 0, for: 4s }
CONFIG
job() {
    cat <<CONFIG
  - job_name: $1
    metrics_path: /probe
    params: { module: [$1] }
    static_configs: [{ targets: [$2] }]
    relabel_configs:
      - { source_labels: [__address__], target_label: __param_target }
      - { source_labels: [__param_target], target_label: instance }
      - { target_label: __address__, replacement: "127.0.0.1:$blackbox_port" }
CONFIG
}
{
    cat <<CONFIG
global: { scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s }
rule_files: [rules.yml]
alerting: { alertmanagers: [{ static_configs: [{ targets: ["127.0.0.1:$alertmanager_port"] }] }] }
scrape_configs:
CONFIG
    job keyed "$heygen/v3/users/me, $heygen/v3/videos"
    job anonymous "$heygen/v3/users/me"
    job plain "$heygen/app"
    job page "$heygen/api/v2/status.json"
} >"$work/prometheus.yml"
cat >"$work/alertmanager.yml" <<CONFIG
global: { resolve_timeout: 5s }
route: { receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 4h }
receivers: [{ name: hook, webhook_configs: [{ url: "http://127.0.0.1:${hook_port[blackbox]}/" }] }]
CONFIG

cat >"$work/vigil.cfg" <<CONFIG
[server]
log_level = "error"
inet = "127.0.0.1:$(free_port)"
workers = 2
mcp_server = false
manager_token = "m"
reporter_token = "r"
[assets]
path = "${VIGIL_ASSETS:-/usr/share/vigil/assets}"
[branding]
page_title = "HeyGen"
page_url = "http://127.0.0.1/"
company_name = "Team"
icon_color = "#1972F5"
icon_url = "http://127.0.0.1/icon.png"
logo_color = "#1972F5"
logo_url = "http://127.0.0.1/logo.png"
website_url = "http://127.0.0.1/"
support_url = "mailto:a@example.org"
custom_html = ""
[metrics]
poll_interval = 2
poll_retry = 2
poll_retry_wait = 500
poll_http_status_healthy_above = 200
poll_http_status_healthy_below = 400
poll_delay_dead = 2
poll_delay_sick = 1
poll_parallelism = 4
push_delay_dead = 20
push_system_cpu_sick_above = 0.90
push_system_ram_sick_above = 0.90
script_interval = 300
script_parallelism = 2
local_delay_dead = 40
[plugins]
[notify]
startup_notification = false
reminder_interval = 0
reminder_backoff_function = "none"
reminder_backoff_limit = 3
[notify.webhook]
hook_url = "http://127.0.0.1:${hook_port[vigil]:-1}/"
[probe]
[[probe.service]]
id = "heygen"
label = "HeyGen"
[[probe.service.node]]
id = "api"
label = "API"
mode = "poll"
replicas = ["$heygen/v3/users/me"]
http_headers = { "X-Api-Key" = "$heygen_key" }
[[probe.service.node]]
id = "page"
label = "Status page"
mode = "poll"
replicas = ["$heygen/api/v2/status.json"]
http_body_healthy_match = "\"indicator\": \"none\""
CONFIG

declare -A sender
start_sender() {
    case $1 in
        ours)
            start_daemon
            sender[ours]=$daemon
            return
            ;;
        blackbox)
            prometheus-alertmanager --config.file="$work/alertmanager.yml" --storage.path="$work/alerts" --cluster.listen-address= \
                --web.listen-address="127.0.0.1:$alertmanager_port" >>"$work/alertmanager.log" 2>&1 &
            ;;
        vigil) vigil --config "$work/vigil.cfg" >>"$work/vigil.log" 2>&1 & ;;
    esac
    sender[$1]=$!
    pids+=($!)
}
prometheus-blackbox-exporter --config.file="$work/blackbox.yml" --web.listen-address="127.0.0.1:$blackbox_port" >"$work/blackbox.log" 2>&1 &
pids+=($!)
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address="127.0.0.1:$prometheus_port" \
    --rules.alert.resend-delay=2s >"$work/prometheus.log" 2>&1 &
pids+=($!)
for one in "${everybody[@]}"; do start_sender "$one"; done

# heard WHO: the messages since the scene began, a line each.
declare -A before
heard() { tail -n +$((before[$1] + 1)) "$work/told-$1"; }
said_anything() { [ -n "$(heard "$1")" ]; }
says() { grep -qE "$2" <<<"$(heard "$1")"; }
now() { date +%s%3N; }
# The last word of each on an end.
declare -A ended=([ours]='"event": *"resolved"' [blackbox]='"status":"resolved","alerts"' [vigil]='"status":"healthy"')

# scene NAME CLAIM SECONDS BEGIN END: makes the trouble, notes after how long each told anything
# within SECONDS, demands the CLAIM about ours, and waits until all is well again (without an END: the last scene).
rows=()
scene() {
    local name=$1 claim=$2 patience=$3 begin=$4 end=$5 begun one row
    declare -A took=()
    for one in "${everybody[@]}"; do before[$one]=$(wc -l <"$work/told-$one"); done
    begun=$(now)
    eval "$begin"
    while [ $(($(now) - begun)) -lt $((patience * 1000)) ]; do
        for one in "${everybody[@]}"; do
            [ -n "${took[$one]:-}" ] || ! said_anything "$one" || took[$one]=$(($(now) - begun))
        done
        sleep 0.1
    done
    $claim || { heard ours; tail -n 5 "$work/daemon.log"; curl -s "$address/api/v1/verdict"; fail "$name: not true of ours: $claim"; }
    row=$name
    for one in "${everybody[@]}"; do
        row+=" | $(if [ -n "${took[$one]:-}" ]; then printf '%d.%d s' $((took[$one] / 1000)) $((took[$one] % 1000 / 100)); else echo "never"; fi)"
        row+=", $(heard "$one" | wc -l) message(s)"
    done
    rows+=("$row")
    [ -n "$end" ] || return 0
    eval "$end"
    for one in "${everybody[@]}"; do
        [ -z "${took[$one]:-}" ] || wait_for 40 says "$one" "${ended[$one]}" || { heard "$one"; fail "$name: $one never says that it is over"; }
    done
    wait_for 30 verdict_is state operational || fail "$name: not well again"
    # Whoever has something to add has done so.
    sleep 3
}
never() { ! said_anything "$1" || { heard "$1"; fail "$1 was expected to say nothing"; }; }

answers() { grep -q '"value"' <<<"$(curl -s --data-urlencode "query=$1" "http://127.0.0.1:$prometheus_port/api/v1/query")"; }
wait_for 30 verdict_is state operational || fail "not well at the start"
wait_for 30 answers 'count(probe_success == 1) == 5' || fail "blackbox_exporter is not content: $(curl -s "http://127.0.0.1:$blackbox_port/probe?module=page&target=$heygen/api/v2/status.json&debug=true" | tail -n 30)"
sleep 4

blames() { says ours "\"blame\": *\"$1\""; }
blames_nobody_else() { verdict_is blame network && ! blames provider; }
scene "HeyGen's API answers 503" 'blames provider' 12 'touch "$work/broken"' 'rm "$work/broken"'
scene "the key is refused" 'blames account' 12 'touch "$work/refused"' 'rm "$work/refused"'
scene "our own network is gone" 'blames_nobody_else' 20 'kill -STOP $heygen_pid' 'kill -CONT $heygen_pid'
# An outage of a minute while nobody can be told, and whoever would tell is killed in the middle.
for one in "${everybody[@]}"; do
    before[$one]=$(wc -l <"$work/told-$one")
    kill "${hook_pid[$one]}"
done
touch "$work/broken"
wait_for 20 verdict_is state outage || fail "no outage"
wait_for 20 answers 'ALERTS{alertstate="firing"}' || fail "blackbox_exporter's alert does not fire"
sleep 5
for one in "${everybody[@]}"; do kill -9 "${sender[$one]}"; wait "${sender[$one]}" 2>/dev/null || true; done
rm "$work/broken" "$work/state/listen"
sleep 10
for one in "${everybody[@]}"; do start_hook "$one"; start_sender "$one"; done
# Long enough for every repetition any of them makes.
sleep 25
row="an outage while nobody can be told, kill -9, restart"
for one in "${everybody[@]}"; do
    said=$(heard "$one" | wc -l)
    row+=" | $(if [ "$said" -gt 0 ]; then echo "told afterwards, $said message(s)"; else echo "lost"; fi)"
done
rows+=("$row")
says ours '"event": *"opened"' || { heard ours; fail "ours lost it"; }
never blackbox

scene "two videos wait far longer than they may, every light is green" 'blames provider' 20 'touch "$work/waiting"' ""
never blackbox

printf '| trouble | heygen-monitor'
printf ' | %s' "${rivals[@]}"
printf ' |\n'
printf '| %s |\n' "${rows[@]}"
pass "5 kinds of trouble; ${rows[3]}"
