//! Who calls and what they own: `/v3/users/me`, `/v3/api_keys/self`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::{World, locked};

pub(super) async fn user(State(world): State<Arc<World>>) -> Json<Value> {
    let wallet = locked(&world.account).wallet;
    let reload = |amount: f64| wallet.reloads.then_some(amount);
    Json(json!({"data": {
        "username": "user_simulated",
        "email": "user@example.com",
        "first_name": "Sim",
        "last_name": "Ulated",
        "billing_type": "wallet",
        "wallet": {
            "currency": "usd",
            "remaining_balance": wallet.balance_usd,
            "auto_reload": {
                "enabled": wallet.reloads,
                "threshold_usd": reload(10.0),
                "amount_usd": reload(50.0),
            },
        },
        "subscription": null,
        "usage_based": null,
    }}))
}

pub(super) async fn key(State(world): State<Arc<World>>) -> Json<Value> {
    let ends = locked(&world.account).key_expires_at;
    let left = ends.map(|ends| ends.duration_since(world.clock.now()).as_secs().max(0));
    Json(json!({"data": {
        "key_id": "key_simulated",
        "key_name": "monitor",
        "status": "active",
        "scope_mode": "full",
        "scopes": ["*:*"],
        "created_at": 1_756_000_000,
        "updated_at": 1_756_000_000,
        "expires_at": ends.map(jiff::Timestamp::as_second),
        "expires_in_seconds": left,
    }}))
}
