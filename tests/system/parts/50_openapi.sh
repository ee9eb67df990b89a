# HeyGen's own OpenAPI file, served by an independent mock server: `check` finds the API fine, with
# a key and without one.
. "$(dirname "$0")/../stage.sh"
specification=$(ls "$project"/../shared/facts/heygen-openapi-*.json 2>/dev/null | tail -n 1) || true
specification=${HEYGEN_OPENAPI:-$specification}
[ -n "$specification" ] || skip "HeyGen's OpenAPI file is not here (\$HEYGEN_OPENAPI names it)"

tools=${HEYGEN_MONITOR_NPM:-/var/cache/heygen-monitor-tests/npm}
if [ ! -x "$tools/node_modules/.bin/prism" ]; then
    mkdir -p "$tools"
    (cd "$tools" && npm install --silent --no-fund --no-audit @stoplight/prism-cli@5) >"$work/npm.log" 2>&1 ||
        { tail -n 5 "$work/npm.log"; skip "npm's @stoplight/prism-cli cannot be had"; }
fi
prism_port=$(free_port)
"$tools/node_modules/.bin/prism" mock -h 127.0.0.1 -p "$prism_port" "$specification" >"$work/prism.log" 2>&1 &
pids+=($!)
listens() { curl -s -o /dev/null "http://127.0.0.1:$prism_port/v3/users/me"; }
wait_for 60 listens || { tail -n 5 "$work/prism.log"; fail "the mock server did not start"; }

start_heygen
daemon_config | sed "s#^base_url = .*#base_url = \"http://127.0.0.1:$prism_port\"#" >"$work/anonymous.toml"
{ cat "$work/anonymous.toml"; keyed_probes; } >"$work/keyed.toml"

# check NAME [NAME=VALUE…]: one `check`, its verdict in $work/NAME.json.
check() {
    local name=$1
    shift
    env -i PATH="$PATH" HOME="$work" "$@" "$bin" --config "$work/$name.toml" check --json >"$work/$name.json" 2>"$work/$name.err" ||
        { cat "$work/$name.err" "$work/$name.json"; tail -n 5 "$work/prism.log"; fail "$name: \`check\` does not say operational"; }
}
sees() {
    python3 - "$work/$1.json" "$2" <<'CHECK'
import json, sys
verdict = json.load(open(sys.argv[1]))
one = {one["capability"]: one for one in verdict["capabilities"]}
print(verdict["headline"])
print({name: (entry["state"], entry["reason"]) for name, entry in one.items()})
assert one["api"]["state"] == "operational", one["api"]
assert one["authentication"]["reason"] == sys.argv[2], one["authentication"]
probes = {item["probe"]: item["outcome"] for entry in one.values() for item in entry["evidence"]}
assert all(probes[name] == "ok" for name in probes if name.startswith("api-")), probes
CHECK
}
check keyed HEYGEN_API_KEY=sk_anything
sees keyed ok || fail "with a key the API is not ok"
check anonymous
sees anonymous not_watched || fail "without a key the anonymous call is not ok"
pass "ok with a key; without one the anonymous call is ok and authentication not watched"
