//! What scenario tests have in common: a client, waiting for a condition, the binary on a simulator.

use std::time::Duration;

use serde_json::Value;

pub(crate) mod bench;
pub(crate) mod days;
pub(crate) mod random;
pub(crate) mod schema;

/// An HTTP client that knows nothing of the product's own.
#[expect(clippy::disallowed_methods, reason = "tests look from outside, not through http_client")]
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap()
}

/// Status and JSON (null when it is none) of a GET, with the simulator's key.
pub(crate) async fn get(client: &reqwest::Client, url: &str) -> (u16, Value) {
    let request = client.get(url).header("x-api-key", heygen_monitor::simulator::API_KEY);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

/// Waits until something is so, at most ten seconds.
pub(crate) async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), wait).await;
    assert!(waited.is_ok(), "{what}: not within ten seconds");
}
