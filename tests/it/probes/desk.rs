//! A HeyGen on loopback that answers as a test says, and remembers what it was asked.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::Response;
use tokio::net::TcpListener;

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Path and query.
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// `METHOD path`
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// One answer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Reply {
    /// With one more header.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// JSON.
pub(super) fn json(status: u16, body: &str) -> Reply {
    let headers = vec![("content-type", "application/json".to_owned())];
    Reply { status, headers, body: body.as_bytes().to_vec() }
}

/// HeyGen's refusal.
pub(super) fn refusal(status: u16, code: &str) -> Reply {
    json(status, &format!(r#"{{"error":{{"code":"{code}","message":"Words."}}}}"#))
}

/// A file, in parts where they are asked for.
pub(super) fn file(asked: &Asked, media_type: &str, bytes: &[u8]) -> Reply {
    let mut headers = vec![("content-type", media_type.to_owned())];
    let range = asked.header("range").and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
        return Reply { status: 200, headers, body: bytes.to_vec() };
    };
    let first: usize = first.parse().unwrap();
    let end = last.parse::<usize>().map_or(bytes.len(), |last| bytes.len().min(last + 1));
    if first >= bytes.len() {
        headers.push(("content-range", format!("bytes */{}", bytes.len())));
        return Reply { status: 416, headers, body: Vec::new() };
    }
    headers.push(("content-range", format!("bytes {first}-{}/{}", end - 1, bytes.len())));
    Reply { status: 206, headers, body: bytes[first..end].to_vec() }
}

/// A HeyGen.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    /// `http://ADDRESS`
    pub(super) url: String,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Desk {
    #[expect(clippy::disallowed_methods, reason = "the other side of a test runs beside it")]
    pub(super) async fn open(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let desk =
            Self { url: format!("http://{}", listener.local_addr().unwrap()), log: Arc::default() };
        let log = Arc::clone(&desk.log);
        let answer = Arc::new(answer);
        let router = Router::new().fallback(move |request: Request| {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            async move {
                let asked = read(request).await;
                log.lock().unwrap().push(asked.clone());
                let reply = answer(&asked);
                let mut response = Response::builder().status(reply.status);
                for (name, value) in reply.headers {
                    response = response.header(name, value);
                }
                response.body(Body::from(reply.body)).unwrap()
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        desk
    }

    /// What it was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    /// `METHOD path` of everything it was asked.
    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }
}

async fn read(request: Request) -> Asked {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter();
    Asked {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        body: String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap(),
    }
}

/// A film: a header, an index that tells its length and its tracks, and `media` bytes.
pub(super) struct Film {
    pub(super) millis: u32,
    pub(super) tracks: Vec<&'static [u8; 4]>,
    pub(super) media: usize,
}

impl Film {
    /// With picture and sound.
    pub(super) fn of_secs(secs: u32) -> Self {
        Self { millis: secs * 1_000, tracks: vec![b"vide", b"soun"], media: 200_000 }
    }

    /// Its bytes, the index last: as cameras and careless encoders write it.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let head = boxed(b"ftyp", b"isom\0\0\0\0");
        let media = boxed(b"mdat", &vec![7; self.media]);
        [head, media, self.index()].concat()
    }

    /// Its bytes, the index first: as it should be on the web.
    pub(super) fn streamable(&self) -> Vec<u8> {
        let head = boxed(b"ftyp", b"isom\0\0\0\0");
        let media = boxed(b"mdat", &vec![7; self.media]);
        [head, self.index(), media].concat()
    }

    fn index(&self) -> Vec<u8> {
        let numbers = [0_u32, 0, 0, 1_000, self.millis].map(u32::to_be_bytes).concat();
        let mut index = boxed(b"mvhd", &[numbers, vec![0; 80]].concat());
        for track in &self.tracks {
            let hdlr = boxed(b"hdlr", &[&[0; 8][..], &track[..], &[0; 13]].concat());
            index.extend(boxed(b"trak", &boxed(b"mdia", &hdlr)));
        }
        boxed(b"moov", &index)
    }
}

fn boxed(name: &[u8], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes()[..], name, content].concat()
}
