//! Status pages over real HTTP: every product, what is remembered, what is refused.

use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::engine::Thresholds;
use heygen_monitor::engine::page::ComponentMap;
use heygen_monitor::engine::schedule::Schedule;
use heygen_monitor::http_client::{ClientOptions, HostEntry, HostTable, HttpClient};
use heygen_monitor::model::{
    Capability, ComponentState, Impact, Observation, Outcome, Page, PageEvent, Phase, Product,
    SourceReading, SourceRole, Timestamp,
};
use heygen_monitor::probe::status_page::{HtmlSelectors, StatusPageCheck, read_once};
use heygen_monitor::probe::{CheckSpec, ProbeDeps, ProbeSpec, Prober, Run, Worker, worker};
use url::Url;

mod products;
mod recorded;
mod site;

use site::{Reply, Site};

const TIMEOUT: Duration = Duration::from_secs(10);

fn check(urls: Vec<Url>) -> StatusPageCheck {
    StatusPageCheck {
        urls,
        role: SourceRole::Primary,
        replaces: Vec::new(),
        map: ComponentMap {
            components: vec![("api.acme.example".into(), Capability::Api)],
            incidents: Vec::new(),
        },
        html: None,
    }
}

fn client(hosts: HostTable) -> HttpClient {
    HttpClient::new(&ClientOptions { hosts, ..ClientOptions::default() }).unwrap()
}

async fn read(url: Url) -> Result<Page, String> {
    let http = client(HostTable::default());
    read_once(&check(vec![url]), &http, &Clock::system(), TIMEOUT).await
}

/// A source with its memory.
struct Source {
    prober: std::sync::Arc<dyn Prober>,
    clock: Clock,
}

impl Source {
    fn new(check: StatusPageCheck) -> Self {
        Self::with(check, HostTable::default(), 1.0)
    }

    fn with(check: StatusPageCheck, hosts: HostTable, factor: f64) -> Self {
        let origin: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(origin, factor);
        let deps = ProbeDeps {
            http: client(hosts),
            clock: clock.clone(),
            base_url: "https://api.heygen.com".parse().unwrap(),
            api_key: Some(heygen_monitor::secret::Secret::new("sk-never-to-be-sent")),
            second_resolvers: Vec::new(),
            show_titles: false,
            instance: "test".to_owned(),
            submit_timeout: TIMEOUT,
        };
        let spec = ProbeSpec {
            name: "heygen".into(),
            schedule: Schedule::Every(Duration::from_mins(1)),
            timeout: TIMEOUT,
            capabilities: Vec::new(),
            thresholds: Thresholds::default(),
            check: CheckSpec::StatusPage(check),
        };
        let Worker::Looks(prober) = worker(&spec, &deps) else { panic!("a probe that looks") };
        Self { prober, clock }
    }

    async fn run(&self) -> (Observation, SourceReading) {
        let mut step = self.prober.run(Run::looking(TIMEOUT, false)).await;
        assert_eq!(step.observations.len(), 1);
        (step.observations.remove(0), *step.reading.unwrap())
    }

    async fn page(&self) -> Page {
        self.run().await.1.page.unwrap()
    }
}

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/status/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// `name=state` of every row, with its group.
fn rows(page: &Page) -> Vec<String> {
    let row = |row: &heygen_monitor::model::Component| {
        let group = row.group.as_ref().map(|group| format!("{group}/")).unwrap_or_default();
        format!("{group}{}={}", row.name, row.state)
    };
    page.components.iter().map(row).collect()
}

fn titles(events: &[PageEvent]) -> Vec<&str> {
    events.iter().map(|event| event.title.as_str()).collect()
}

async fn incident_io() -> Site {
    Site::with([
        ("/api/v2/summary.json", Reply::json(fixture("incident_io_summary.json"))),
        ("/api/v2/components.json", Reply::json(fixture("incident_io_components.json"))),
        ("/api/v2/incidents.json", Reply::json(fixture("incident_io_incidents.json"))),
    ])
    .await
}

