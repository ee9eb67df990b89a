//! Who calls and what they own: `/v3/users/me`, `/v3/api_keys/self`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::account::{Billing, RELOAD_BELOW_USD, RELOAD_USD};
use super::super::{Account, Wallet};
use super::{World, locked};

pub(super) async fn user(State(world): State<Arc<World>>) -> Json<Value> {
    let billing = billing(&locked(&world.account));
    let mut user = json!({
        "username": "user_simulated",
        "email": "user@example.com",
        "first_name": "Sim",
        "last_name": "Ulated",
        "wallet": null,
        "subscription": null,
        "usage_based": null,
    });
    let name = billing.as_ref().map(|(name, _)| *name);
    if let (Some(fields), Some((name, pool))) = (user.as_object_mut(), billing) {
        fields.insert(name.to_owned(), pool);
    }
    user["billing_type"] = name.into();
    Json(json!({"data": user}))
}

/// The way of billing and what there is to pay with.
fn billing(account: &Account) -> Option<(&'static str, Value)> {
    match account.billing {
        Billing::Untold => None,
        Billing::Wallet => Some(("wallet", wallet(account.wallet))),
        Billing::Subscription { premium, resets_at, add_on } => {
            let resets_at = resets_at.map(|at| at.to_string());
            let credits = json!({
                "premium_credits": {"remaining": premium, "resets_at": resets_at},
                "add_on_credits": {"remaining": add_on, "resets_at": null},
            });
            Some(("subscription", json!({"plan": "creator", "credits": credits})))
        }
        Billing::UsageBased { spent_usd, cap_usd } => {
            let pool = json!({"spending_current_usd": spent_usd, "spending_cap_usd": cap_usd,
                              "included_credits": null, "remaining_credits": null});
            Some(("usage_based", pool))
        }
    }
}

fn wallet(wallet: Wallet) -> Value {
    let reload = |amount: f64| wallet.reloads.then_some(amount);
    json!({
        "currency": "usd",
        "remaining_balance": wallet.balance_usd,
        "auto_reload": {
            "enabled": wallet.reloads,
            "threshold_usd": reload(RELOAD_BELOW_USD),
            "amount_usd": reload(RELOAD_USD),
        },
    })
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
        "expires_at": ends.map(Timestamp::as_second),
        "expires_in_seconds": left,
    }}))
}
