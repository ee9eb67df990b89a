//! A file on another host, read in parts.
//!
//! Owns ranged reads and the walk along the boxes of a film. Carries no key, follows a redirect
//! three times. Invariant: bounded in requests and in bytes, whatever the host answers.

use url::Url;

use super::mp4::{self, Film, HEADER_BYTES};
use crate::http_client::{Exchange, HttpClient, Limits, Request, is_loopback};

/// A part is at least this long.
const PART_BYTES: usize = 64 << 10;
/// The longest `moov` box that is read.
const MOOV_BYTES: u64 = 8 << 20;
/// Where parts cannot be had, a file is read whole up to here.
const WHOLE_BYTES: usize = 16 << 20;
/// Requests for one file.
const REQUESTS: u32 = 12;
/// Redirects that are followed.
const REDIRECTS: u32 = 3;
/// Boxes at the top of a film; a fragmented one has two for each fragment.
const BOXES: usize = 200;

/// Whether files may lie on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::probe) enum Reach {
    /// HeyGen's files do not.
    Public,
    /// HeyGen itself does, in demonstrations and tests; or the operator wrote so.
    Loopback,
}

/// Why a file is not as wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It is bad; goes on after "the file … ".
    Bad(String),
    /// It could not be read.
    Unreachable(String),
}

/// A file, and the part of it that is at hand.
pub(super) struct Remote<'a> {
    http: &'a HttpClient,
    url: Url,
    reach: Reach,
    requests: u32,
    head: Vec<u8>,
    start: u64,
    part: Vec<u8>,
    length: Option<u64>,
    media_type: Option<String>,
}

impl<'a> Remote<'a> {
    /// Reads the beginning of a file.
    pub(super) async fn open(
        http: &'a HttpClient,
        url: Url,
        reach: Reach,
    ) -> Result<Self, Trouble> {
        let mut remote = Self {
            http,
            url,
            reach,
            requests: REQUESTS,
            head: Vec::new(),
            start: 0,
            part: Vec::new(),
            length: None,
            media_type: None,
        };
        let exchange = remote.fetch(0, PART_BYTES).await?;
        remote.media_type = exchange.header("content-type").map(str::to_owned);
        remote.keep(0, exchange);
        remote.head.clone_from(&remote.part);
        Ok(remote)
    }

    /// The first bytes.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Bytes of the whole file, where the host says so.
    pub(super) fn length(&self) -> Option<u64> {
        self.length
    }

    /// `Content-Type`.
    pub(super) fn media_type(&self) -> Option<&str> {
        self.media_type.as_deref()
    }

