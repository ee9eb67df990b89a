//! What a fault looks like to the caller: answers, and ways of not answering.
//!
//! Owns the well-known ones (HeyGen's envelope, its load balancer, a bot filter). Does not carry them
//! out: that is `gate`.

use std::time::Duration;

/// What happens instead of (or before) the real answer. Delays are real time, as network deadlines
/// are.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// This answer.
    Answer(Answer),
    /// The real answer, later.
    Delay(Duration),
    /// No answer, the connection stays open.
    Hang,
    /// The connection is reset before a byte of an answer.
    Reset,
    /// The connection is closed before a byte of an answer.
    Close,
    /// This answer, but the connection breaks before its body ends.
    CutOff(Answer),
    /// This answer, its body one byte at a time with this pause before each.
    Trickle(Answer, Duration),
    /// The request is served, then this happens instead of its answer: a create that was accepted
    /// without its caller learning of it.
    Served(Box<Effect>),
}

/// An answer as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer with this type and body.
    pub fn new(status: u16, content_type: &str, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.as_bytes().to_vec() }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Effect {
    /// HeyGen's error envelope.
    pub fn envelope(status: u16, code: &str, message: &str) -> Self {
        let error = super::api::envelope(code, message, None);
        Self::Answer(Answer::new(status, "application/json", &error.to_string()))
    }

    /// 503 with HeyGen's envelope.
    pub fn unavailable() -> Self {
        Self::envelope(503, "service_unavailable", "Service temporarily unavailable.")
    }

    /// 429 `rate_limit_exceeded` with `Retry-After` in whole seconds, as HeyGen sends it.
    pub fn rate_limited(retry_after_secs: u32) -> Self {
        let message =
            "Too many requests. Retry after the duration specified in the Retry-After header.";
        let error = super::api::envelope("rate_limit_exceeded", message, None).to_string();
        let answer = Answer::new(429, "application/json", &error);
        Self::Answer(answer.header("retry-after", &retry_after_secs.to_string()))
    }

    /// The request is served, then this happens instead of its answer.
    #[must_use]
    pub fn after_serving(self) -> Self {
        Self::Served(Box::new(self))
    }

    /// 504 with HeyGen's envelope: the external file did not come.
    pub fn gateway_timeout() -> Self {
        Self::envelope(504, "gateway_timeout", "Timed out fetching the external file.")
    }

    /// 500 with HeyGen's envelope.
    pub fn internal_error() -> Self {
        Self::envelope(500, "internal_error", "Internal server error")
    }

    /// What a DELETE of a video answers when it fails.
    pub fn delete_failed() -> Self {
        Self::envelope(500, "video_delete_failed", "Failed to delete the video.")
    }

    /// An answer of the load balancer in front of HeyGen.
    pub fn html(status: u16, title: &str) -> Self {
        let body = format!(
            "<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n<center><h1>{status} \
             {title}</h1></center>\r\n</body>\r\n</html>\r\n"
        );
        Self::Answer(Answer::new(status, "text/html", &body).header("server", "awselb/2.0"))
    }

    /// The challenge page of a bot filter.
    pub fn challenge() -> Self {
        let body = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>\
                    <p>Checking your browser before accessing the site.</p></body></html>";
        let answer = Answer::new(403, "text/html; charset=UTF-8", body);
        Self::Answer(answer.header("cf-mitigated", "challenge").header("server", "cloudflare"))
    }
}
