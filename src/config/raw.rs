//! The TOML as it is written: the shapes that the JSON Schema is derived from.
//!
//! Owns names, nesting and plain types of every key, and nothing of their meaning: every value is
//! still optional text or a number here. Invariant: a tree that passed `structure` always
//! deserializes into [`Raw`].

mod jobs;
pub(super) mod route;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use jobs::{
    EngineWord, ModeWord, QualityWord, RawBudget, RawEvents, RawJobLimits, RawJobs, RawQueue,
    RawRender, RawReserve, RawSpeech, RawTranslation, ResolutionWord,
};
use route::{RawHeartbeat, RawMaintenance, RawRoute};

use super::word::{CapabilityWord, ComponentStateWord, DurationWord, OneOrMany, RoleWord, Table};

/// The configuration of heygen-monitor.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// Name of the place this monitor runs at; default: the host's name.
    pub(super) vantage: Option<String>,
    /// The capabilities this team depends on; default: all.
    pub(super) uses: Option<Vec<CapabilityWord>>,
    /// Zone in which people read times and cron expressions are meant, e.g. "Europe/Berlin";
    /// "system" is the host's own.
    pub(super) timezone: Option<String>,
    /// Whether job titles may be kept and shown; they are customer secrets.
    pub(super) show_titles: Option<bool>,
    /// Proxy for everything that leaves this machine; the environment's proxy is ignored.
    pub(super) proxy: Option<String>,
    /// HeyGen's API.
    pub(super) heygen: Option<RawHeygen>,
    /// Where history goes.
    pub(super) storage: Option<RawStorage>,
    /// The HTTP side.
    pub(super) web: Option<RawWeb>,
    /// What paid tests may cost.
    pub(super) budget: Option<RawBudget>,
    /// When jobs are late or stuck.
    pub(super) jobs: Option<RawJobs>,
    /// How failures are confirmed.
    pub(super) thresholds: Option<RawThresholds>,
    /// The status pages that are read; one in the file replaces the built-in one.
    pub(super) status_page: Option<Vec<RawStatusPage>>,
    /// The scheduled checks; one in the file replaces all built-in ones.
    pub(super) probe: Option<Vec<RawProbe>>,
    /// Where messages go.
    pub(super) channel: Option<Vec<RawChannel>>,
    /// Who is told of what: the first that matches decides; without a match everybody is told.
    pub(super) route: Option<Vec<RawRoute>>,
    /// Work of your own, during which nobody is told.
    pub(super) maintenance: Option<Vec<RawMaintenance>>,
    /// A sign of life for a watcher outside.
    pub(super) heartbeat: Option<RawHeartbeat>,
}

impl Raw {
    /// Takes from `defaults` every single value that is not written; lists are left alone.
    pub(super) fn filled_from(mut self, defaults: &Self) -> Self {
        let base = defaults.clone();
        self.uses = self.uses.or(base.uses);
        self.timezone = self.timezone.or(base.timezone);
        let heygen = base.heygen.unwrap_or_default();
        let ours = self.heygen.get_or_insert_default();
        ours.account = ours.account.take().or(heygen.account);
        ours.base_url = ours.base_url.take().or(heygen.base_url);
        let kept = base.storage.and_then(|storage| storage.retention).unwrap_or_default();
        let ours = self.storage.get_or_insert_default().retention.get_or_insert_default();
        ours.observations = ours.observations.take().or(kept.observations);
        ours.failures = ours.failures.take().or(kept.failures);
        let web = base.web.unwrap_or_default();
        let ours = self.web.get_or_insert_default();
        ours.listen = ours.listen.take().or(web.listen);
        self
    }
}

/// `[heygen]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHeygen {
    /// Name of the account, for people.
    pub(super) account: Option<String>,
    /// Where the API is; plain http for loopback addresses alone.
    pub(super) base_url: Option<String>,
    /// File that holds the API key; only its owner may read it.
    pub(super) api_key_file: Option<String>,
    /// Version of the API.
    pub(super) api_version: Option<ApiVersion>,
    /// Jobs that the account may have in flight at once.
    #[schemars(range(min = 1, max = 100_000))]
    pub(super) concurrency: Option<u32>,
}

