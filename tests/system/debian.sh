# Makes a small Debian 12 with systemd in the directory ROOT, then the file ROOT.made; what went on
# stands in ROOT.log.
set -euo pipefail
root=$1
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps,ca-certificates bookworm "$root" >"$root.log" 2>&1
touch "$root.made"
