# A real systemd as PID 1, in a booted container: the unit starts, becomes ready, reads its
# credential, reloads, is restarted when its watchdog starves, and stops clean.
. "$(dirname "$0")/../stage.sh"
. "$system/container.sh"
start_heygen
find_root

install -m 755 "$bin" "$root/usr/bin/heygen-monitor"
install -m 644 "$project"/systemd/*.service "$root/usr/lib/systemd/system/"
install -d -m 755 "$root/etc/heygen-monitor"
install -d -m 700 "$root/etc/heygen-monitor/secrets"
port=$(free_port)
address=http://127.0.0.1:$port
daemon_config "127.0.0.1:$port" >"$root/etc/heygen-monitor/config.toml"

# Of the host's network the container sees loopback: there the stand-in for HeyGen listens.
boot

# 1. A fresh start, without any secret. Type=notify: `start` returns when it is ready.
inside systemctl start heygen-monitor || complain "a start without secrets failed"
[ "$(property ActiveState)" = active ] || complain "not active after its start"
curl -sf "$address/-/ready" >/dev/null || complain "systemd was told too early that it is ready"
wait_for 20 capability_is api operational || complain "the anonymous check does not pass"
capability_is authentication unknown || complain "there is no key, yet authentication is not unknown"

# 2. The drop-in of the example, as its comment says, hands the key over.
dropin=$root/etc/systemd/system/heygen-monitor.service.d
mkdir -p "$dropin"
sed 's/^#LoadCredential=heygen_api_key/LoadCredential=heygen_api_key/' \
    "$project/systemd/heygen-monitor.service.d/credentials.conf.example" >"$dropin/credentials.conf"
printf '[Service]\nWatchdogSec=4\nTimeoutAbortSec=5\nRestartSec=1\n' >"$dropin/patience.conf"
keyed_probes >>"$root/etc/heygen-monitor/config.toml"
(umask 077 && echo "$heygen_key" >"$root/etc/heygen-monitor/secrets/heygen_api_key")
inside systemctl daemon-reload
inside systemctl restart heygen-monitor || complain "a start with the credential failed"
wait_for 20 capability_is authentication operational || complain "the credential was not used"
grep -q ' keyed$' "$work/heygen.log" || complain "no request carried the key"

# 3. Reload: a new configuration is taken over by the same process; a wrong one changes nothing.
pid=$(property MainPID)
sed -i 's/^vantage = .*/vantage = "after-reload"/' "$root/etc/heygen-monitor/config.toml"
inside systemctl reload heygen-monitor || complain "reload failed"
wait_for 20 verdict_is vantage after-reload || complain "the reload changed nothing"
cp "$root/etc/heygen-monitor/config.toml" "$work/good.toml"
echo 'nonsense = true' >"$root/etc/heygen-monitor/config.toml"
inside systemctl reload heygen-monitor || complain "a reload with a wrong file failed in systemd's eyes"
refused() { shows '^heygen_monitor_config_last_reload_successful 0$' "$address/metrics"; }
wait_for 20 refused || complain "a wrong configuration was not refused"
cp "$work/good.toml" "$root/etc/heygen-monitor/config.toml"
[ "$(property MainPID)" = "$pid" ] || complain "a reload restarted the process"
[ "$(property ActiveState)" = active ] || complain "not active after reloads"

# 4. A process that stops moving is killed and started again.
inside kill -STOP "$pid"
restarted() { [ "$(property NRestarts)" -ge 1 ] && [ "$(property ActiveState)" = active ] && [ "$(property MainPID)" != "$pid" ]; }
wait_for 40 restarted || complain "a starved watchdog did not restart it"
grep -q 'Watchdog timeout' <<<"$(inside journalctl -u heygen-monitor --no-pager)" || complain "it was not the watchdog"
wait_for 20 capability_is api operational || complain "it does not watch after its restart"

# 5. It stops clean, and what it leaves is its own.
inside systemctl stop heygen-monitor
[ "$(property Result)" = success ] || complain "it did not stop clean: $(property Result)"
[ "$(property ExecMainStatus)" = 0 ] || complain "exit code $(property ExecMainStatus)"
state=$root/var/lib/private/heygen-monitor
[ "$(stat -c %a "$state")" = 700 ] || complain "state directory: $(stat -c %a "$state")"
[ "$(stat -c %a "$state/history.db")" = 600 ] || complain "database: $(stat -c %a "$state/history.db")"

# 6. A wrong configuration at start is not tried again and again.
echo 'nonsense = true' >"$root/etc/heygen-monitor/config.toml"
inside systemctl start heygen-monitor && complain "it started with a wrong configuration"
given_up() { [ "$(property ActiveState)" = failed ] && [ "$(property ExecMainStatus)" = 78 ]; }
wait_for 10 given_up || complain "state $(property ActiveState), exit code $(property ExecMainStatus)"
pass "ready, credential, reload, watchdog, clean stop under systemd $(inside systemctl --version | head -1 | cut -d' ' -f2)"
