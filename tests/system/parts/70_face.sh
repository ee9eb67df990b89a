# Chromium looks at the pages of the real daemon through an outage, and at those of the demo, which
# has jobs: they follow without a reload, say the same without JavaScript, and please axe-core and an
# HTML validator. Screenshots stay in $HEYGEN_MONITOR_LOGS/face for people to look at.
. "$(dirname "$0")/../stage.sh"
command -v chromium >/dev/null || skip "no chromium"
pictures=${HEYGEN_MONITOR_LOGS:-$work}/face
tools=$work/npm
mkdir -p "$tools" "$pictures"
echo '{"private": true}' >"$tools/package.json"
(cd "$tools" && npm install --silent --no-fund --no-audit --ignore-scripts playwright-core@1.55.0 axe-core@4.10.3 html-validate@9.7.1) \
    >"$work/npm.log" 2>&1 || { tail -n 5 "$work/npm.log"; skip "npm's playwright-core, axe-core and html-validate cannot be had"; }
export FACE_TOOLS=$tools

# Its day is longer than both looks take.
"$bin" demo --listen 127.0.0.1:0 --for 600s >"$work/demo.log" 2>&1 &
pids+=($!)
start_heygen
{ daemon_config; keyed_probes; } >"$work/config.toml"
start_daemon
node "$system/face.mjs" "$address" "$pictures" daemon "$work/broken" >"$work/daemon-face.log" 2>&1 || { cat "$work/daemon-face.log"; fail "the daemon's pages have faults"; }
demo_address=$(grep -oE 'http://[0-9.]+:[0-9]+' "$work/demo.log" | head -n 1)
[ -n "$demo_address" ] || { tail -n 5 "$work/demo.log"; fail "the demo did not say where it is"; }
node "$system/face.mjs" "$demo_address" "$pictures" demo >"$work/demo-face.log" 2>&1 || { cat "$work/demo-face.log"; fail "the demo's pages have faults"; }
pass "$(tail -n 1 "$work/daemon-face.log"); demo: $(tail -n 1 "$work/demo-face.log")"
