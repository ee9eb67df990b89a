//! HeyGen's API: where it is, and who may carry the key there.
//!
//! Owns the making of requests, and (`job`, `account`) where in an answer each word stands. What an
//! answer means is `engine::classify`'s.
//! Invariant: the key goes to the host of the configured base URL alone. A path cannot lead
//! elsewhere, nothing is followed, and an anonymous request has no place for a key.

use url::Url;

use crate::http_client::{Limits, Request};
use crate::secret::Secret;

pub mod account;
mod fields;
pub mod job;

/// Header that carries the key (facts, section 1).
const KEY_HEADER: &str = "x-api-key";

/// HeyGen's API, as configured.
#[derive(Debug, Clone)]
pub struct Api {
    base_url: Url,
    key: Option<Secret>,
}

/// How a call introduces itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// With the key.
    Keyed,
    /// Without any.
    Anonymous,
}

impl Api {
    /// The API below `base_url`.
    pub fn new(base_url: Url, key: Option<Secret>) -> Self {
        Self { base_url, key }
    }

    /// A GET of a path (and query) below the base URL; `None` when it needs the key and there is
    /// none.
    pub fn get(&self, path: &str, access: Access, limits: Limits) -> Option<Request> {
        self.admitted(Request::get(self.url(path), limits), access)
    }

    /// A POST of JSON to a path below the base URL, with the key; `None` when there is none.
    pub fn post_json(&self, path: &str, body: &str, limits: Limits) -> Option<Request> {
        let body = body.as_bytes().to_vec();
        let request = Request::post(self.url(path), "application/json", body, limits);
        self.admitted(request, Access::Keyed)
    }

    /// A DELETE of a path below the base URL, with the key; `None` when there is none.
    pub fn delete(&self, path: &str, limits: Limits) -> Option<Request> {
        let mut request = Request::get(self.url(path), limits);
        request.method = reqwest::Method::DELETE;
        self.admitted(request, Access::Keyed)
    }

    fn admitted(&self, request: Request, access: Access) -> Option<Request> {
        match access {
            Access::Anonymous => Some(request),
            Access::Keyed => Some(request.secret_header(KEY_HEADER, self.key.clone()?)),
        }
    }

    /// The path is set, not joined: `//elsewhere.example/` stays a path.
    fn url(&self, path: &str) -> Url {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let base = self.base_url.path().trim_end_matches('/');
        let mut url = self.base_url.clone();
        url.set_path(&format!("{base}/{}", path.trim_start_matches('/')));
        url.set_query(query);
        url.set_fragment(None);
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(base: &str) -> Api {
        Api::new(Url::parse(base).unwrap(), Some(Secret::new("sk_test_1234567890")))
    }

    #[test]
    fn no_path_leads_to_another_host() {
        for (base, path, expected) in [
            ("https://api.heygen.com", "/v3/users/me", "https://api.heygen.com/v3/users/me"),
            (
                "https://api.heygen.com/",
                "v3/videos?limit=1",
                "https://api.heygen.com/v3/videos?limit=1",
            ),
            ("http://127.0.0.1:4010/mock/", "/v3/x", "http://127.0.0.1:4010/mock/v3/x"),
            ("https://api.heygen.com", "//evil.example/x", "https://api.heygen.com/evil.example/x"),
            (
                "https://api.heygen.com",
                "https://evil.example/",
                "https://api.heygen.com/https://evil.example/",
            ),
            ("https://api.heygen.com", "/\\evil.example", "https://api.heygen.com//evil.example"),
            ("https://api.heygen.com", "@evil.example/", "https://api.heygen.com/@evil.example/"),
        ] {
            let request = api(base).get(path, Access::Keyed, Limits::API).unwrap();
            assert_eq!(request.url.as_str(), expected, "{path}");
        }
    }

    #[test]
    fn the_key_is_on_keyed_calls_alone() {
        let api = api("https://api.heygen.com");
        let anonymous = api.get("/v3/users/me", Access::Anonymous, Limits::API).unwrap();
        assert!(anonymous.secret_headers.is_empty());
        let keyed = api.get("/v3/users/me", Access::Keyed, Limits::API).unwrap();
        assert_eq!(keyed.secret_headers[0].0.as_str(), "x-api-key");
        let keyless = Api::new(Url::parse("https://api.heygen.com").unwrap(), None);
        assert!(keyless.get("/v3/users/me", Access::Keyed, Limits::API).is_none());
    }
}
