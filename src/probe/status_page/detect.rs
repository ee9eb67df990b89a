//! Which documents an address may be read by, in which order.
//!
//! Pure: addresses in, candidates out. Invariants: every candidate stays on the host of the address;
//! a host is not asked for what only others serve.

use url::Url;

use super::form::{Form, Media};
use super::{FORMS, feed, markup};

/// One way to read an address.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// The form.
    pub(super) form: Form,
    /// The addresses of its documents; the first must be there.
    pub(super) urls: Vec<Url>,
}

/// Every candidate for an address, best first.
///
/// An address without a path is the page itself. One that ends with a document of a known form
/// names the page before it. Any other may be a document of its own or the page of a sub-page.
pub(super) fn candidates(address: &Url) -> Vec<Candidate> {
    let path = address.path().to_owned();
    let named = FORMS.iter().find_map(|form| {
        let document = form.paths.first().filter(|document| !document.is_empty())?;
        path.strip_suffix(bare(document))
            .filter(|base| base.ends_with('/'))
            .map(|base| (*document, base))
    });
    let mut base = address.clone();
    base.set_query(None);
    base.set_fragment(None);
    let Some((document, base_path)) = named else {
        let mut found = if path == "/" { Vec::new() } else { documents_at(address) };
        base.set_path(&format!("{}/", path.trim_end_matches('/')));
        let asked = FORMS.iter().filter(|form| is_asked(form, address));
        found.extend(asked.flat_map(|form| below(form, address, &base)));
        return found;
    };
    base.set_path(base_path);
    let (first, rest): (Vec<Form>, Vec<Form>) =
        FORMS.iter().partition(|form| form.paths.first() == Some(&document));
    let rest = rest.iter().filter(|form| is_asked(form, address));
    first.iter().chain(rest).flat_map(|form| below(form, &base, &base)).collect()
}

/// The document's path without what leads to it and what is asked of it.
fn bare(document: &str) -> &str {
    document.trim_start_matches('/').split('?').next().unwrap_or_default()
}

/// Whether the host of an address may serve the form.
fn is_asked(form: &Form, address: &Url) -> bool {
    form.hosts.is_empty() || address.host_str().is_some_and(|host| form.hosts.contains(&host))
}

/// The address itself as a document of every JSON and feed form.
fn documents_at(address: &Url) -> Vec<Candidate> {
    let alone = |form: &Form| Candidate { form: *form, urls: vec![address.clone()] };
    FORMS.iter().filter(|form| form.media != Media::Html).map(alone).collect()
}

/// A form's documents below `base`; the page itself for a form of the page itself.
fn below(form: &Form, page: &Url, base: &Url) -> Vec<Candidate> {
    hosts(form, base)
        .into_iter()
        .filter_map(|host| {
            let url = |path: &&str| match *path {
                "" => Ok(page.clone()),
                path => base.join(&path.replace("{host}", &host).replace("{slug}", &slug(page))),
            };
            let urls = form.paths.iter().map(url).collect::<Result<Vec<Url>, _>>().ok()?;
            Some(Candidate { form: *form, urls })
        })
        .collect()
}

/// The names under which a form may know the host: with a port of its own, with and without it.
fn hosts(form: &Form, base: &Url) -> Vec<String> {
    let host = base.host_str().unwrap_or_default().to_owned();
    let names_host = form.paths.iter().any(|path| path.contains("{host}"));
    match base.port() {
        Some(port) if names_host => vec![format!("{host}:{port}"), host],
        _ => vec![host],
    }
}

/// The last part of a page's path, by which some products know it.
fn slug(page: &Url) -> String {
    let last = page.path().rsplit('/').find(|part| !part.is_empty());
    last.unwrap_or("default").to_owned()
}

