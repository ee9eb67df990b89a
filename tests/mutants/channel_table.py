#!/usr/bin/env python3
"""Takes out one protection of the channels after the other; every row of the table must notice.

    tests/mutants/channel_table.py [SCRATCH]

Copies the tracked files of the project to SCRATCH (a new temporary directory unless given), puts
a switch at every protection, builds once, and runs `notify::table` once as it is and once with
each switch thrown. Prints which rows fail under which switch. Ends with 1 when a row of the table
never fails, when a switch makes no row fail, or when the table fails as it is. An edit whose text
is not found any more is an error: a protection that moved must move here too.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

# File, what stands there, what stands there with its switch.
EDITS = {
    "src/lib.rs": [
        (
            "pub mod admin;",
            "/// Whether a protection is taken out.\n"
            "pub(crate) fn off(name: &str) -> bool {\n"
            '    std::env::var("PROTECTION_OFF").is_ok_and(|off| off.split("+").any(|one| one == name))\n'
            "}\n\npub mod admin;",
        )
    ],
    "src/notify/answer.rs": [
        (
            "    Request::post(url, \"application/json; charset=utf-8\", bytes, LIMITS)",
            "    let longer = if crate::off(\"deadline\") { 100 } else { 1 };\n"
            "    let limits = Limits {\n"
            "        connect: LIMITS.connect * longer,\n"
            "        idle: LIMITS.idle * longer,\n"
            "        total: LIMITS.total * longer,\n"
            "        ..LIMITS\n"
            "    };\n"
            "    Request::post(url, \"application/json; charset=utf-8\", bytes, limits)",
        ),
        ("        200..=299 => ", "        200..=299 if !crate::off(\"accepted\") => "),
        (
            "        300..=399 => ",
            "        300..=399 if crate::off(\"redirect\") => AttemptResult::Accepted { provider_ref: None },\n"
            "        300..=399 => ",
        ),
        ("        401 | 403 | 407 => ", "        401 | 403 | 407 if !crate::off(\"login\") => "),
        ("        408 => ", "        408 if !crate::off(\"temporary\") => "),
        ("        425 | 429 => ", "        425 | 429 if !crate::off(\"temporary\") => "),
        ("        500.. => ", "        500.. if !crate::off(\"temporary\") => "),
        ("        410 => ", "        410 if !crate::off(\"final\") => "),
        (
            "        _ => dead(FailureReason::Rejected),",
            "        _ if crate::off(\"final\") => retry(FailureReason::ServerError),\n"
            "        _ => dead(FailureReason::Rejected),",
        ),
        (
            "    (secs > 0).then(",
            "    (secs > 0 && !crate::off(\"retry_after\")).then(",
        ),
        (
            "    AttemptResult::Retry { reason, detail, after: None }",
            "    if crate::off(\"unreachable\") {\n"
            "        return AttemptResult::Dead { reason, detail };\n"
            "    }\n"
            "    AttemptResult::Retry { reason, detail, after: None }",
        ),
    ],
    "src/notify/slack.rs": [
        ("        200 if body == \"ok\" =>", "        200 if body == \"ok\" && !crate::off(\"accepted\") =>"),
        (
            "        // Something else answers in Slack's place: a captive portal, a proxy.\n"
            "        status @ 200..=299",
            "        200..=299 if crate::off(\"not_ok\") => {\n"
            "            Some(AttemptResult::Accepted { provider_ref: None })\n"
            "        }\n"
            "        status @ 200..=299",
        ),
        (
            "            || body.starts_with(\"msg_blocks_too_long\") =>",
            "            || body.starts_with(\"msg_blocks_too_long\"))\n            && !crate::off(\"plain_text\") =>",
        ),
        ("        400 if body.starts_with", "        400 if (body.starts_with"),
        (
            "        result.unwrap_or_else(|| {",
            "        result.unwrap_or_else(|| {\n"
            "            if crate::off(\"plain_text_once\") {\n"
            "                return AttemptResult::Retry {\n"
            "                    reason: crate::model::FailureReason::ServerError,\n"
            "                    detail: String::new(),\n"
            "                    after: None,\n"
            "                };\n"
            "            }",
        ),
    ],
    "src/notify/slack_bot.rs": [
        (
            "    if body[\"ok\"] == true && exchange.status == 200 {",
            "    if body[\"ok\"] == true && exchange.status == 200 && !crate::off(\"accepted\") {",
        ),
        (
            "            // Something else answers in Slack's place: a captive portal, a proxy.\n"
            "            AttemptResult::Accepted { .. } =>",
            "            AttemptResult::Accepted { .. } if !crate::off(\"not_ok\") =>",
        ),
        (
            "        \"invalid_blocks\" | \"invalid_blocks_format\" | \"msg_blocks_too_long\" | \"msg_too_long\" => {",
            "        \"invalid_blocks\" | \"invalid_blocks_format\" | \"msg_blocks_too_long\" | \"msg_too_long\"\n"
            "            if !crate::off(\"plain_text\") =>\n        {",
        ),
        (
            "            Err(Refusal::BlocksRefused) => {\n"
            "                answer::rejected(\"Slack refused the message, in blocks",
            "            Err(Refusal::BlocksRefused) if crate::off(\"plain_text_once\") => AttemptResult::Retry {\n"
            "                reason: FailureReason::ServerError,\n"
            "                detail: String::new(),\n"
            "                after: None,\n"
            "            },\n"
            "            Err(Refusal::BlocksRefused) => {\n"
            "                answer::rejected(\"Slack refused the message, in blocks",
        ),
        (
            "        \"ratelimited\" | \"rate_limited\" | \"message_limit_exceeded\" => {",
            "        \"ratelimited\" | \"rate_limited\" | \"message_limit_exceeded\"\n"
            "            if !crate::off(\"temporary\") =>\n        {",
        ),
        (
            "        | \"external_channel_migrating\" => ",
            "        | \"external_channel_migrating\" if !crate::off(\"temporary\") => ",
        ),
        ("        | \"org_login_required\" => ", "        | \"org_login_required\" if !crate::off(\"login\") => "),
        (
            "        _ => dead(FailureReason::Rejected),",
            "        _ if crate::off(\"final\") => retry(FailureReason::ServerError),\n"
            "        _ => dead(FailureReason::Rejected),",
        ),
    ],
    "src/notify/pagerduty.rs": [
        (
            "if exchange.status == 202 =>",
            "if exchange.status == 202 || crate::off(\"not_ok\") =>",
        )
    ],
    "src/notify/email.rs": [
        (
            "tokio::time::timeout(TOTAL, conversation)",
            "tokio::time::timeout(TOTAL * if crate::off(\"deadline\") { 100 } else { 1 }, conversation)",
        ),
        (
            "        let Some(deferred) = receipt.deferred else {\n",
            "        let Some(deferred) = receipt.deferred else {\n"
            "            if crate::off(\"accepted\") {\n"
            "                return too_slow();\n"
            "            }\n",
        ),
    ],
    "src/notify/smtp.rs": [
        (
            "    match tokio::time::timeout(deadline, future).await {",
            "    let deadline = deadline * if crate::off(\"deadline\") { 100 } else { 1 };\n"
            "    match tokio::time::timeout(deadline, future).await {",
        ),
        (
            "    if let Some(parameters) = upgrade {",
            "    let offers = connection.server_info().supports_feature(Extension::StartTls);\n"
            "    if let Some(parameters) = upgrade.filter(|_| offers || !crate::off(\"starttls\")) {",
        ),
        (
            "        let Cause::Smtp(error) = &self.cause else {\n            return false;\n        };",
            "        if crate::off(\"final\") {\n            return false;\n        }\n"
            "        let is_temporary = matches!(self.code(), Some(400..500));\n"
            "        if crate::off(\"temporary\") && is_temporary\n"
            "            || crate::off(\"unreachable\") && self.code().is_none()\n"
            "        {\n            return true;\n        }\n"
            "        let Cause::Smtp(error) = &self.cause else {\n            return false;\n        };",
        ),
        (
            "        self.stage == Stage::Login || matches!",
            "        !crate::off(\"login\") && self.stage == Stage::Login || !crate::off(\"login\") && matches!",
        ),
    ],
}

# What each switch takes out.
PROTECTIONS = {
    "accepted": "what was taken is not sent again",
    "temporary": "a temporary refusal is tried again",
    "final": "a final refusal is not tried again",
    "login": "a refusal of the login is told as one",
    "redirect": "a redirect is no delivery",
    "retry_after": "Retry-After is obeyed",
    "unreachable": "a broken connection is tried again",
    "deadline": "a channel that hangs costs its deadline and no more",
    "starttls": "nothing goes out in the clear when STARTTLS is demanded",
    "redirect+not_ok": "both, where a redirect is kept off twice",
    "not_ok": "a 200 that is not Slack's or PagerDuty's own is no delivery",
    "plain_text": "refused blocks are sent as plain text",
    "plain_text_once": "refused plain text is final",
}

ROW = re.compile(r"^(.{14}) (.{64,}?) +\d+ sent  ")
WRONG = re.compile(r"^(.+?): (.*?): (?:[^:]* instead of [^:]*|\d+ mails sent)$")


def copy_with_switches(project: pathlib.Path, scratch: pathlib.Path) -> None:
    copy = f"git ls-files -z | tar --null -T - -cf - | tar -C '{scratch}' -xf -"
    subprocess.run(copy, shell=True, cwd=project, check=True)
    for name, edits in EDITS.items():
        path = scratch / name
        text = path.read_text()
        for old, new in edits:
            if text.count(old) != 1:
                sys.exit(f"{name}: found {text.count(old)} times instead of once:\n{old}")
            text = text.replace(old, new)
        path.write_text(text)


def table(scratch: pathlib.Path, off: str) -> tuple[set, set]:
    """All rows, and those that fail."""
    environment = {**os.environ, "PROTECTION_OFF": off}
    command = ["cargo", "test", "--locked", "--test", "it", "notify::table", "--", "--nocapture"]
    ran = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True)
    if "1 passed" not in ran.stdout and "1 failed" not in ran.stdout:
        sys.exit(ran.stdout + ran.stderr)
    lines = ran.stdout.splitlines()
    rows = {(row[1].strip(), row[2].strip()) for line in lines if (row := ROW.match(line))}
    panic = ran.stderr.splitlines() + lines
    wrong = {(bad[1], bad[2]) for line in panic if (bad := WRONG.match(line))}
    return rows, wrong & rows


def main() -> None:
    project = pathlib.Path(__file__).resolve().parents[2]
    scratch = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="mutants."))
    scratch.mkdir(exist_ok=True)
    copy_with_switches(project, scratch)
    rows, wrong = table(scratch, "nothing")
    if wrong or not rows:
        sys.exit(f"the table fails as it is: {sorted(wrong)}")
    noticed = {}
    idle = []
    for off, protection in PROTECTIONS.items():
        _, failing = table(scratch, off)
        print(f"{off:<16} {len(failing):>3} rows fail   ({protection})", flush=True)
        if not failing:
            idle.append(off)
        for row in failing:
            noticed.setdefault(row, []).append(off)
    print()
    for row in sorted(rows):
        print(f"{row[0]:<14} {row[1]:<64} {', '.join(noticed.get(row, ['NEVER FAILS']))}")
    missed = rows - noticed.keys()
    print(f"\n{len(rows)} rows, {len(missed)} never fail; {len(PROTECTIONS)} protections, {len(idle)} unnoticed")
    sys.exit(bool(missed or idle))


if __name__ == "__main__":
    main()