/// What Next.js makes of data in a page: JSON in a JavaScript string, cut anywhere.
fn flight_html(head: &str, data: &str) -> String {
    let row = format!("5:[\"$\",\"$L1\",null,{data}]\n");
    let middle = row.char_indices().nth(row.chars().count() / 2).unwrap().0;
    let (first, second) = row.split_at(middle);
    let chunk = |text: &str| {
        format!("<script>self.__next_f.push([1,{}])</script>", serde_json::to_string(text).unwrap())
    };
    format!(
        "<!DOCTYPE html><html><head>{head}</head><body>{}{}</body></html>",
        chunk(first),
        chunk(second)
    )
}

#[tokio::test]
async fn incident_io_json_is_completed_from_its_three_documents() {
    let site = incident_io().await;
    let page = read(site.url.clone()).await.unwrap();
    assert_eq!((page.product.as_str(), page.name.as_str()), ("incident_io", "Acme Video"));
    assert_eq!(
        rows(&page),
        [
            "https://api.acme.example=operational",
            "Uploads=major_outage",
            "Uploads=unknown",
            "Rendering=degraded_performance",
        ]
    );
    assert_eq!(page.components[2].raw, "sort_of_fine");
    assert_eq!(titles(&page.incidents), ["Renders are slow", "A phase nobody knows"]);
    let slow = &page.incidents[0];
    assert_eq!((slow.phase, slow.impact), (Phase::Monitoring, Impact::Minor));
    assert_eq!(slow.updates[0].text, "A fix is out.\nWe are watching.");
    assert_eq!(page.incidents[1].phase, Phase::Unknown);
    assert_eq!(page.state, ComponentState::MajorOutage, "{:?}", page.warnings);
    assert!(
        page.warnings.iter().any(|warning| warning.contains("2 of 5 rows")),
        "{:?}",
        page.warnings
    );
    assert!(
        page.warnings.iter().any(|warning| warning.contains("`pondering`")),
        "{:?}",
        page.warnings
    );
}

#[tokio::test]
async fn incident_io_is_read_from_its_own_json_and_from_its_html_alike() {
    let json = fixture("incident_io_proxy.json");
    let by_json = Site::with([("/proxy/127.0.0.1", Reply::json(json.clone()))]).await;
    let compact: serde_json::Value = serde_json::from_str(&json).unwrap();
    let html = flight_html("<title>Acme</title>", &compact.to_string());
    let by_html = Site::with([("/", Reply::html(html))]).await;
    let page = read(by_json.url.clone()).await.unwrap();
    assert_eq!(page.product, Product::INCIDENT_IO);
    assert_eq!(rows(&page), ["API=operational", "Studio/Rendering=major_outage"]);
    let incident = &page.incidents[0];
    assert_eq!((incident.title.as_str(), incident.impact), ("Renders fail", Impact::Major));
    let texts: Vec<&str> = incident.updates.iter().map(|update| update.text.as_str()).collect();
    assert_eq!(texts[1], "We are looking.", "oldest last");
    assert_eq!(titles(&page.maintenances), ["Database work"]);
    assert_eq!(page.maintenances[0].ends_at, Some("2026-02-01T02:00:00Z".parse().unwrap()));
    let other = read(by_html.url.clone()).await.unwrap();
    assert_eq!(rows(&other), rows(&page));
    assert_eq!(
        other.incidents[0].updates[0].text, "Found it.\nSoon.",
        "a reference is not the text"
    );
}

#[tokio::test]
async fn statuspage_json_and_html() {
    let site =
        Site::with([("/api/v2/summary.json", Reply::json(fixture("statuspage_summary.json")))])
            .await;
    let page = read(site.url.clone()).await.unwrap();
    assert_eq!(page.product, Product::STATUSPAGE);
    assert_eq!(rows(&page), ["Group/API=operational", "Site=under_maintenance"]);
    assert_eq!(titles(&page.incidents), ["Logins fail for some"], "whatever the indicator says");
    assert_eq!(page.incidents[0].components, ["aaaaaaaaaaa2"]);
    assert_eq!(titles(&page.maintenances), ["Upgrade"]);
    assert_eq!(page.state, ComponentState::UnderMaintenance);

    let site = Site::with([("/", Reply::html(fixture("statuspage.html")))]).await;
    let page = read(site.url.clone()).await.unwrap();
    assert_eq!(page.product, Product::STATUSPAGE);
    assert_eq!(rows(&page), ["Group/API=major_outage", "Site=operational"]);
    let incident = &page.incidents[0];
    assert_eq!((incident.title.as_str(), incident.phase), ("API & site down", Phase::Identified));
    assert_eq!(incident.updates[0].text, "Still at it.");
    assert_eq!(page.state, ComponentState::MajorOutage);
}

