//! One run: which address and which form are read, what is accepted, what is remembered.
//!
//! Owns detection and its memory. Invariant: what is answered was read in this very run.

use std::collections::BTreeMap;

use url::Url;

use super::detect::{Candidate, bogus_sibling, candidates, linked_feeds};
use super::fetch::{FetchMemory, Fetcher, blocked, is_challenge};
use super::form::{Documents, Media, Reading, Refusal};
use super::trouble::{Reach, Trouble};
use super::watch::Watched;
use super::{HtmlSelectors, html};
use crate::engine::page::ComponentMap;
use crate::http_client::is_loopback;
use crate::model::{Outcome, Page};

/// Unreadable answers in a row after which the product is detected anew.
const FAILURES_BEFORE_DETECTION: u32 = 3;
/// After a failed detection the whole list is tried again at the latest in this many runs.
const MOST_RUNS_BETWEEN_DETECTIONS: u32 = 16;

/// Forms that may meet a server error before the host is left alone until the next run.
const MOST_SERVER_ERRORS: usize = 3;
/// Ids that one source may have had; a page has one.
const MOST_PAGE_IDS: usize = 16;

/// Which pages may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// A page that says it is another one is refused.
    Strict,
    /// It is only warned about.
    Warn,
}

/// What is to be read.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) urls: &'a [Url],
    pub(super) map: &'a ComponentMap,
    pub(super) html: Option<&'a HtmlSelectors>,
    pub(super) guard: Guard,
}

/// What is remembered between runs of one source.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    pub(super) fetch: FetchMemory,
    ways: BTreeMap<Url, Way>,
    page_ids: Vec<String>,
    watched: Watched,
}

/// What is remembered of one address.
#[derive(Debug, Clone, Default)]
struct Way {
    /// The form that was detected.
    found: Option<Candidate>,
    /// Unreadable answers in a row since.
    failures: u32,
    /// Failed detections in a row.
    detections: u32,
    /// Runs until the whole list is tried again.
    pause: u32,
}

/// Reads a source once: its addresses in order, until one can be read.
pub(super) async fn read(
    target: &Target<'_>,
    memory: &mut Memory,
    fetcher: &mut Fetcher<'_>,
) -> Result<Page, Trouble> {
    let mut first_trouble: Option<Trouble> = None;
    for address in target.urls {
        let mut way = memory.ways.remove(address).unwrap_or_default();
        let reading = read_address(target, address, &mut way, fetcher).await;
        let form = way.found.as_ref().map_or("", |found| found.form.name);
        memory.ways.insert(address.clone(), way.clone());
        match reading.and_then(|reading| accept(target, address, memory, reading)) {
            Ok(reading) => return Ok(memory.watched.complete(reading, form, target.map)),
            Err(trouble) => {
                first_trouble.get_or_insert(trouble);
            }
        }
    }
    Err(first_trouble.unwrap_or_else(|| Trouble::malformed("", "no address is configured")))
}

async fn read_address(
    target: &Target<'_>,
    address: &Url,
    way: &mut Way,
    fetcher: &mut Fetcher<'_>,
) -> Result<Reading, Trouble> {
    if let Some(selectors) = target.html {
        return read_selected(selectors, address, fetcher).await;
    }
    if let Some(found) = way.found.clone() {
        let reading = read_candidate(&found, address, fetcher).await;
        match &reading {
            Ok(_) => way.failures = 0,
            Err(trouble) if trouble.is_unreadable() => {
                way.failures += 1;
                found.urls.iter().for_each(|url| fetcher.forget(url));
            }
            Err(_) => {}
        }
        if way.failures < FAILURES_BEFORE_DETECTION {
            return reading;
        }
        // A vendor that moved to another product is the commonest cause of a lasting failure.
        *way = Way::default();
    }
    detect(address, way, fetcher).await
}

async fn read_selected(
    selectors: &HtmlSelectors,
    address: &Url,
    fetcher: &mut Fetcher<'_>,
) -> Result<Reading, Trouble> {
    let document = fetcher.get(address, Media::Html).await?;
    let bodies = [Some(document.body.clone())];
    let documents = Documents { address, bodies: &bodies, now: fetcher.now };
    html::read(selectors, &documents).map_err(|why| refusal(&why, address, &document.body))
}

/// Tries every candidate in order; the first that can be read is remembered, unless an earlier
/// one only failed for now.
async fn detect(
    address: &Url,
    way: &mut Way,
    fetcher: &mut Fetcher<'_>,
) -> Result<Reading, Trouble> {
    let mut troubles: Vec<Trouble> = Vec::new();
    let mut to_try = candidates(address);
    if way.pause > 0 {
        // Nothing was found lately: one document, not the whole list, until the pause is over.
        way.pause -= 1;
        let first = to_try.first().map(|candidate| candidate.urls.clone());
        to_try.retain(|candidate| {
            candidate.urls.first() == first.as_ref().and_then(|urls| urls.first())
        });
    }
    let mut linked = false;
    let mut at = 0;
    loop {
        while let Some(candidate) = to_try.get(at).cloned() {
            at += 1;
            match read_candidate(&candidate, address, fetcher).await {
                Ok(reading) => {
                    refuse_catch_all(&candidate, fetcher).await?;
                    let is_settled = troubles.iter().all(|trouble| trouble.reach != Reach::Passing);
                    *way = Way { found: is_settled.then_some(candidate), ..Way::default() };
                    return Ok(reading);
                }
                Err(trouble) if trouble.reach == Reach::Host => return Err(trouble),
                Err(trouble) => {
                    troubles.push(trouble);
                    if is_struggling(&troubles) {
                        return Err(most_telling(address, &troubles));
                    }
                }
            }
        }
        let page = if linked { None } else { fetcher.fetched(address) };
        linked = true;
        match page {
            Some(page) => to_try.extend(linked_feeds(address, &page.body)),
            None => break,
        }
    }
    way.detections = way.detections.saturating_add(1);
    if way.pause == 0 {
        way.pause = 2_u32.saturating_pow(way.detections).min(MOST_RUNS_BETWEEN_DETECTIONS) - 1;
    }
    Err(most_telling(address, &troubles))
}