    /// Bytes from `start`; fewer where the file ends.
    async fn bytes(&mut self, start: u64, length: usize) -> Result<&[u8], Trouble> {
        if self.length.is_some_and(|length| start >= length) {
            return Ok(&[]);
        }
        if self.at_hand(start, length).is_none() {
            let exchange = self.fetch(start, length.max(PART_BYTES)).await?;
            self.keep(start, exchange);
        }
        let is_ranged = self.start == start || self.at_hand(start, length).is_some();
        if !is_ranged {
            let host = self.url.host_str().unwrap_or_default();
            return Err(Trouble::Unreachable(format!("{host} gives no parts of a large file")));
        }
        let offset = usize::try_from(start - self.start).unwrap_or(usize::MAX);
        let rest = self.part.get(offset..).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or(rest))
    }

    /// What is at hand of these bytes, if it is all of them or up to the end of the file.
    fn at_hand(&self, start: u64, length: usize) -> Option<()> {
        let offset = usize::try_from(start.checked_sub(self.start)?).ok()?;
        let end = self.start.saturating_add(self.part.len() as u64);
        let is_last = self.length == Some(end);
        let rest = self.part.len().checked_sub(offset)?;
        (rest >= length || is_last).then_some(())
    }

    fn keep(&mut self, asked: u64, exchange: Exchange) {
        let is_part = exchange.status != 200;
        let is_behind = exchange.status == 416;
        let whole = match exchange.header("content-range") {
            Some(range) if is_part => {
                range.rsplit('/').next().and_then(|all| all.trim().parse().ok())
            }
            _ if is_behind => Some(asked),
            _ if is_part => None,
            _ if exchange.truncated => {
                exchange.header("content-length").and_then(|all| all.parse().ok())
            }
            _ => Some(exchange.body.len() as u64),
        };
        self.length = whole.or(self.length);
        self.start = if is_part { asked } else { 0 };
        self.part = exchange.body;
    }

    async fn fetch(&mut self, start: u64, length: usize) -> Result<Exchange, Trouble> {
        let mut cap = length;
        for _ in 0..=REDIRECTS {
            let exchange = self.request(start, length, cap).await?;
            let is_late_whole = exchange.status == 200 && start > 0;
            match exchange.status {
                200 if is_late_whole && cap < WHOLE_BYTES => cap = WHOLE_BYTES,
                200 | 206 => return Ok(exchange),
                // Behind the end.
                416 if start > 0 => return Ok(Exchange { body: Vec::new(), ..exchange }),
                301 | 302 | 303 | 307 | 308 => self.redirected(&exchange)?,
                status => return Err(self.refused(status, start)),
            }
        }
        Err(Trouble::Bad("is redirected in a circle".to_owned()))
    }

    async fn request(
        &mut self,
        start: u64,
        length: usize,
        cap: usize,
    ) -> Result<Exchange, Trouble> {
        self.may_be_asked()?;
        self.requests = self.requests.checked_sub(1).ok_or_else(|| {
            Trouble::Unreachable("the file takes too many requests to be checked".to_owned())
        })?;
        let last = start.saturating_add(length as u64).saturating_sub(1);
        let limits = Limits { body_bytes: cap, ..Limits::FILE_PART };
        let mut request = Request::get(self.url.clone(), limits);
        if let Ok(range) = format!("bytes={start}-{last}").parse() {
            request = request.header("range", range);
        }
        self.http.send(request).await.map_err(|failure| Trouble::Unreachable(failure.text))
    }

    /// What answers tell us to fetch is not what an operator wrote.
    fn may_be_asked(&self) -> Result<(), Trouble> {
        if is_loopback(&self.url) && self.reach == Reach::Public {
            return Err(Trouble::Bad("is said to lie on this machine".to_owned()));
        }
        Ok(())
    }

    fn redirected(&mut self, exchange: &Exchange) -> Result<(), Trouble> {
        let target = exchange.header("location").and_then(|target| self.url.join(target).ok());
        self.url = target.ok_or_else(|| Trouble::Bad("is redirected to nowhere".to_owned()))?;
        Ok(())
    }

    fn refused(&self, status: u16, start: u64) -> Trouble {
        match status {
            416 if start == 0 => Trouble::Bad("is empty".to_owned()),
            408 | 429 => Trouble::Unreachable(format!("{status} for the file")),
            400..=499 => Trouble::Bad(format!("is refused with {status}")),
            201..=299 => Trouble::Bad(format!("is not there: {status}")),
            _ => {
                let host = self.url.host_str().unwrap_or_default();
                Trouble::Unreachable(format!("{status} from {host} for the file"))
            }
        }
    }
}

/// Walks along the boxes of a film, from the first to the last.
pub(super) async fn film(remote: &mut Remote<'_>) -> Result<Film, Trouble> {
    let mut at = 0;
    let mut found: Option<Film> = None;
    let mut has_media = false;
    for _ in 0..BOXES {
        let bytes = remote.bytes(at, HEADER_BYTES).await?;
        if bytes.is_empty() || at == u64::MAX {
            break;
        }
        let header = mp4::header(bytes)
            .ok_or_else(|| Trouble::Bad(format!("is truncated or damaged at byte {at}")))?;
        has_media |= matches!(&header.name, b"mdat" | b"moof");
        let end = match (header.size, remote.length) {
            (Some(size), _) => at.saturating_add(size),
            (None, Some(length)) => length,
            (None, None) => u64::MAX,
        };
        if let Some(length) = remote.length.filter(|length| end > *length) {
            return Err(Trouble::Bad(format!(
                "is truncated: its boxes announce {end} bytes, it has {length}"
            )));
        }
        if &header.name == b"moov" && found.is_none() {
            found = Some(moov(remote, at + header.length, end).await?);
        }
        at = end;
    }
    if remote.length.is_none() && at > 0 && at < u64::MAX {
        let is_there = !remote.bytes(at - 1, 1).await?.is_empty();
        if !is_there {
            return Err(Trouble::Bad(format!("is truncated before byte {at}")));
        }
    }
    let film =
        found.ok_or_else(|| Trouble::Bad("has no index (moov): it cannot be played".into()))?;
    if has_media { Ok(film) } else { Err(Trouble::Bad("holds no media data".to_owned())) }
}

async fn moov(remote: &mut Remote<'_>, start: u64, end: u64) -> Result<Film, Trouble> {
    let length = end.saturating_sub(start).min(MOOV_BYTES);
    let length = usize::try_from(length).unwrap_or(PART_BYTES);
    Ok(mp4::film(remote.bytes(start, length).await?))
}
