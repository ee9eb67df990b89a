# No network at all: `check` says so within 15 s and exits 3, whether the network refuses at once
# or swallows every packet.
. "$(dirname "$0")/../stage.sh"
unshare --net true 2>/dev/null || skip "this machine makes no network namespaces"

# offline SETUP: runs `check` in a namespace prepared by SETUP; leaves what it said in $work/said.
offline() {
    local code=0 begun=$SECONDS
    env -i PATH="$PATH" HOME="$work" HEYGEN_API_KEY=sk_offline_0123456789 \
        unshare --net --mount sh -ec "ip link set lo up; $1; exec '$bin' check" >"$work/said" 2>&1 || code=$?
    took=$((SECONDS - begun))
    [ "$code" = 3 ] || fail "exit code $code: $(head -n 1 "$work/said")"
    # Whole seconds, so one more for rounding.
    [ "$took" -le 16 ] || fail "it took $took s"
    grep -q "offline" "$work/said" || fail "it does not say so: $(head -n 1 "$work/said")"
    ! grep -q "HeyGen's side" "$work/said" || fail "it blames HeyGen: $(head -n 1 "$work/said")"
}

offline true
refused=$took
printf 'nameserver 192.0.2.53\n' >"$work/resolv.conf"
# A neighbour that is known but never answers: every packet goes out and nothing comes back.
offline "ip link add hole type veth peer name end; ip addr add 192.0.2.2/24 dev hole
    ip link set hole up; ip link set end up; ip route add default via 192.0.2.1
    ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev hole
    ip neigh add 192.0.2.53 lladdr 02:00:00:00:00:53 dev hole
    mount --bind '$work/resolv.conf' /etc/resolv.conf"
[ "$took" -ge 3 ] || fail "nothing was swallowed: it took $took s"
pass "offline is told, exit 3: after $refused s when refused, after $took s when swallowed"