/// A host that keeps failing is not asked through the whole list.
fn is_struggling(troubles: &[Trouble]) -> bool {
    let passing = troubles.iter().filter(|trouble| trouble.reach == Reach::Passing);
    passing.count() >= MOST_SERVER_ERRORS
}

/// Of what every form said, what tells people most.
fn most_telling(address: &Url, troubles: &[Trouble]) -> Trouble {
    let host = address.host_str().unwrap_or_default();
    let of = |wanted: &dyn Fn(&Trouble) -> bool| {
        troubles.iter().find(|trouble| wanted(trouble)).cloned()
    };
    of(&|trouble| trouble.reach == Reach::Passing)
        .or_else(|| of(&|trouble| trouble.outcome == Outcome::Blocked))
        .or_else(|| {
            of(&|trouble| trouble.status.is_some_and(|status| (300..400).contains(&status)))
        })
        .unwrap_or_else(|| {
            let text = format!("{host} serves no status page of a known product");
            Trouble::malformed(host, text)
        })
}

/// Fetches a candidate's documents and reads them; only the first must be there.
async fn read_candidate(
    candidate: &Candidate,
    address: &Url,
    fetcher: &mut Fetcher<'_>,
) -> Result<Reading, Trouble> {
    let Some((main, others)) = candidate.urls.split_first() else {
        return Err(Trouble::malformed("", "a form without documents"));
    };
    let document = fetcher.get(main, candidate.form.media).await?;
    let mut bodies = vec![Some(document.body.clone())];
    // Whether this is the product is known from the first document: ask for the rest only then.
    let read = |bodies: &[_], now| (candidate.form.read)(&Documents { address, bodies, now });
    let mut reading = read(&bodies, fetcher.now);
    let mut warnings = Vec::new();
    if reading.is_ok() && !others.is_empty() {
        for url in others {
            let other = fetcher.get(url, candidate.form.media).await;
            if let Err(trouble) = &other
                && trouble.status != Some(404)
            {
                warnings.push(format!("only part of the page was read: {}", trouble.text));
            }
            bodies.push(other.ok().map(|document| document.body));
        }
        reading = read(&bodies, fetcher.now);
    }
    let mut reading = reading.map_err(|why| refusal(&why, main, &document.body))?;
    reading.page.warnings.append(&mut warnings);
    Ok(reading)
}

/// A document that no reader takes: a challenge, somebody else's page, or a broken one.
fn refusal(why: &Refusal, url: &Url, body: &[u8]) -> Trouble {
    let host = url.host_str().unwrap_or_default();
    if is_challenge(body) {
        return blocked(host, 200);
    }
    let (Refusal::Foreign(text) | Refusal::Unusable(text)) = why;
    let reach = match why {
        Refusal::Foreign(_) => Reach::Document,
        Refusal::Unusable(_) => Reach::Host,
    };
    Trouble { reach, ..Trouble::malformed(host, format!("{host}{} {text}", url.path())) }
}

/// A host that answers the same at an address where nothing can be says nothing.
async fn refuse_catch_all(candidate: &Candidate, fetcher: &mut Fetcher<'_>) -> Result<(), Trouble> {
    let Some(main) = candidate.urls.first() else {
        return Ok(());
    };
    let Some(bogus) = bogus_sibling(main) else {
        return Ok(());
    };
    let here = fetcher.any(main).await?;
    match fetcher.any(&bogus).await {
        Ok(there) if there.body == here.body => {
            let host = main.host_str().unwrap_or_default();
            let text =
                format!("{host} answers the same at every address, so its answer means nothing");
            Err(Trouble { reach: Reach::Host, ..Trouble::malformed(host, text) })
        }
        _ => Ok(()),
    }
}

/// A page is accepted when the host it claims is one of the source's, or its id is known.
fn accept(
    target: &Target<'_>,
    address: &Url,
    memory: &mut Memory,
    mut reading: Reading,
) -> Result<Reading, Trouble> {
    let page = &reading.page;
    let claimed = Url::parse(&page.url).ok().and_then(|url| url.host_str().map(str::to_lowercase));
    let is_ours = claimed.as_deref().is_none_or(|claimed| {
        target
            .urls
            .iter()
            .any(|url| url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(claimed)))
    });
    let is_known = page.id.as_ref().is_some_and(|id| memory.page_ids.contains(id));
    let says = format!("the page says that it belongs to {}", page.url);
    if is_ours || is_known {
        let has_room = memory.page_ids.len() < MOST_PAGE_IDS;
        memory.page_ids.extend(page.id.clone().filter(|_| !is_known && has_room));
    } else if target.guard == Guard::Warn || is_loopback(address) {
        reading.page.warnings.push(says);
    } else {
        return Err(Trouble::malformed(address.host_str().unwrap_or_default(), says));
    }
    Ok(reading)
}