#[tokio::test]
async fn instatus_json_and_html() {
    let site = Site::with([
        ("/summary.json", Reply::json(fixture("instatus_summary.json"))),
        ("/v2/components.json", Reply::json(fixture("instatus_components.json"))),
    ])
    .await;
    let page = read(site.url.clone()).await.unwrap();
    assert_eq!(page.product, Product::INSTATUS);
    assert_eq!(
        rows(&page),
        ["API=major_outage", "Studio/Rendering=partial_outage", "Web/Docs=operational"]
    );
    assert_eq!(titles(&page.incidents), ["Uploads fail"]);
    assert_eq!(page.maintenances[0].ends_at, Some("2026-01-02T05:00:00Z".parse().unwrap()));
    assert_eq!(page.state, ComponentState::MajorOutage, "UP is the page's word, not the truth");

    let data = r#"{"site":{"id":"s","name":{"default":"Acme"},"customDomain":"status.acme.example","status":"UP",
        "components":[{"id":"c1","name":{"default":"API"},"status":"OPERATIONAL"},{"id":"c2","name":{"default":"Old"},"status":"MAJOROUTAGE","archivedAt":"2020-01-01"}]},
        "activeIncidents":[{"id":"i","name":{"default":"Trouble"},"status":"MONITORING","impact":"DEGRADEDPERFORMANCE","updates":[{"status":"MONITORING","message":{"default":"<p>Better</p>"}}]}],
        "activeMaintenances":[]}"#;
    let next = format!(
        "<script id=\"__NEXT_DATA__\" type=\"application/json\">{{\"props\":{{\"pageProps\":{data}}}}}</script>"
    );
    for html in [flight_html("", data), next] {
        let site = Site::with([("/", Reply::html(html))]).await;
        let page = read(site.url.clone()).await.unwrap();
        assert_eq!(
            (page.product.clone(), rows(&page)),
            (Product::INSTATUS, vec!["API=operational".to_owned()])
        );
        assert_eq!(page.incidents[0].updates[0].text, "Better");
        assert_eq!(page.state, ComponentState::DegradedPerformance);
    }
}

#[tokio::test]
async fn better_stack_json_and_html() {
    // Better Stack answers HTML with 200 where others have their JSON.
    let html = Reply::html(fixture("better_stack.html"));
    let site = Site::with([
        ("/index.json", Reply::json(fixture("better_stack_index.json"))),
        ("/api/v2/summary.json", html.clone()),
        ("/", html.clone()),
    ])
    .await;
    let page = read(site.url.clone()).await.unwrap();
    assert_eq!(page.product, Product::BETTER_STACK);
    assert_eq!(rows(&page), ["Core/API=degraded_performance", "Core/Jobs=unknown"]);
    assert_eq!(titles(&page.incidents), ["API slow"]);
    assert_eq!(page.incidents[0].updates[0].text, "We are looking.");
    assert_eq!(titles(&page.maintenances), ["Planned"]);
    site.remove("/index.json");
    let page = read(site.url.clone()).await.unwrap();
    assert_eq!(page.product, Product::BETTER_STACK);
    assert_eq!(
        rows(&page),
        [
            "Services/Website=operational",
            "Services/Dashboard=operational",
            "Jobs/Linux=unknown",
            "Jobs/Mac=unknown",
            "Jobs=major_outage",
        ]
    );
}

