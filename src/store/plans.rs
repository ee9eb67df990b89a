//! Every query in a loop or behind the web goes by an index.

use rusqlite::Connection;

use super::{
    account, changes, history, incidents, intents, jobs, lists, migrate, outbox, pages, past,
    readings, retention, samples, silences, told, trace,
};

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
        // A list that was bound, not a table.
        || line.starts_with("SCAN json_each VIRTUAL TABLE")
        || line == "SCAN jobs USING INDEX jobs_live"
        || line == "SCAN intents USING INDEX intents_open"
        || line == "SCAN told"
        || line == "SCAN job_positions"
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
        pages::RUNS,
        pages::FAILURES,
        readings::PUT_CHANGE,
        incidents::EVENTS,
        incidents::ONE,
        lists::OBSERVATIONS,
        lists::GOOD_OBSERVATIONS,
        lists::OTHER_OBSERVATIONS,
        lists::DELIVERIES,
        lists::DELIVERIES_OF_INCIDENT,
        lists::INCIDENTS,
        incidents::OPEN,
        incidents::RESOLVED_SINCE,
        incidents::LAST_ID,
        outbox::FIND_DELIVERY,
        outbox::NEXT_LOOSE_SEQ,
        outbox::LEASE_DUE,
        outbox::NEXT_DUE,
        outbox::DUE,
        outbox::RELEASE_ALL,
        outbox::DEAD,
        outbox::ONE,
        outbox::LINES,
        outbox::LATE_HEADS,
        outbox::WAITING,
        outbox::IS_OWED,
        outbox::THREAD_REF,
        outbox::MERGED,
        outbox::STANDING,
        outbox::REFUSED,
        outbox::FAILED,
        outbox::TAKEN_SINCE,
        outbox::WHY,
        retention::LAST_BEATS,
        retention::SERIES_IDS,
        retention::STEP_END,
        retention::FORGET_PLAIN,
        retention::FORGET_ALL,
        retention::FORGET_DELIVERIES,
        retention::FORGET_JOBS,
        jobs::LIVE,
        jobs::ENDED_SINCE,
        jobs::LISTED,
        jobs::CREATED_WITHIN,
        jobs::LISTED_LIVE,
        jobs::POSITIONS,
        samples::QUEUE,
        samples::PROCESSING,
        samples::LIFE,
        intents::OPEN,
        intents::CREATED_SINCE,
        intents::NEXT_LOOK,
        intents::LAST_OF_LOOK,
        intents::LISTED,
        told::ALL,
        silences::SINCE,
        trace::OF_THREAD,
        trace::TRIES,
        account::LATEST,
        account::KEPT,
        changes::LAST_CHANGE,
        changes::CHANGES,
        past::BEATS,
        past::OPEN_SPELLS,
        past::ENDED_SPELLS,
        past::NEXT_COMPONENT,
        past::LAST_CLAIM,
        past::CLAIMS,
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
fn a_page_of_a_list_is_read_along_its_key_without_sorting() {
    let range = "USING PRIMARY KEY (series_id=? AND ended_at_ms>? AND ended_at_ms<?)";
    for (statement, walked) in [
        (lists::OBSERVATIONS, "o"),
        (lists::GOOD_OBSERVATIONS, "o"),
        (lists::OTHER_OBSERVATIONS, "d"),
    ] {
        let plan = plan(statement);
        assert!(plan.starts_with(&format!("SEARCH {walked} {range}")), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
    for (statement, table) in [(lists::DELIVERIES, "deliveries"), (lists::INCIDENTS, "incidents")] {
        let expected = format!("SEARCH {table} USING INTEGER PRIMARY KEY (rowid<?)");
        assert_eq!(plan(statement), expected);
    }
    let of_incident = plan(lists::DELIVERIES_OF_INCIDENT);
    assert!(of_incident.contains("(thread=?)"), "{of_incident}");
}

#[test]
fn the_last_of_a_series_is_read_backwards_along_its_key() {
    assert_eq!(
        plan(pages::RUNS),
        "SEARCH observations USING PRIMARY KEY (series_id=? AND ended_at_ms>?)"
    );
    let plan = plan(pages::FAILURES);
    assert!(plan.starts_with("SEARCH d USING PRIMARY KEY (series_id=?)"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[test]
fn the_outbox_is_read_along_what_is_owed() {
    let plan = plan(outbox::LEASE_DUE);
    assert!(plan.contains("deliveries_owed"), "{plan}");
    assert!(plan.contains("SEARCH deliveries USING INTEGER PRIMARY KEY"), "{plan}");
}

#[test]
fn jobs_are_listed_along_their_creation_without_sorting() {
    let place = "(kind=? AND origin=? AND (created_at_ms,id)<(?,?))";
    let expected = format!("SEARCH jobs USING INDEX jobs_by_creation {place}");
    assert_eq!(plan(jobs::LISTED), expected);
    let expected = format!("SEARCH jobs USING INDEX jobs_live {place}");
    assert_eq!(plan(jobs::LISTED_LIVE), expected);
}

#[test]
fn jobs_that_ended_are_found_and_forgotten_by_their_end() {
    let plan_of_recall = plan(jobs::ENDED_SINCE);
    assert_eq!(plan_of_recall, "SEARCH jobs USING INDEX jobs_by_end (finished_at_ms>?)");
    let plan_of_retention = plan(retention::FORGET_JOBS);
    assert!(plan_of_retention.contains("SEARCH jobs USING PRIMARY KEY (kind=? AND id=?)"));
    assert!(plan_of_retention.contains("USING COVERING INDEX jobs_by_end"), "{plan_of_retention}");
    assert!(!plan_of_retention.contains("TEMP B-TREE"), "{plan_of_retention}");
}

#[test]
fn samples_are_read_from_their_index_alone() {
    for statement in [samples::QUEUE, samples::PROCESSING, samples::LIFE] {
        let expected = "SEARCH jobs USING COVERING INDEX jobs_samples \
                        (kind=? AND origin=? AND finished_at_ms>? AND finished_at_ms<?)";
        assert_eq!(plan(statement), expected);
    }
}

#[test]
fn the_ledger_is_never_walked_as_a_whole() {
    let by_creation = "SEARCH intents USING INDEX intents_by_creation (created_at_ms>?)";
    assert_eq!(plan(intents::CREATED_SINCE), by_creation);
    assert_eq!(plan(intents::LISTED), by_creation);
    assert_eq!(
        plan(intents::NEXT_LOOK),
        "SEARCH intents USING COVERING INDEX intents_by_look ((probe,look)>(?,?))"
    );
    assert_eq!(
        plan(intents::LAST_OF_LOOK),
        "SEARCH intents USING INDEX intents_by_look (probe=? AND look=?)"
    );
}

#[test]
fn the_past_is_read_by_time_without_sorting() {
    for statement in [changes::LAST_CHANGE, changes::CHANGES, past::LAST_CLAIM, past::CLAIMS] {
        let plan = plan(statement);
        assert!(plan.contains("USING PRIMARY KEY ("), "{plan}");
        assert!(plan.contains("at_ms"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
    let beats = plan(past::BEATS);
    assert!(beats.starts_with("SEARCH heartbeats USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"));
    assert!(!beats.contains("TEMP B-TREE"), "{beats}");
    let spells = plan(past::ENDED_SPELLS);
    assert!(spells.contains("USING INDEX incidents_by_end (resolved_at_ms>?)"), "{spells}");
    let next = plan(past::NEXT_COMPONENT);
    assert!(next.contains("USING PRIMARY KEY ((source,component)>(?,?))"), "{next}");
}
