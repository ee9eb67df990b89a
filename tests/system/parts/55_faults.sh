# The machine below fails: killed in the middle of a write, a disk that refuses or dawdles, a file
# system that turns read-only, no descriptors left, a long sleep, reloads without end, impatience.
# The daemon goes on, blames nobody for it, and the database stays whole.
. "$(dirname "$0")/../stage.sh"
command -v strace >/dev/null || skip "no strace"
strace -qq -e trace=none -e signal=none true 2>/dev/null || skip "this machine permits no strace"
start_heygen
{ daemon_config; keyed_probes; } >"$work/config.toml"
# HeyGen's log has a line per call: what the daemon asked since `mark`.
mark() { seen=$(wc -l <"$work/heygen.log"); }
asked() { tail -n +$((seen + 1)) "$work/heygen.log" | grep -c "$1" || true; }
has_asked() { [ "$(asked "$1")" -ge "$2" ]; }
metric() { curl -s "$address/metrics" | sed -n "s/^$1 //p"; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
code_of() { curl -s -o /dev/null -w '%{http_code}' "$address$1"; }
code_is() { [ "$(code_of "$1")" = "$2" ]; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }
whole() { env HEYGEN_MONITOR_STATE_DIR="$work/state" HEYGEN_API_KEY="$heygen_key" "$bin" --config "$work/config.toml" db check >"$work/check" 2>&1 || { cat "$work/check"; fail "$1: the database is not whole"; }; }
stop() {
    kill "$daemon" 2>/dev/null || true
    wait_for 25 is_gone "$daemon" || fail "$1: it does not stop"
    wait "$daemon" 2>/dev/null || true
    rm -f "$work/state/listen"
}
blames_heygen() { curl -s "$address/api/v1/incidents" | grep -q '"blame":"provider"'; }
# tamper INJECTION: from now on, with the daemon's syncs; until `leave_alone`.
tamper() {
    strace -f -qq -o /dev/null -e trace=fsync,fdatasync -e inject=fsync,fdatasync:"$1" -p "$daemon" &
    tracer=$!
    pids+=("$tracer")
    sleep 1
}
leave_alone() { kill -INT "$tracer"; wait "$tracer" 2>/dev/null || true; }

# Killed at one write or sync after the other, of a first start and of starts after it.
points=0
for call in 1 2 3 5 8 12 17 23 30 38 47 57; do
    [ $((call % 2)) = 0 ] || rm -rf "$work/state"
    mkdir -p "$work/state"
    env -i PATH="$PATH" HEYGEN_MONITOR_STATE_DIR="$work/state" HEYGEN_API_KEY="$heygen_key" \
        timeout -s INT 20 strace -f -qq -o /dev/null -e trace=pwrite64,fsync,fdatasync -e inject=pwrite64,fsync,fdatasync:signal=SIGKILL:when="$call" \
        "$bin" --config "$work/config.toml" run >"$work/daemon.log" 2>&1 && fail "not killed at write $call"
    rm -f "$work/state/listen"
    points=$((points + 1))
    [ ! -s "$work/state/history.db" ] || start_daemon
    [ ! -s "$work/state/history.db" ] || { wait_for 20 verdict_is state operational || fail "killed at write $call: not well after it"; stop "killed at write $call"; whole "killed at write $call"; }
done
# None was mended from a backup or begun anew.
! ls "$work"/state/*.corrupt-* >/dev/null 2>&1 || fail "a kill damaged the database"

# Every sync fails for a while: nothing is stored, the daemon goes on and says so.
rm -rf "$work/state"
start_daemon
wait_for 20 verdict_is state operational || fail "EIO: not well before"
tamper error=EIO
wait_for 30 metric_is heygen_monitor_storage_degraded 1 || fail "EIO: not told: $(tail -n 3 "$work/daemon.log")"
wait_for 10 code_is /-/ready 503 || fail "EIO: ready"
code_is /-/healthy 200 || fail "EIO: not healthy"
mark
wait_for 15 has_asked '/v3/users/me.* keyed' 3 || fail "EIO: it asks HeyGen no more"
leave_alone
wait_for 30 metric_is heygen_monitor_storage_degraded 0 || fail "EIO: not well again: $(tail -n 3 "$work/daemon.log")"
wait_for 10 code_is /-/ready 200 || fail "EIO: not ready again"
! blames_heygen || fail "EIO: HeyGen is blamed"

# Each sync takes two seconds: the probes keep their rate.
tamper delay_enter=2000000
mark
sleep 12
slow=$(asked '/v3/users/me.* keyed')
[ "$slow" -ge 5 ] || fail "slow disk: $slow calls in 12 s, one every 2 s is due"
code_is /-/healthy 200 || fail "slow disk: not healthy"
verdict_is state operational || fail "slow disk: not well"
leave_alone
! blames_heygen || fail "slow disk: HeyGen is blamed"
stop "slow disk"
whole "slow disk"

# The file system turns read-only, and writable again.
rm -rf "$work/state"
mkdir "$work/state"
if mount -t tmpfs -o size=64m tmpfs "$work/state" 2>/dev/null; then
    cleanups+=("umount -l $work/state 2>/dev/null")
    start_daemon
    wait_for 20 verdict_is state operational || fail "read-only: not well before"
    # Open for writing forbids it; a bind mount does not ask.
    mount --bind "$work/state" "$work/state" && cleanups+=("umount -l $work/state 2>/dev/null")
    if mount -o remount,ro "$work/state" 2>/dev/null; then
        mark
        wait_for 15 has_asked '/v3/users/me.* keyed' 3 || fail "read-only: it asks HeyGen no more"
        ! blames_heygen || fail "read-only: HeyGen is blamed"
        mount -o remount,rw "$work/state"
        wait_for 30 metric_is heygen_monitor_storage_degraded 0 || fail "read-only: not well again"
    fi
    stop "read-only"
    whole "read-only"
    umount -l "$work/state" 2>/dev/null || true
    umount -l "$work/state" 2>/dev/null || true
fi

# No descriptors are left for a while.
rm -rf "$work/state"
start_daemon
wait_for 20 verdict_is state operational || fail "descriptors: not well before"
open=$(ls "/proc/$daemon/fd" | wc -l)
prlimit --pid "$daemon" --nofile="$open:4096"
sleep 8
kill -0 "$daemon" || fail "descriptors: it crashed"
prlimit --pid "$daemon" --nofile=1024:4096
wait_for 30 verdict_is state operational || fail "descriptors: not well again"
! blames_heygen || fail "descriptors: HeyGen is blamed"

# It sleeps, and makes nothing up for it when it wakes.
kill -STOP "$daemon"
sleep 15
mark
kill -CONT "$daemon"
sleep 1
burst=$(asked '/v3/users/me.* keyed')
[ "$burst" -le 2 ] || fail "sleep: $burst calls in the second after it"
wait_for 20 verdict_is state operational || fail "sleep: not well again"
! blames_heygen || fail "sleep: HeyGen is blamed"

# Two hundred reloads, every other one of a broken file: probes keep their times.
cp "$work/config.toml" "$work/good.toml"
{ cat "$work/good.toml"; echo 'nonsense = true'; } >"$work/bad.toml"
mark
begun=$SECONDS
for i in $(seq 200); do
    if [ $((i % 2)) = 0 ]; then cp "$work/good.toml" "$work/config.toml"; else cp "$work/bad.toml" "$work/config.toml"; fi
    kill -HUP "$daemon"
    sleep 0.05
done
took=$((SECONDS - begun))
due=$((took / 2))
calls=$(asked '/v3/users/me.* keyed')
[ "$calls" -ge $((due - 2)) ] && [ "$calls" -le $((due + 3)) ] || fail "reloads: $calls calls in $took s, $due were due"
verdict_is state operational || fail "reloads: not well"

# Told to end twice, it ends at once, whole.
touch "$work/broken"
wait_for 20 verdict_is state outage || fail "no outage"
kill "$daemon"
kill "$daemon" 2>/dev/null || true
begun=$SECONDS
wait_for 20 is_gone "$daemon" || fail "it does not stop"
wait "$daemon" && code=0 || code=$?
[ "$code" = 0 ] || fail "stopped with $code"
whole "told to end twice"
pass "$points kills at a write; EIO, slow disk ($slow calls in 12 s), read-only, descriptors, sleep (burst $burst), 200 reloads ($calls of $due calls), two SIGTERM"