#[tokio::test]
async fn feeds_yield_open_incidents_and_never_green() {
    for (path, name, product, open, state) in [
        (
            "/history.atom",
            "incident_io.atom",
            Product::INCIDENT_IO,
            vec!["Renders fail"],
            ComponentState::PartialOutage,
        ),
        (
            "/history.atom",
            "statuspage.atom",
            Product::STATUSPAGE,
            vec!["API errors"],
            ComponentState::Unknown,
        ),
        (
            "/feed.rss",
            "generic.rss",
            Product::FEED,
            vec!["Investigating - Renders fail"],
            ComponentState::Unknown,
        ),
    ] {
        let site = Site::with([(path, Reply::xml(fixture(name)))]).await;
        let page = read(site.url.clone()).await.unwrap();
        assert_eq!((page.product.clone(), titles(&page.incidents)), (product, open), "{name}");
        assert_eq!((page.state, page.components.len()), (state, 0), "{name}");
        assert_eq!(
            read(site.at(path)).await.unwrap(),
            Page { url: read(site.at(path)).await.unwrap().url, ..page }
        );
    }
}

#[tokio::test]
async fn an_empty_feed_is_read_and_says_nothing() {
    let rss = "<rss version=\"2.0\"><channel><title>Acme</title><link>https://x.example/</link><description>d</description></channel></rss>";
    let site = Site::with([("/en/feed/", Reply::ok("application/rss+xml", rss))]).await;
    let page = read(site.at("/en/feed/")).await.unwrap();
    assert_eq!((page.product, page.state), (Product::FEED, ComponentState::Unknown));
}

#[tokio::test]
async fn any_page_is_read_with_configured_selectors() {
    let site = Site::with([("/health", Reply::html(fixture("custom.html")))]).await;
    let selectors = HtmlSelectors {
        component: "li.svc".into(),
        name: "b".into(),
        state: "i.dot".into(),
        state_attribute: Some("class".into()),
        states: vec![
            ("green".into(), ComponentState::Operational),
            ("red".into(), ComponentState::MajorOutage),
        ],
        incident: Some(".alert".into()),
    };
    let mut check = check(vec![site.at("/health")]);
    check.html = Some(selectors);
    let source = Source::new(check.clone());
    let page = source.page().await;
    assert_eq!(page.product, Product::HTML);
    assert_eq!(rows(&page), ["API=operational", "Rendering=major_outage", "Docs=unknown"]);
    assert_eq!(titles(&page.incidents), ["Renders are failing"]);
    check.html.as_mut().unwrap().state_attribute = None;
    site.set("/health", Reply::html("<li class=svc><b>API</b> <i class=dot>Not green</i>"));
    let page = Source::new(check).page().await;
    assert_eq!(rows(&page), ["API=unknown"], "a word within a sentence is not the state");
    site.set("/health", Reply::html("<html><body>We have a new design!</body></html>"));
    let (observation, reading) = source.run().await;
    assert_eq!(observation.outcome, Outcome::Malformed);
    assert!(reading.page.unwrap_err().contains("nothing that matches `li.svc`"));
}

#[tokio::test]
async fn nothing_that_blocks_breaks_or_lies_is_ever_green() {
    let html = "<html><body>Hello</body></html>";
    let challenge = "<html><head><title>Just a moment...</title></head></html>";
    for (reply, outcome) in [
        (Reply::html(challenge), Outcome::Blocked),
        (Reply::html(html).header("cf-mitigated", "challenge"), Outcome::Blocked),
        (Reply::status(403), Outcome::Blocked),
        (Reply::status(405).header("x-amzn-waf-action", "captcha"), Outcome::Blocked),
        (Reply::status(202), Outcome::Blocked),
        (Reply::status(429), Outcome::RateLimited),
        (Reply::status(503), Outcome::Unavailable),
        (Reply::status(500), Outcome::ServerError),
        (Reply::status(502), Outcome::GatewayError),
        (Reply::status(404), Outcome::Malformed),
        (Reply::status(401), Outcome::Malformed),
        (Reply::status(204), Outcome::Malformed),
        (Reply::status(304), Outcome::Malformed),
        (Reply::html(html), Outcome::Malformed),
        (Reply::json("{\"page\":{}}"), Outcome::Malformed),
        (Reply::json("[1,2,3]"), Outcome::Malformed),
        (Reply::json("{\"status\":"), Outcome::Malformed),
        (Reply::json(vec![b'{'; 3 << 20]), Outcome::Malformed),
        (
            Reply::status(302).header("location", "https://status.elsewhere.example/"),
            Outcome::Malformed,
        ),
        (Reply::status(302).header("location", "/inactive"), Outcome::Malformed),
        (Reply::status(302).header("location", "/api/v2/summary.json"), Outcome::Malformed),
    ] {
        let site = Site::start().await;
        site.set_elsewhere(reply.clone());
        let source = Source::new(check(vec![site.url.clone()]));
        let (observation, reading) = source.run().await;
        assert_eq!(observation.outcome, outcome, "{:?}", observation.evidence);
        assert!(reading.page.is_err());
        assert!(observation.evidence.is_some() && observation.answered);
    }
}

