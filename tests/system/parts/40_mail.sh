# A real Postfix, STARTTLS and AUTH, certificate verified: an outage arrives as mail, a wrong
# password is told, and what follows stands in the same thread.
. "$(dirname "$0")/../stage.sh"
start_heygen
user=monitor password="p w€ 'quoted'"
smtp_port=$(free_port)
spool=$work/postfix mail=$work/mail
mkdir -p "$work/etc" "$spool" "$work/data" "$mail"
chown postfix "$work/data"
mail_id=$(id -u nobody)
chown nobody "$mail"

# A certificate authority of our own, and a certificate of it for `localhost`.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=system test" \
    -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" \
    -keyout "$work/smtp.key" -out "$work/smtp.csr" 2>/dev/null
printf 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n' >"$work/san"
openssl x509 -req -in "$work/smtp.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -days 2 -extfile "$work/san" \
    -out "$work/smtp.pem" 2>/dev/null

printf '%s' "$password" | saslpasswd2 -p -c -f "$work/sasldb2" -u example.org $user
chown postfix "$work/sasldb2"
mkdir "$work/etc/sasl"
printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: %s\nmech_list: PLAIN LOGIN\n' "$work/sasldb2" >"$work/etc/sasl/smtpd.conf"
cat >"$work/etc/main.cf" <<CONFIG
compatibility_level = 3.6
queue_directory = $spool
data_directory = $work/data
maillog_file = $work/postfix.log
maillog_file_prefixes = $work
myhostname = mail.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = example.org
virtual_mailbox_base = $mail
virtual_mailbox_maps = static:oncall/
virtual_uid_maps = static:$mail_id
virtual_gid_maps = static:$(id -g nobody)
virtual_minimum_uid = 1
smtpd_tls_cert_file = $work/smtp.pem
smtpd_tls_key_file = $work/smtp.key
smtpd_tls_security_level = encrypt
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_local_domain = example.org
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
CONFIG
cat >"$work/etc/master.cf" <<CONFIG
127.0.0.1:$smtp_port inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
smtp unix - - n - - smtp
postlog unix-dgram n - n - 1 postlogd
CONFIG
postfix -c "$work/etc" start 2>&1 || { cat "$work/postfix.log"; fail "Postfix did not start"; }
cleanups+=('postfix -c "$work/etc" stop >/dev/null 2>&1')
greets() { [ "$(timeout 2 bash -c "exec 3<>/dev/tcp/127.0.0.1/$smtp_port && head -c 3 <&3")" = 220 ]; }
wait_for 20 greets || { cat "$work/postfix.log"; fail "Postfix does not answer"; }

channel() {
    cat <<CONFIG
[[channel]]
name = "oncall"
[channel.email]
from = "HeyGen monitor <monitor@example.org>"
to = ["oncall@example.org"]
smtp = { host = "localhost", port = $smtp_port, tls = "starttls", username = "$user@example.org", password_file = "$work/password" }
CONFIG
}
{ daemon_config; keyed_probes; channel; } >"$work/config.toml"
(umask 077 && printf '%s\n' "$password" >"$work/password")
start_daemon SSL_CERT_FILE="$work/ca.pem"
wait_for 20 verdict_is state operational || fail "never operational: $(curl -s "$address/api/v1/verdict")"

begun=$SECONDS
touch "$work/broken"
# mails N: at least N have arrived.
mails() { [ "$(find "$mail/oncall/new" -type f 2>/dev/null | wc -l)" -ge "$1" ]; }
complain() { cat "$work/drill" 2>/dev/null || true; tail -n 20 "$work/postfix.log" "$work/daemon.log"; fail "$@"; }
wait_for 30 mails 1 || complain "no mail about the outage"
took=$((SECONDS - begun))
touch "$work/admitted"
wait_for 30 mails 2 || complain "no mail about what HeyGen's page says"
rm "$work/broken" "$work/admitted"
wait_for 40 mails 3 || complain "no mail about its end"
shows '^heygen_monitor_notifications_dead_total\{channel="oncall"\} 0$' "$address/metrics" || complain "a message died"

python3 - "$mail/oncall/new" <<'CHECK' || complain "the mails are not as they should be"
import email, email.policy, pathlib, sys
mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in pathlib.Path(sys.argv[1]).iterdir()]
for mail in mails: print(mail["Subject"])
by_event = {mail["X-HeyGen-Monitor-Event"]: mail for mail in mails}
assert sorted(by_event) == ["acknowledged_officially", "opened", "resolved"] and len(mails) == 3, sorted(by_event)
first, last = by_event["opened"], by_event["resolved"]
assert first["Subject"].startswith("HeyGen: "), first["Subject"]
assert "Resolved" in last["Subject"] + last.get_body(("plain",)).get_content(), "its end says so"

# One thread, as mail programs make it: every mail but the first names only mails that are here,
# the first of them opened the thread, and Gmail wants the subject of the others to be an answer.
ids = [mail["Message-ID"].strip() for mail in mails]
assert len(set(ids)) == len(ids) and all(one.startswith("<") and one.endswith(">") for one in ids), ids
assert not first["References"] and not first["In-Reply-To"], "the first answers nothing"
for mail in mails:
    if mail is first: continue
    chain = mail["References"].split()
    assert chain[0] == first["Message-ID"].strip(), "not the same thread"
    assert set(chain) < set(ids) and mail["Message-ID"].strip() not in chain, chain
    assert mail["In-Reply-To"].strip() in chain, "answers a mail of the thread"
    assert mail["Subject"].startswith("Re: "), mail["Subject"]
for mail in mails:
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain and html, "text and HTML"
    assert plain["Content-Transfer-Encoding"] in ("quoted-printable", "base64")
    assert "503" in plain.get_content() or mail is not first, "the evidence is told"
    assert any("ESMTPSA" in hop or "ESMTPSA" in str(hop) for hop in mail.get_all("Received")), "encrypted and authenticated"
CHECK

# A wrong password is refused by the server (535), and the operator hears of it.
(umask 077 && echo wrong >"$work/password")
kill -HUP "$daemon"
reloaded() { grep -q 'the configuration was read again' "$work/daemon.log"; }
wait_for 10 reloaded || complain "SIGHUP was not heard"
env -i PATH="$PATH" HEYGEN_MONITOR_STATE_DIR="$work/state" HEYGEN_API_KEY="$heygen_key" "$bin" --config "$work/config.toml" notify test --channel oncall >"$work/drill" 2>&1 && complain "a wrong password passed: $(cat "$work/drill")"
grep -q 'SASL .*authentication failed' "$work/postfix.log" || complain "Postfix refused no password"
! grep -rqF "$password" "$work/daemon.log" "$work/drill" || complain "the password stands in a log"
pass "mail after $took s over STARTTLS+AUTH, 3 mails in one thread, wrong password told"
