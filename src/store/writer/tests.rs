//! The writer on a real file: a full disk, a refused row, a broken connection.

use std::sync::atomic::{AtomicU32, Ordering};

use super::super::{connect, history, migrate};
use super::*;
use crate::engine::Decision;
use crate::model::{
    Blame, Capability, Observation, Outcome, ProbeKind, Reason, Series, State, Timestamp, Verdict,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn observation(second: i64) -> Observation {
    Observation {
        capabilities: vec![Capability::Api],
        ended_at: at(second + 1),
        outcome: Outcome::Ok,
        answered: true,
        ..Observation::blank(Series::of("api-read"), ProbeKind::Api, at(second))
    }
}

fn entry(second: i64) -> Entry {
    let verdict = Verdict {
        at: at(second),
        vantage: String::new(),
        account: String::new(),
        state: State::Unknown,
        blame: Blame::None,
        reason: Reason::NoData,
        headline: String::new(),
        capabilities: Vec::new(),
    };
    let decision =
        Decision { observation: Some(observation(second)), ..Decision::nothing(verdict) };
    Entry::of(&decision, at(second))
}

struct Bench {
    directory: tempfile::TempDir,
    writer: Writer,
    backlog: Backlog,
}

fn bench() -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.db");
    connect::create_private(&path).unwrap();
    let mut connection = connect::writer(&path).unwrap();
    migrate::run(&mut connection, &path, &migrate::ALL).unwrap();
    Bench { directory, writer: Writer::new(path, connection), backlog: Backlog::default() }
}

impl Bench {
    fn stored(&self) -> Vec<Timestamp> {
        let connection = connect::reader(&self.directory.path().join("history.db")).unwrap();
        history::since(&connection, &Series::of("api-read"), at(0))
            .unwrap()
            .iter()
            .map(|observation| observation.begun_at)
            .collect()
    }

    fn fill_the_disk(&mut self) {
        self.writer
            .maintain(|connection| {
                let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
                connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
            })
            .unwrap();
    }

    fn free_the_disk(&mut self) {
        self.writer
            .maintain(|connection| {
                connection.query_row("PRAGMA max_page_count = 1000000", [], |_| Ok(()))
            })
            .unwrap();
    }
}

#[test]
fn the_backlog_is_written_before_the_work_that_takes_it_along() {
    let mut bench = bench();
    bench.backlog.push(entry(10));
    bench.backlog.push(entry(20));
    let seen = bench
        .writer
        .transact(&bench.backlog, |transaction| {
            history::since(transaction, &Series::of("api-read"), at(0))
        })
        .unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(bench.stored(), [at(10), at(20)]);
}

#[test]
fn when_the_work_fails_nothing_is_stored_and_the_backlog_waits_in_order() {
    let mut bench = bench();
    bench.backlog.push(entry(10));
    bench.backlog.push(entry(20));
    let refused = bench.writer.transact(&bench.backlog, |transaction| {
        transaction.execute("INSERT INTO heartbeats VALUES (1, 0)", [])
    });
    assert!(refused.is_err());
    assert_eq!(bench.stored(), []);
    assert_eq!(bench.backlog.trouble(), (false, 0), "it is the work that was wrong, not the disk");
    bench.backlog.push(entry(30));
    bench.writer.transact(&bench.backlog, |_| Ok(())).unwrap();
    assert_eq!(bench.stored(), [at(10), at(20), at(30)]);
}

#[test]
fn a_full_disk_keeps_the_backlog_until_there_is_room() {
    let mut bench = bench();
    bench.fill_the_disk();
    let mut written = 0;
    let error = loop {
        for _ in 0..200 {
            bench.backlog.push(entry(written));
            written += 1;
        }
        match bench.writer.transact(&bench.backlog, |_| Ok(())) {
            Ok(()) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DiskFull));
    assert!(bench.backlog.trouble().0);
    bench.free_the_disk();
    bench.writer.transact(&bench.backlog, |_| Ok(())).unwrap();
    assert!(!bench.backlog.trouble().0);
    let expected: Vec<Timestamp> = (0..written).map(at).collect();
    assert_eq!(bench.stored(), expected);
}

#[test]
fn a_decision_that_the_schema_refuses_does_not_hold_up_those_behind_it() {
    let mut bench = bench();
    bench
        .writer
        .maintain(|connection| {
            connection.execute_batch(
                "CREATE TRIGGER refuse BEFORE INSERT ON observations
                 WHEN new.ended_at_ms = 1790000021000
                 BEGIN SELECT raise(ABORT, 'refused'); END",
            )
        })
        .unwrap();
    for second in [10, 20, 30] {
        bench.backlog.push(entry(second));
    }
    bench.writer.transact(&bench.backlog, |_| Ok(())).unwrap();
    assert_eq!(bench.stored(), [at(10), at(30)]);
}

#[test]
fn a_broken_connection_is_opened_again() {
    let mut bench = bench();
    let tries = AtomicU32::new(0);
    let failed = bench.writer.transact(&bench.backlog, |_| -> Result<()> {
        tries.fetch_add(1, Ordering::Relaxed);
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
        Err(Error::SqliteFailure(code, None))
    });
    assert!(failed.is_err());
    assert!(matches!(bench.writer.state, Link::Broken));
    bench.backlog.push(entry(10));
    bench.writer.transact(&bench.backlog, |_| Ok(())).unwrap();
    assert_eq!(bench.stored(), [at(10)]);
    assert_eq!(tries.into_inner(), 1);
}

#[test]
fn the_backlog_is_bounded_and_says_what_it_lost() {
    let backlog = Backlog::default();
    for second in 0..5_000 {
        backlog.push(entry(second));
    }
    assert_eq!(backlog.trouble(), (false, 904));
    assert_eq!(backlog.take().len(), 4_096);
}

#[test]
fn a_closed_writer_refuses() {
    let mut bench = bench();
    bench.writer.close();
    assert!(bench.writer.transact(&bench.backlog, |_| Ok(())).is_err());
}