#[tokio::test]
async fn a_move_to_another_host_is_named_and_not_followed() {
    let new = incident_io().await;
    let old = Site::start().await;
    old.set_elsewhere(Reply::status(301).header("location", new.at("/?token=t#f").as_str()));
    let text = read(old.url.clone()).await.unwrap_err();
    assert!(text.ends_with(&format!("has moved to {}", new.url)), "{text}");
    assert_eq!(new.take_paths(), [""; 0]);
}

#[tokio::test]
async fn redirects_within_the_host_are_followed() {
    let site = incident_io().await;
    site.set("/v2", Reply::json(fixture("incident_io_summary.json")));
    site.set("/api/v2/summary.json", Reply::status(307).header("location", "/v2"));
    assert_eq!(read(site.url.clone()).await.unwrap().product, Product::INCIDENT_IO);
}

#[tokio::test]
async fn a_host_that_answers_the_same_everywhere_is_unusable() {
    let site = Site::start().await;
    site.set_elsewhere(Reply::json(fixture("statuspage_summary.json")));
    let text = read(site.url.clone()).await.unwrap_err();
    assert!(text.contains("the same at every address"), "{text}");
}

#[tokio::test]
async fn what_was_detected_is_remembered_and_asked_conditionally() {
    let site = incident_io().await;
    let tagged = Reply::json(fixture("incident_io_summary.json")).header("etag", "\"one\"");
    site.set("/api/v2/summary.json", tagged);
    let source = Source::new(check(vec![site.url.clone()]));
    let (_, first) = source.run().await;
    site.take_requests();
    let (observation, second) = source.run().await;
    assert_eq!(observation.outcome, Outcome::Ok);
    assert!(second.at > first.at, "a page that did not change is fresh all the same");
    assert_eq!(second.page, first.page);
    let asked = site.take_requests();
    let paths: Vec<&str> = asked.iter().map(|asked| asked.path.as_str()).collect();
    assert_eq!(
        paths,
        ["/api/v2/summary.json", "/api/v2/components.json", "/api/v2/incidents.json"]
    );
    assert_eq!(asked[0].header("if-none-match"), Some("\"one\""));
    for asked in asked {
        assert!(!format!("{asked:?}").contains("sk-never-to-be-sent"));
        assert!(asked.header("user-agent").unwrap().starts_with("heygen-monitor/"));
    }
}

#[tokio::test]
async fn a_page_that_turns_into_html_is_unknown_and_then_detected_anew() {
    let site = incident_io().await;
    let source = Source::new(check(vec![site.url.clone()]));
    source.page().await;
    for path in ["/api/v2/summary.json", "/api/v2/components.json", "/api/v2/incidents.json"] {
        site.set(path, Reply::html("<html>moved</html>"));
    }
    site.set("/summary.json", Reply::json(fixture("instatus_summary.json")));
    for _ in 0..2 {
        let (observation, reading) = source.run().await;
        assert_eq!(observation.outcome, Outcome::Malformed);
        assert!(reading.page.unwrap_err().contains("text/html instead of JSON"));
    }
    let page = source.page().await;
    assert_eq!(page.product, Product::INSTATUS);
    let lost = page.components.iter().find(|row| row.name == "https://api.acme.example").unwrap();
    assert_eq!(lost.state, ComponentState::Unknown, "what was mapped is missed");
}

