# systemd-analyze finds nothing in the units, and likes their sandbox.
. "$(dirname "$0")/../stage.sh"
mkdir "$work/units"
for unit in heygen-monitor.service heygen-monitor@.service; do
    sed "s#^ExecStart=/usr/bin/heygen-monitor#ExecStart=$bin#" "$project/systemd/$unit" >"$work/units/$unit"
done
cp "$work/units/heygen-monitor@.service" "$work/units/heygen-monitor@acme.service"
for unit in heygen-monitor.service heygen-monitor@acme.service; do
    systemd-analyze verify --recursive-errors=yes "$work/units/$unit" || fail "verify: $unit"
    systemd-analyze security --offline=yes --threshold=12 --no-pager "$work/units/$unit" >"$work/score" ||
        { cat "$work/score"; fail "security: $unit"; }
done
pass "verified; $(tail -n 1 "$work/score" | sed 's/.*exposure level/exposure level/')"
