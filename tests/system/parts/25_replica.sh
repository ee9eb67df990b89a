# History on a second disk: what replicates the write-ahead log holds a reader for long, and neither
# waits for the other; backup, check and restore besides a running daemon.
. "$(dirname "$0")/../stage.sh"
start_heygen
{ daemon_config; keyed_probes; } >"$work/config.toml"
start_daemon
wait_for 20 verdict_is state operational || fail "never operational"
db() { env -i PATH="$PATH" HEYGEN_MONITOR_STATE_DIR="$work/state" HEYGEN_API_KEY="$heygen_key" "$bin" --config "$work/config.toml" db "$@"; }

# As Litestream does it: tables of its own, a read transaction that keeps the log, copies of what is
# appended to it.
cat >"$work/replicate.py" <<'PYTHON'
import shutil, sqlite3, sys, time
source, target = sys.argv[1:]
mine = sqlite3.connect(source, isolation_level=None, timeout=5)
assert mine.execute("PRAGMA journal_mode").fetchone() == ("wal",)
mine.execute("CREATE TABLE IF NOT EXISTS _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")
mine.execute("CREATE TABLE IF NOT EXISTS _litestream_lock (id INTEGER)")
count = lambda connection: connection.execute("SELECT count(*) FROM observations").fetchone()[0]
mine.execute("BEGIN")
before = count(mine)
time.sleep(8)
assert count(mine) == before, "the reader's view moved"
shutil.copy(source, target)
shutil.copy(source + "-wal", target + "-wal")
copy = sqlite3.connect(target)
assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
after = count(copy)
assert after > before, f"nothing was written beside the reader: {before}, {after}"
mine.execute("COMMIT")
print(after - before)
PYTHON
written=$(python3 "$work/replicate.py" "$work/state/history.db" "$work/replica.db") || fail "the log cannot be replicated: $written"
verdict_is state operational || fail "a reader disturbs the daemon"
shows '^heygen_monitor_storage_errors_total\{operation="commit"\} 0$' "$address/metrics" || fail "a write failed beside the reader"

db check >"$work/said" 2>&1 || fail "check: $(cat "$work/said")"
db backup "$work/backup.db" >"$work/said" 2>&1 || fail "backup: $(cat "$work/said")"
kill "$daemon" && wait "$daemon" || true
rm "$work"/state/history.db*
db restore "$work/backup.db" >"$work/said" 2>&1 || fail "restore: $(cat "$work/said")"
db check >"$work/said" 2>&1 || fail "check after restore: $(cat "$work/said")"
start_daemon
wait_for 20 verdict_is state operational || fail "it does not go on from the restored history"
pass "$written observations written beside a reader of 8 s, in its copy too; backup, restore and check"
