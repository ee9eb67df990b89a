//! Every query in a loop or behind the web goes by an index.

use rusqlite::Connection;

use super::{history, incidents, migrate, outbox, readings, retention};

fn plan(statement: &str) -> String {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate::ALL.to_latest(&mut connection).unwrap();
    let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
    let lines = explained
        .raw_query()
        .mapped(|row| row.get::<_, String>("detail"))
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    lines.join("\n")
}

/// Full walks are allowed along partial indexes (they hold what is open, which is little), over
/// tables that hold a handful of rows, and over results.
fn is_allowed_walk(line: &str) -> bool {
    !line.starts_with("SCAN")
        || line.contains("USING INDEX deliveries_owed")
        || line.contains("USING COVERING INDEX deliveries_owed")
        || line.contains("incidents_open")
        || line.starts_with("SCAN CONSTANT ROW")
        || line.starts_with("SCAN (subquery")
        || line.starts_with("SCAN series")
        // The first row of the key, backwards, is all that is read.
        || line == "SCAN heartbeats"
}

#[test]
fn no_query_walks_a_table_that_grows() {
    let statements = [
        history::FIND_SERIES,
        history::LAST_END,
        history::ALL_SERIES,
        history::SERIES_OF,
        history::OBSERVATIONS,
        history::LAST_BEAT,
        readings::PUT_CHANGE,
        incidents::EVENTS,
        incidents::ONE,
        incidents::LISTED,
        incidents::OPEN,
        incidents::RESOLVED_SINCE,
        incidents::LAST_ID,
        outbox::FIND_DELIVERY,
        outbox::NEXT_LOOSE_SEQ,
        outbox::LEASE_DUE,
        outbox::NEXT_DUE,
        outbox::RELEASE_ALL,
        outbox::BURY,
        outbox::ONE,
        outbox::LINES,
        retention::LAST_BEATS,
        retention::SERIES_IDS,
        retention::STEP_END,
        retention::FORGET_PLAIN,
        retention::FORGET_ALL,
        retention::FORGET_DELIVERIES,
    ];
    for statement in statements {
        let plan = plan(statement);
        assert!(plan.lines().all(is_allowed_walk), "{statement}\n\n{plan}");
    }
}

#[test]
fn history_is_read_by_series_and_time() {
    let plan = plan(history::OBSERVATIONS);
    assert!(
        plan.starts_with("SEARCH o USING PRIMARY KEY (series_id=? AND ended_at_ms>?)"),
        "{plan}"
    );
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[test]
fn the_outbox_is_read_along_what_is_owed() {
    let plan = plan(outbox::LEASE_DUE);
    assert!(plan.contains("deliveries_owed"), "{plan}");
    assert!(plan.contains("SEARCH deliveries USING INTEGER PRIMARY KEY"), "{plan}");
}