/// The feeds that a page links to, on its own host.
pub(super) fn linked_feeds(page: &Url, html: &[u8]) -> Vec<Candidate> {
    let Ok(html) = markup::document(&String::from_utf8_lossy(html)) else {
        return Vec::new();
    };
    markup::all(&html, r#"link[rel="alternate"][type="application/atom+xml"], link[rel="alternate"][type="application/rss+xml"]"#)
        .iter()
        .filter_map(|link| page.join(link.attr("href")?).ok())
        .filter(|url| url.host_str() == page.host_str() && url.scheme() == page.scheme())
        .take(2)
        .map(|url| Candidate { form: feed::FORMS[0], urls: vec![url] })
        .collect()
}

/// An address beside a document at which nothing can be: what answers the same there as here says
/// nothing.
pub(super) fn bogus_sibling(document: &Url) -> Option<Url> {
    let name = "heygen-monitor-asks-for-what-cannot-exist";
    let is_json = document.path().rsplit('.').next() == Some("json");
    document.join(&if is_json { format!("{name}.json") } else { name.to_owned() }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(address: &str) -> Vec<String> {
        let candidates = candidates(&address.parse().unwrap());
        candidates.iter().map(|candidate| candidate.urls[0].path().to_owned()).collect()
    }

    #[test]
    fn a_host_is_tried_json_first_then_html_then_feeds() {
        let tried = addresses("https://status.heygen.com");
        assert_eq!(tried[0], "/api/v2/summary.json");
        assert!(tried.contains(&"/proxy/status.heygen.com".to_owned()));
        let place = |path: &str| tried.iter().position(|tried| tried == path).unwrap();
        assert!(place("/proxy/status.heygen.com") < place("/index.json"));
        assert!(place("/index.json") < place("/"));
        assert!(place("/") < place("/history.atom"));
    }

    #[test]
    fn a_named_document_says_where_the_page_is() {
        let tried = addresses("https://x.example/sub/api/v2/summary.json");
        assert_eq!(tried[0], "/sub/api/v2/summary.json");
        assert!(tried.contains(&"/sub/".to_owned()));
    }

    #[test]
    fn another_path_may_be_a_document_or_a_page() {
        let tried = addresses("https://x.example/en/feed/");
        assert_eq!(tried[0], "/en/feed/");
        assert!(tried.contains(&"/en/feed/api/v2/summary.json".to_owned()));
    }

    #[test]
    fn a_host_is_not_asked_for_what_only_others_serve() {
        let tried = addresses("https://status.heygen.com");
        for path in ["/public/currentevents", "/incidents.json", "/en-us/status/feed/"] {
            assert!(!tried.contains(&path.to_owned()), "{path}");
        }
        let tried = addresses("https://health.aws.amazon.com/health/status");
        assert!(tried.contains(&"/public/currentevents".to_owned()));
    }

    #[test]
    fn a_page_among_others_is_known_by_its_name() {
        let tried = addresses("https://x.example/kuma/status/acme/");
        assert!(tried.contains(&"/kuma/api/status-page/acme".to_owned()));
        let tried = addresses("https://x.example");
        assert!(tried.contains(&"/api/status-page/default".to_owned()));
    }

    #[test]
    fn every_candidate_stays_on_the_host() {
        for address in ["https://a.example", "https://a.example/b//c?d=e", "http://127.0.0.1:99/x"]
        {
            let address: Url = address.parse().unwrap();
            for candidate in candidates(&address) {
                for url in candidate.urls {
                    assert_eq!(url.origin(), address.origin(), "{url}");
                }
            }
        }
    }

    #[test]
    fn feeds_are_found_by_their_links_on_the_same_host_alone() {
        let page: Url = "https://a.example/".parse().unwrap();
        let html = br#"<link rel="alternate" type="application/atom+xml" href="/x.atom">
            <link rel="alternate" type="application/rss+xml" href="https://evil.example/x.rss">"#;
        let found: Vec<String> =
            linked_feeds(&page, html).into_iter().map(|found| found.urls[0].to_string()).collect();
        assert_eq!(found, ["https://a.example/x.atom"]);
    }
}
