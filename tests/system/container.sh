# Sourced after stage.sh: a Debian with a real systemd as PID 1, and looking into it.

# find_root: the container's Debian, in $root. `run` begins to make it before the first part, for it
# takes a minute; the parts that boot it share it.
find_root() {
    root=${HEYGEN_MONITOR_ROOT:-$work/root}
    if [ -z "${HEYGEN_MONITOR_ROOT:-}" ]; then
        bash "$system/debian.sh" "$root" || fail "debootstrap failed"
    fi
    wait_for 240 test -e "$root.made" || { tail -n 5 "$root.log"; fail "debootstrap failed"; }
}

# boot [OPTION…]: boots it with these options of systemd-nspawn.
boot() {
    systemd-nspawn --register=no --keep-unit --console=pipe -b -D "$root" "$@" >"$work/boot.log" 2>&1 &
    nspawn=$!
    pids+=($nspawn)
    cleanups+=('kill -KILL $(leader) 2>/dev/null')
    if ! wait_for 15 leader; then
        grep -qiE 'not permitted|denied|read-only' "$work/boot.log" && skip "this machine cannot boot a container: $(tail -n 1 "$work/boot.log")"
        tail -n 5 "$work/boot.log"; fail "the container did not boot"
    fi
    wait_for 60 booted || { tail -n 5 "$work/boot.log"; fail "the container's systemd did not come up"; }
}
leader() { pgrep -P $nspawn | head -1; }
inside() { nsenter -t "$(leader)" -m -p -i -u -n -- "$@"; }
booted() { grep -qE 'running|degraded' <<<"$(inside systemctl is-system-running)"; }

# on_its_network COMMAND…: a command of this machine that sees the container's network alone.
on_its_network() { nsenter -t "$(leader)" -n -- "$@"; }

property() { inside systemctl show heygen-monitor -p "$1" --value; }
complain() { inside journalctl -u heygen-monitor --no-pager -n 30 || true; property StatusText; fail "$@"; }
capability_is() {
    on_its_network curl -s "$address/api/v1/verdict" | python3 -c 'import json, sys
states = {one["capability"]: one["state"] for one in json.load(sys.stdin)["capabilities"]}
sys.exit(states[sys.argv[1]] != sys.argv[2])' "$1" "$2"
}
