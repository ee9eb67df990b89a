//! The `Retry-After` header: seconds or a date (RFC 9110, section 10.2.3).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Nobody means more than a year; longer ones would only overflow sums of times.
const MAX_SECS: u64 = 366 * 24 * 3600;
/// The two obsolete forms of an HTTP date, both in GMT.
const OLD_DATES: [&str; 2] = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// Seconds from `now` that a `Retry-After` asks to wait, rounded up; a date that has passed is 0.
/// `None` when the value is neither a number nor a date.
pub fn retry_after_secs(value: &str, now: Timestamp) -> Option<u64> {
    let value = value.trim();
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    if !value.is_empty() && value.chars().all(is_number) {
        let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
        let whole: u64 = whole.parse().ok()?;
        let has_more = fraction.chars().any(|digit| digit != '0');
        return Some(whole.saturating_add(u64::from(has_more)).min(MAX_SECS));
    }
    let wait = http_date(value)?.duration_since(now);
    let up = i64::from(wait.subsec_nanos() > 0);
    let secs = u64::try_from(wait.as_secs().saturating_add(up)).unwrap_or(0);
    Some(secs.min(MAX_SECS))
}

/// An instant in one of the three forms of an HTTP date.
pub fn http_date(value: &str) -> Option<Timestamp> {
    if let Ok(zoned) = jiff::fmt::rfc2822::parse(value) {
        return Some(zoned.timestamp());
    }
    let old = |form: &&str| DateTime::strptime(form, value).ok();
    let date = OLD_DATES.iter().find_map(old)?;
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_understood_and_nothing_else() {
        let now: Timestamp = "1994-11-06T08:49:07Z".parse().unwrap();
        for (value, expected) in [
            ("30", Some(30)),
            (" 0 ", Some(0)),
            ("1.5", Some(2)),
            ("2.0", Some(2)),
            ("99999999999", Some(MAX_SECS)),
            ("99999999999999999999999", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30)),
            ("Sun Nov  6 08:49:37 1994", Some(30)),
            ("Sun, 06 Nov 1994 08:48:00 GMT", Some(0)),
            ("-5", None),
            ("", None),
            (".", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after_secs(value, now), expected, "{value:?}");
        }
    }
}
