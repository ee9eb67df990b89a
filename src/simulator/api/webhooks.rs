//! Who is told of what, and what was told: `/v3/webhooks/endpoints`, `/v3/webhooks/events`.

use std::sync::Arc;

use axum::extract::State;
use serde_json::{Value, json};

use super::{Answered, Parameters, World, list, locked};

/// `created_at` of an endpoint: before the simulation.
const REGISTERED_AT: &str = "2026-04-01T12:00:00Z";

pub(super) async fn endpoints(State(world): State<Arc<World>>, query: Parameters) -> Answered {
    let endpoints = locked(&world.account).webhooks.clone();
    let row = |(i, endpoint): (usize, &super::super::WebhookEndpoint)| {
        json!({"endpoint_id": format!("ep_{i:012x}"), "url": endpoint.url, "events": null,
               "status": "enabled", "created_at": REGISTERED_AT, "secret": null})
    };
    list(&query, 100, endpoints.iter().enumerate().map(row).collect())
}

/// Newest first.
pub(super) async fn events(State(world): State<Arc<World>>, query: Parameters) -> Answered {
    let rows = locked(&world.account).webhook_events.iter().rev().map(row).collect();
    list(&query, 100, rows)
}

fn row(event: &super::super::WebhookEvent) -> Value {
    let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
    json!({"event_id": event.event_id, "event_type": event.event_type,
           "event_data": body["event_data"], "created_at": event.created_at.to_string()})
}