/// Versions of HeyGen's API that this monitor speaks.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[schemars(title = "API version")]
pub(super) enum ApiVersion {
    #[serde(rename = "v3")]
    V3,
}

/// `[storage]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStorage {
    /// The database file.
    pub(super) path: Option<String>,
    /// How long history is kept.
    pub(super) retention: Option<RawRetention>,
}

/// `[storage.retention]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRetention {
    /// How long plain observations are kept.
    pub(super) observations: Option<DurationWord>,
    /// How long failures are kept, with their evidence.
    pub(super) failures: Option<DurationWord>,
}

/// `[web]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWeb {
    /// Address and port to listen on.
    pub(super) listen: Option<String>,
    /// Address of these pages as people reach them; no links in messages without it.
    pub(super) public_url: Option<String>,
    /// Permits an address that others can reach.
    pub(super) allow_unauthenticated: Option<bool>,
    /// Host names that requests may carry besides the listener's own.
    pub(super) hosts: Option<Vec<String>>,
    /// What shows that a reader is trusted: exactly one of `bearer_file`, `basic_file`.
    pub(super) auth: Option<RawAuth>,
    /// Whose pages these are.
    pub(super) brand: Option<RawBrand>,
}

/// `[web.brand]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBrand {
    /// Stands at the top of every page and in titles.
    pub(super) name: Option<String>,
    /// A picture beside the name: `.svg` or `.png`, at most 64 KiB.
    pub(super) logo_file: Option<String>,
    /// Stand at the foot of every page.
    pub(super) links: Option<Vec<RawLink>>,
}

/// One of `web.brand.links`
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLink {
    /// What people read.
    pub(super) text: String,
    /// Where it leads.
    pub(super) url: String,
}

/// Who is trusted: exactly one kind.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["bearer_file"] }, { "required": ["basic_file"] }]))]
pub(super) struct RawAuth {
    /// File that holds the token of `Authorization: Bearer`.
    pub(super) bearer_file: Option<String>,
    /// File of `user:hash` lines with bcrypt hashes, as `htpasswd -B` writes them.
    pub(super) basic_file: Option<String>,
}

/// How a failure is confirmed and its end believed.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawThresholds {
    /// Bad observations in a row.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) failures: Option<u32>,
    /// Bad in a row when a second probe of the capability is bad too.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) corroborated: Option<u32>,
    /// Good in a row that end it.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) successes: Option<u32>,
    /// Interval while a probe is suspect.
    pub(super) recheck: Option<DurationWord>,
}

/// `[[status_page]]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["name", "url"]))]
pub(super) struct RawStatusPage {
    /// Its name, unique among probes and status pages.
    pub(super) name: Option<String>,
    /// Its address, or a list of alternates of the same page.
    pub(super) url: Option<OneOrMany>,
    /// What it is to us.
    pub(super) role: Option<RoleWord>,
    /// The capabilities that an alternative replaces.
    pub(super) replaces: Option<Vec<CapabilityWord>>,
    /// Interval between two readings.
    pub(super) every: Option<DurationWord>,
    /// Cron expression with seconds, instead of `every`.
    pub(super) schedule: Option<String>,
    /// Deadline of one reading.
    pub(super) timeout: Option<DurationWord>,
    /// Id or name (glob) of a row = capability; replaces the built-in table.
    pub(super) components: Option<Table<CapabilityWord>>,
    /// Word in an incident = capability; replaces the built-in table.
    pub(super) incidents: Option<Table<CapabilityWord>>,
    /// Selectors, for a page of no known product.
    pub(super) html: Option<RawHtml>,
}

