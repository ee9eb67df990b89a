# The package, in a booted container without a network but its loopback: it installs and runs without
# a configuration, then with one, is upgraded, removed and purged, and leaves nothing.
. "$(dirname "$0")/../stage.sh"
. "$system/container.sh"

package() { DEB_COMPRESSION=gzip "$project/packaging/deb/build" -o "$work" "$@" "$bin" >"$work/build.log" 2>&1 || { cat "$work/build.log"; fail "the package was not built"; }; }
package -v 0.1.0-1
package -v 99.0-1
old=heygen-monitor_0.1.0-1_$(dpkg --print-architecture).deb
new=heygen-monitor_99.0-1_$(dpkg --print-architecture).deb
if command -v lintian >/dev/null; then
    lintian --allow-root --fail-on error "$work/$old" || fail "lintian finds errors"
fi

find_root
# The part before may have put the same files there by hand.
leftovers() { find "$root" -mindepth 1 -xdev -name '*heygen-monitor*' -not -path "$root/var/log/journal/*" -prune "$@"; }
leftovers -exec rm -rf {} +
cp "$work/$old" "$work/$new" "$root/root/"
boot --private-network
address=http://127.0.0.1:10043
dpkg_() { inside env DEBIAN_FRONTEND=noninteractive dpkg "$@" >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; complain "dpkg $1 failed"; }; }
is_ready() { on_its_network curl -sf "$address/-/ready"; }

# 1. Nothing is configured and nothing can be reached: it runs, and says that it does not know.
dpkg_ -i "/root/$old"
[ "$(property ActiveState)" = active ] || complain "not active after the installation"
[ "$(inside systemctl is-enabled heygen-monitor)" = enabled ] || complain "not enabled"
is_ready >/dev/null || complain "not ready"
wait_for 20 capability_is api unknown || complain "the api is not unknown without a network"
mode() { stat -c %a:%U "$root$1"; }
[ "$(mode /etc/heygen-monitor)" = 755:root ] || fail "/etc/heygen-monitor: $(mode /etc/heygen-monitor)"
[ "$(mode /etc/heygen-monitor/secrets)" = 700:root ] || fail "secrets: $(mode /etc/heygen-monitor/secrets)"
[ "$(mode /etc/heygen-monitor/config.toml)" = 644:root ] || fail "config.toml: $(mode /etc/heygen-monitor/config.toml)"
inside heygen-monitor config check || fail "the shipped configuration is not valid"
for file in man/man1/heygen-monitor{,-check,-silence-add}.1.gz bash-completion/completions/heygen-monitor doc/heygen-monitor/examples/config.toml; do
    [ -s "$root/usr/share/$file" ] || fail "/usr/share/$file is missing"
done

# 2. Configured, with a key that systemd hands over.
start_heygen on_its_network
{ daemon_config 127.0.0.1:10043; keyed_probes; } >"$root/etc/heygen-monitor/config.toml"
(umask 077 && echo "$heygen_key" >"$root/etc/heygen-monitor/secrets/heygen_api_key")
dropin=$root/etc/systemd/system/heygen-monitor.service.d
mkdir -p "$dropin"
sed 's/^#LoadCredential=heygen_api_key/LoadCredential=heygen_api_key/' \
    "$root/usr/share/doc/heygen-monitor/examples/credentials.conf" >"$dropin/credentials.conf"
inside systemctl daemon-reload
inside systemctl restart heygen-monitor || complain "a start with a configuration failed"
wait_for 20 capability_is authentication operational || complain "the key was not used"
# A shell, which systemd tells nothing, finds the service's key, history and socket.
shell() { inside env -i PATH=/usr/bin:/bin HOME=/root heygen-monitor "$@"; }
grep -q '/var/lib/heygen-monitor/history.db is whole' <<<"$(shell db check)" || complain "a shell does not find the history"
shell reload || complain "a shell does not reach the daemon"

# 3. The upgrade: another process, the same configuration, the same history.
pid=$(property MainPID)
history=$(stat -c %i "$root/var/lib/private/heygen-monitor/history.db")
dpkg_ -i "/root/$new"
[ "$(property ActiveState)" = active ] || complain "not active after the upgrade"
[ "$(property MainPID)" != "$pid" ] || complain "the upgrade did not restart it"
wait_for 20 capability_is authentication operational || complain "it does not watch after the upgrade"
[ "$(stat -c %i "$root/var/lib/private/heygen-monitor/history.db")" = "$history" ] || fail "the upgrade lost the history"
# What the administrator has switched off stays so.
inside systemctl disable --now heygen-monitor
dpkg_ -i "/root/$new"
[ "$(property ActiveState)" = inactive ] || complain "an upgrade started what was disabled"
inside systemctl enable --now heygen-monitor

# 4. Removed: it stops, and what belongs to people stays.
dpkg_ -r heygen-monitor
[ "$(property ActiveState)" = inactive ] || complain "removed, and it runs on"
for kept in etc/heygen-monitor/config.toml etc/heygen-monitor/secrets/heygen_api_key var/lib/private/heygen-monitor/history.db; do
    [ -s "$root/$kept" ] || fail "removing took /$kept"
done
dpkg_ -i "/root/$new"
wait_for 20 capability_is authentication operational || complain "it does not watch after it came back"

# 5. Purged: nothing is left, and the next installation is like the first.
dpkg_ -P heygen-monitor
rest=$(leftovers -not -path "$root/root/*" -not -path "$root/tmp/*" -print)
[ -z "$rest" ] || fail "purging left ${rest//$root/}"
dpkg_ -i "/root/$old"
[ "$(property ActiveState)" = active ] || complain "not active after a second installation"
pass "installed, configured, upgraded, removed and purged by dpkg $(inside dpkg-query -W -f '${Version}' dpkg)"
