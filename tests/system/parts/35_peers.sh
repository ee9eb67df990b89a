# Three monitors as each other's peers, each on a machine of its own (network namespaces), on one
# HeyGen. One that loses its network says so of itself; one that loses the way to HeyGen alone says
# that it is the only one; what HeyGen does to all of them they all see. The others go on.
. "$(dirname "$0")/../stage.sh"
unshare --net true 2>/dev/null || skip "this machine makes no network namespaces"
machines=(fra sgp iad)
# On the machine in the middle: where HeyGen is, where the rest of the internet is, and each door.
readonly HEYGEN=100.128.8.1 INTERNET=100.128.8.2
declare -A door_of=([fra]=100.128.8.11 [sgp]=100.128.8.12 [iad]=100.128.8.13)
declare -A net_of=([fra]=100.128.9 [sgp]=100.128.10 [iad]=100.128.11)
declare -A port_of=([fra]=20041 [sgp]=20042 [iad]=20043)
readonly CONTROLS=20040 DOOR=10044 WEB=10043

space() { echo "heygen-monitor-peers-$1"; }
# at MACHINE COMMAND…: as a process of that machine (its pid is the command's).
at() { exec ip netns exec "$(space "$1")" "${@:2}"; }
from() { (at "$@"); }
for machine in middle "${machines[@]}"; do
    ip netns del "$(space "$machine")" 2>/dev/null || true
    ip netns add "$(space "$machine")" 2>/dev/null || skip "this machine makes no network namespaces"
    cleanups+=("ip netns del $(space "$machine")")
    from "$machine" ip link set lo up
done
for address in $HEYGEN $INTERNET "${door_of[@]}"; do from middle ip addr add "$address/32" dev lo; done
for machine in "${machines[@]}"; do
    net=${net_of[$machine]}
    ip link add "hp-$machine" netns "$(space middle)" type veth peer name uplink netns "$(space "$machine")"
    from middle ip addr add "$net.1/24" dev "hp-$machine"
    from middle ip link set "hp-$machine" up
    from "$machine" ip addr add "$net.2/24" dev uplink
    from "$machine" ip link set uplink up
    from "$machine" ip route add default via "$net.1"
done

start_heygen ip netns exec "$(space middle)"
# forward MACHINE LISTEN=TARGET…: plain http is spoken to loopback alone, so each machine has its
# way out there.
forward() {
    (at "$1" python3 "$system/forward.py" "${@:2}") >"$work/forward-$1.log" 2>&1 &
    pids+=($!)
    wait_for 10 grep -q forwarding "$work/forward-$1.log" || { cat "$work/forward-$1.log"; fail "$1 forwards nothing"; }
}
doors=()
for machine in "${machines[@]}"; do doors+=("${door_of[$machine]}:$DOOR=${net_of[$machine]}.2:$DOOR"); done
forward middle "$HEYGEN:$heygen_port=127.0.0.1:$heygen_port" "$INTERNET:$heygen_port=127.0.0.1:$heygen_port" "${doors[@]}"
for machine in "${machines[@]}"; do
    ways=("127.0.0.1:$heygen_port=$HEYGEN:$heygen_port" "127.0.0.1:$CONTROLS=$INTERNET:$heygen_port"
        "${net_of[$machine]}.2:$DOOR=127.0.0.1:$WEB")
    for other in "${machines[@]}"; do ways+=("127.0.0.1:${port_of[$other]}=${door_of[$other]}:$DOOR"); done
    forward "$machine" "${ways[@]}"
    mkdir "$work/$machine"
    # The same list everywhere: nobody counts its own voice.
    {
        daemon_config "127.0.0.1:$WEB" | sed "s/system-test/$machine-1/; /check.control/s/:$heygen_port/:$CONTROLS/g"
        keyed_probes
        for other in "${machines[@]}"; do
            printf '[[status_page]]\nname = "%s"\nurl = "http://127.0.0.1:%s"\nrole = "peer"\nevery = "2s"\n' "$other" "${port_of[$other]}"
        done
    } >"$work/$machine/config.toml"
    (at "$machine" env -i PATH="$PATH" HEYGEN_MONITOR_STATE_DIR="$work/$machine" HEYGEN_API_KEY="$heygen_key" \
        "$bin" --config "$work/$machine/config.toml" run) >"$work/$machine/monitor.log" 2>&1 &
    pids+=($!)
done

ask() { from "$1" curl -s --max-time 5 "http://127.0.0.1:$WEB/api/v1/$2"; }
# says MACHINE STATE/BLAME/REASON: what its monitor believes of the whole.
says() {
    [ "$(ask "$1" verdict | python3 -c 'import json, sys
verdict = json.load(sys.stdin)
print(verdict["state"], verdict["blame"], verdict["reason"], sep="/")')" = "$2" ]
}
headline() { ask "$1" verdict | field headline; }
is_headline() { grep -q "$2" <<<"$(headline "$1")"; }
complain() {
    for machine in "${machines[@]}"; do headline "$machine" || true; done
    fail "$@"
}
# reads MACHINE: every other machine's monitor.
reads() {
    [ "$(ask "$1" components | python3 -c 'import json, sys
print(len({row["source"] for row in json.load(sys.stdin)["data"]} & {"fra", "sgp", "iad"}))')" = 3 ]
}
readonly FINE=operational/none/ok
all_fine() { for machine in "${machines[@]}"; do wait_for 30 says "$machine" $FINE || complain "$machine is not content $1"; done; }
go_on() { for machine in fra sgp; do says "$machine" $FINE || complain "$machine does not go on $1"; done; }
all_fine "at the start"
for machine in "${machines[@]}"; do wait_for 20 reads "$machine" || complain "$machine does not read the others"; done

from iad ip link set uplink down
wait_for 20 says iad unknown/network/monitor_offline || complain "iad does not say that it is cut off"
go_on "while iad is cut off"
from iad ip link set uplink up
from iad ip route add default via "${net_of[iad]}.1"
all_fine "after iad was cut off"

begun=$SECONDS
from iad ip route add unreachable "$HEYGEN/32"
wait_for 30 says iad degraded/network/local_view || complain "iad does not say that it is the only one"
took=$((SECONDS - begun))
wait_for 20 is_headline iad '1 of 3 places sees it' || complain "iad does not say how many see it"
go_on "while iad does not reach HeyGen"
from iad ip route del unreachable "$HEYGEN/32"
all_fine "after iad did not reach HeyGen"

touch "$work/broken"
for machine in "${machines[@]}"; do
    wait_for 20 says "$machine" outage/provider/unavailable || complain "$machine does not see the outage"
    wait_for 20 is_headline "$machine" '3 of 3 places see it' || complain "$machine does not say who sees it"
done
pass "cut off: network; no way to HeyGen alone: local_view after $took s, the others content; a real outage: 3 of 3 places see it"