/// `[status_page.html]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["component", "name", "state"]))]
pub(super) struct RawHtml {
    /// CSS selector: one element per row.
    pub(super) component: Option<String>,
    /// CSS selector of the name, within the row.
    pub(super) name: Option<String>,
    /// CSS selector of the state, within the row.
    pub(super) state: Option<String>,
    /// Attribute that holds the state instead of the text.
    pub(super) state_attribute: Option<String>,
    /// Word on the page = component state.
    pub(super) states: Option<Table<ComponentStateWord>>,
    /// CSS selector: one element per open incident.
    pub(super) incident: Option<String>,
}

/// `[[probe]]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["name", "check"]))]
pub(super) struct RawProbe {
    /// Its name, unique among probes and status pages.
    pub(super) name: Option<String>,
    /// Interval between two runs.
    pub(super) every: Option<DurationWord>,
    /// Cron expression with seconds, instead of `every`.
    pub(super) schedule: Option<String>,
    /// Deadline of one run.
    pub(super) timeout: Option<DurationWord>,
    /// What it informs; default: by its kind.
    pub(super) capabilities: Option<Vec<CapabilityWord>>,
    /// As the global ones, for this probe alone.
    pub(super) thresholds: Option<RawThresholds>,
    /// What it does: exactly one of `api`, `submit`, `web`, `control`, `queue`, `render`,
    /// `translation`, `speech`, `webhook`.
    pub(super) check: Option<RawCheck>,
}

/// What a probe does: exactly one kind.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["api"] }, { "required": ["submit"] },
    { "required": ["web"] }, { "required": ["control"] }, { "required": ["queue"] },
    { "required": ["render"] }, { "required": ["translation"] }, { "required": ["speech"] },
    { "required": ["webhook"] },
]))]
pub(super) struct RawCheck {
    /// A GET of HeyGen's API.
    pub(super) api: Option<RawApi>,
    /// A POST of an invalid body: reaches the submit handler, creates nothing.
    pub(super) submit: Option<RawSubmit>,
    /// A page that people open in a browser.
    pub(super) web: Option<RawWebCheck>,
    /// Is the internet there?
    pub(super) control: Option<RawControl>,
    /// The account's own jobs, seen from outside; costs nothing.
    pub(super) queue: Option<RawQueue>,
    /// A paid test video.
    pub(super) render: Option<RawRender>,
    /// A paid test translation.
    pub(super) translation: Option<RawTranslation>,
    /// A paid test of text to speech.
    pub(super) speech: Option<RawSpeech>,
    /// HeyGen's signed events.
    pub(super) webhook: Option<RawEvents>,
}

/// `check.api`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["path"]))]
pub(super) struct RawApi {
    /// Path below `heygen.base_url`.
    pub(super) path: Option<String>,
    /// Sent without the key: any answer of the application below 500 except 429 is good.
    pub(super) anonymous: Option<bool>,
    /// Keys that a success must have at its top.
    pub(super) expect: Option<Vec<String>>,
    /// Slower than this is `slow`.
    pub(super) slow_after: Option<DurationWord>,
}

/// `check.submit`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSubmit {
    /// Paths below `heygen.base_url`.
    pub(super) paths: Option<Vec<String>>,
}

/// `check.web`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["url"]))]
pub(super) struct RawWebCheck {
    /// The page.
    pub(super) url: Option<String>,
    /// Statuses that are right.
    #[schemars(inner(range(min = 100, max = 599)))]
    pub(super) status: Option<Vec<u16>>,
    /// A marker that the body must contain.
    pub(super) contains: Option<String>,
    /// Slower than this is `slow`.
    pub(super) slow_after: Option<DurationWord>,
    /// Days before the certificate's end from which on the log says so, once a day.
    #[schemars(range(max = 3650))]
    pub(super) certificate_days: Option<u32>,
    /// The capabilities that it replaces, when it is a substitute's page.
    pub(super) replaces: Option<Vec<CapabilityWord>>,
}

