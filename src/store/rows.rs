//! Between columns and values: times, words and JSON, the same way for every table.
//!
//! Owns the serialized shapes that only the database has (`rows/`). Holds no statement.
//! Invariant: what was once written can be read for ever: unknown fields are ignored, new ones
//! have defaults.

mod account;
mod detail;
mod page;

pub(super) use account::AccountRow;
pub(super) use detail::{ControlRow, EvidenceRow, PhasesRow, TransportRow};
pub(super) use page::PageRow;

use std::str::FromStr;
use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};
use serde::Serialize;
use serde::de::Deserialize;

use crate::model::{Timestamp, UnknownWord};

/// A time as the database keeps it.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A length of time as the database counts it.
pub(super) fn span(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A time from the database.
pub(super) fn instant(at_ms: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(at_ms).map_err(unreadable)
}

/// The time in a column.
pub(super) fn time(row: &Row<'_>, column: &str) -> Result<Timestamp> {
    instant(row.get(column)?)
}

/// The time in a column that may be empty.
pub(super) fn time_or_null(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?.map(instant).transpose()
}

/// A closed word of the contract from its text.
pub(super) fn word<T: FromStr<Err = UnknownWord>>(text: &str) -> Result<T> {
    text.parse().map_err(unreadable)
}

/// The closed word in a column.
pub(super) fn word_in<T: FromStr<Err = UnknownWord>>(row: &Row<'_>, column: &str) -> Result<T> {
    word(row.get_ref(column)?.as_str()?)
}

/// The closed word in a column that may be empty.
pub(super) fn word_or_null<T: FromStr<Err = UnknownWord>>(
    row: &Row<'_>,
    column: &str,
) -> Result<Option<T>> {
    row.get_ref(column)?.as_str_or_null()?.map(word).transpose()
}

/// How many rows to read at most.
pub(super) fn limit_of(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A JSON column's value.
pub(super) fn from_json<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    serde_json::from_str(text).map_err(unreadable)
}

/// What goes into a JSON column.
pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

/// A stored value that cannot be understood.
pub(super) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
}