#[tokio::test]
async fn a_mapped_row_that_vanishes_is_unknown_and_warned_about() {
    let site = incident_io().await;
    let source = Source::new(check(vec![site.url.clone()]));
    source.page().await;
    let without = |name: &str| {
        fixture(name)
            .replace("01HZZZZZZZZZZZZZZZZZZZAAA1", "01HZZZZZZZZZZZZZZZZZZZAAA9")
            .replace("https://api.acme.example", "Core")
    };
    site.set("/api/v2/summary.json", Reply::json(without("incident_io_summary.json")));
    site.set("/api/v2/components.json", Reply::json(without("incident_io_components.json")));
    let page = source.page().await;
    let lost = page.components.iter().find(|row| row.id.ends_with("AAA1")).unwrap();
    assert_eq!(
        (lost.name.as_str(), lost.state),
        ("https://api.acme.example", ComponentState::Unknown)
    );
    assert!(page.warnings.iter().any(|warning| warning.contains("is gone from the page")));
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let site = incident_io().await;
    let summary = Reply::json(fixture("incident_io_summary.json"));
    let source = Source::with(check(vec![site.url.clone()]), HostTable::default(), 25.0);
    source.page().await;
    site.set("/api/v2/summary.json", Reply::status(429).header("retry-after", "30"));
    let (observation, _) = source.run().await;
    assert_eq!(observation.outcome, Outcome::RateLimited);
    assert_eq!(observation.evidence.unwrap().retry_after_secs, Some(30));
    site.set("/api/v2/summary.json", summary);
    site.take_requests();
    let (observation, reading) = source.run().await;
    assert_eq!(observation.outcome, Outcome::RateLimited);
    assert!(reading.page.unwrap_err().contains("not asked before"));
    assert_eq!(site.take_paths(), [""; 0]);
    source.clock.sleep(Duration::from_secs(31)).await;
    source.page().await;
}

/// Two names of one page on loopback, as the configuration would have them.
fn named(site: &Site, name: &str) -> (Url, HostTable) {
    let address = format!("{}:{}", site.url.host_str().unwrap(), site.url.port().unwrap());
    let entry = HostEntry::Addresses(vec![address.parse().unwrap()]);
    (format!("http://{name}/").parse().unwrap(), HostTable::new([(name.to_owned(), entry)]))
}

#[tokio::test]
async fn a_page_that_says_it_is_another_one_is_refused() {
    let site = incident_io().await;
    let (url, hosts) = named(&site, "status.other.example");
    let source = Source::with(check(vec![url]), hosts, 1.0);
    let (observation, reading) = source.run().await;
    assert_eq!(observation.outcome, Outcome::Malformed);
    assert!(reading.page.unwrap_err().contains("belongs to https://status.acme.example/"));
}

#[tokio::test]
async fn an_alternate_is_read_when_the_first_address_is_blocked() {
    let (blocked, site) = (Site::start().await, incident_io().await);
    blocked.set_elsewhere(Reply::status(405));
    let source = Source::new(check(vec![blocked.url.clone(), site.url.clone()]));
    assert_eq!(source.page().await.product, Product::INCIDENT_IO);
    assert_eq!(blocked.take_paths().len(), 1, "a blocked host is not asked on");
}

#[tokio::test]
async fn a_known_id_is_accepted_under_another_name() {
    let site = incident_io().await;
    let (url, hosts) = named(&site, "status.acme.example");
    let source = Source::with(check(vec![url]), hosts, 1.0);
    source.page().await;
    let summary = fixture("incident_io_summary.json");
    site.set(
        "/api/v2/summary.json",
        Reply::json(summary.replace("status.acme.example/", "renamed.example/")),
    );
    source.page().await;
}

#[tokio::test]
async fn a_host_that_is_not_there_is_a_transport_failure() {
    let site = Site::start().await;
    let url = site.url.clone();
    let (gone, hosts) = (
        "http://gone.example/".parse().unwrap(),
        HostTable::new([("gone.example".to_owned(), HostEntry::Unknown)]),
    );
    let source = Source::with(check(vec![gone]), hosts, 1.0);
    let (observation, _) = source.run().await;
    assert_eq!((observation.outcome, observation.answered), (Outcome::DnsFailed, false));
    assert!(observation.transport.is_some());
    assert!(read(url).await.is_err());
}