/// `check.control`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawControl {
    /// Addresses that are not HeyGen's; any HTTP answer counts.
    pub(super) https: Option<Vec<String>>,
    /// Names to ask a DNS server for; the servers are also the second resolvers.
    pub(super) dns: Option<Vec<RawDns>>,
}

/// One DNS target.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["name", "server"]))]
pub(super) struct RawDns {
    /// Name to look up.
    pub(super) name: Option<String>,
    /// Address of the server, with a port when it is not 53.
    pub(super) server: Option<String>,
}

/// `[[channel]]`: a name and exactly one destination.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "required" = ["name"],
    "oneOf" = [
        { "required": ["email"] }, { "required": ["slack"] }, { "required": ["webhook"] },
        { "required": ["alertmanager"] }, { "required": ["pagerduty"] }, { "required": ["ntfy"] },
    ],
))]
pub(super) struct RawChannel {
    /// Its name, unique among channels.
    pub(super) name: Option<String>,
    /// E-mail by SMTP.
    pub(super) email: Option<RawEmail>,
    /// Slack by incoming webhook, or by bot token.
    pub(super) slack: Option<RawSlack>,
    /// A webhook of one's own.
    pub(super) webhook: Option<RawWebhook>,
    /// Alertmanager, every instance of a cluster.
    pub(super) alertmanager: Option<RawAlertmanager>,
    /// PagerDuty's Events API v2.
    pub(super) pagerduty: Option<RawPagerduty>,
    /// ntfy, push messages on a telephone.
    pub(super) ntfy: Option<RawNtfy>,
}

/// `channel.slack`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSlack {
    /// File that holds the address of the incoming webhook; only its owner may read it.
    pub(super) webhook_url_file: Option<String>,
    /// File that holds a bot token with the scope chat:write; only its owner may read it.
    pub(super) token_file: Option<String>,
    /// Name or id of the channel that the bot writes to.
    pub(super) channel: Option<String>,
}

/// `channel.webhook`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWebhook {
    /// File that holds the address; only its owner may read it.
    pub(super) url_file: Option<String>,
    /// File that holds the secret that signs every request; only its owner may read it.
    pub(super) secret_file: Option<String>,
}

/// `channel.alertmanager`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["urls"]))]
pub(super) struct RawAlertmanager {
    /// Address of every instance, without /api.
    pub(super) urls: Option<Vec<String>>,
}

/// `channel.pagerduty`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPagerduty {
    /// File that holds the integration's routing key; only its owner may read it.
    pub(super) routing_key_file: Option<String>,
}

/// `channel.ntfy`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["url", "topic"]))]
pub(super) struct RawNtfy {
    /// Address of the server.
    pub(super) url: Option<String>,
    /// The topic.
    pub(super) topic: Option<String>,
    /// File that holds an access token, where the topic asks for one; only its owner may read it.
    pub(super) token_file: Option<String>,
}

/// `channel.email`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["from", "to", "smtp"]))]
pub(super) struct RawEmail {
    /// The sender.
    pub(super) from: Option<String>,
    /// The receivers.
    pub(super) to: Option<Vec<String>>,
    /// The server.
    pub(super) smtp: Option<RawSmtp>,
}

/// `channel.email.smtp`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["host"]))]
pub(super) struct RawSmtp {
    /// Host name or address.
    pub(super) host: Option<String>,
    /// Port; default: 587 for starttls, 465 for tls, 25 for none.
    #[schemars(range(min = 1))]
    pub(super) port: Option<u16>,
    /// How the connection is protected; none on loopback alone.
    pub(super) tls: Option<TlsWord>,
    /// User name.
    pub(super) username: Option<String>,
    /// File that holds the password; only its owner may read it.
    pub(super) password_file: Option<String>,
    /// A CA file to trust besides the system's.
    pub(super) ca_file: Option<String>,
}

/// How an SMTP connection is protected.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum TlsWord {
    Starttls,
    Tls,
    None,
}
