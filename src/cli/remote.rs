//! Commands that ask the running daemon: `status`, `reload`, `healthcheck`; and how every command
//! finds the daemon and its history.
//!
//! Invariant: what is not told otherwise is looked for where this user's daemon has it, then where the
//! service has it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::check::{FailOn, exit_code};
use super::failure::Failure;
use super::output::Audience;
use super::{Context, exit, load_config, output, verdict};
use crate::admin::{self, Request, Response};
use crate::config::Config;
use crate::daemon::runtime_directory;
use crate::engine::{self, Input, Memory, words};
use crate::http_client::{ClientOptions, HttpClient, Limits};
use crate::model::Timestamp;
use crate::store::Store;
use crate::wire::VerdictJson;

/// A daemon that has not answered by then does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the service of the unit and of the package has everything (contract, section 7).
const SERVICE_CONFIG: &str = "/etc/heygen-monitor/config.toml";
const SERVICE_DATABASE: &str = "/var/lib/heygen-monitor/history.db";
const SERVICE_RUNTIME: &str = "/run/heygen-monitor";

/// What the running daemon believes.
#[derive(Debug, Args)]
#[command(after_help = "Exit: as `check`")]
pub struct StatusArgs {
    /// Print the verdict as JSON.
    #[arg(long, conflicts_with = "nagios")]
    pub json: bool,
    /// Print one line for Nagios or Icinga.
    #[arg(long)]
    pub nagios: bool,
}

/// Runs `status`.
///
/// # Errors
/// When neither the daemon nor its database can be read.
pub async fn status(args: StatusArgs, context: &Context) -> anyhow::Result<u8> {
    let Ok(config) = load_config(context) else {
        return Ok(exit::CONFIG);
    };
    let (believed, broken) = standing(&config, context).await?;
    let text = if args.json {
        serde_json::to_string_pretty(&believed)?
    } else if args.nagios {
        verdict::nagios(&believed, verdict::Scope::All)
    } else {
        verdict::for_people(&believed, &config.settings.timezone, verdict::Scope::All)
    };
    output::print(&text)?;
    if !args.json && !args.nagios {
        for (channel, since) in broken {
            let since = words::time(since, &config.settings.timezone, context.clock.now());
            output::print(&format!("Channel {channel} takes no messages since {since}."))?;
        }
    }
    Ok(exit_code(&believed, FailOn::Any))
}

/// Runs `reload`.
///
/// # Errors
/// When no daemon answers.
pub async fn reload(context: &Context) -> anyhow::Result<u8> {
    let config = match load_config(context) {
        Ok(config) => config,
        Err(refused) => {
            output::say(&refused.rendered);
            output::say("the daemon was not asked, and keeps its old configuration");
            return Ok(exit::FAILED);
        }
    };
    let asking = ask(&config, context, &Request::Reload);
    match output::busy("asking the daemon", Audience::Person, asking).await? {
        Response::Reloaded { warnings } => {
            super::warn(&warnings);
            output::say("the daemon has taken the configuration over");
            Ok(exit::OK)
        }
        Response::Refused { message } => {
            output::say(&message);
            output::say("the daemon keeps its old configuration");
            Ok(exit::FAILED)
        }
        Response::Reloaded { warnings } => {
            let is_news = |warning: &&String| !config.warnings.contains(warning);
            for warning in warnings.iter().filter(is_news) {
                output::say(&format!("warning: {warning}"));
            }
            output::say("the daemon has taken the configuration over");
            Ok(exit::OK)
        }
        Response::Status { .. }
        | Response::Jobs { .. }
        | Response::Budget { .. }
        | Response::Done { .. }
        | Response::NotifyTested { .. } => {
            anyhow::bail!("the daemon answered something else; is it of another version?")
        }
    }
}

/// Runs `healthcheck`.
///
/// # Errors
/// When the HTTP client cannot be built.
pub async fn healthcheck(context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    let address = listening(&config, context);
    let http = HttpClient::new(&ClientOptions::default())?;
    let url = format!("{address}/-/healthy").parse()?;
    let limits = Limits { total: PATIENCE, ..Limits::API };
    match http.send(crate::http_client::Request::get(url, limits)).await {
        Ok(answer) if answer.status == 200 => Ok(exit::OK),
        Ok(answer) => {
            output::say(&String::from_utf8_lossy(&answer.body));
            Ok(exit::FAILED)
        }
        Err(failure) => {
            output::say(&format!("nobody answers at {address}: {failure}"));
            Ok(exit::FAILED)
        }
    }
}

/// Where the daemon serves its pages: as it left it written, where the configuration says "any port".
fn listening(config: &Config, context: &Context) -> String {
    let mut address = config.web.listen;
    if address.port() == 0 {
        let left = runtime_directory(config, &context.surroundings).join(LISTEN_FILE);
        if let Ok(left) = std::fs::read_to_string(left) {
            return left.trim().to_owned();
        }
    }
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}

/// What the daemon believes: from the daemon, else from its database.
///
/// # Errors
/// When neither can be read.
pub(crate) async fn believed(config: &Config, context: &Context) -> anyhow::Result<VerdictJson> {
    Ok(standing(config, context).await?.0)
}

/// The same, and the channels that take no messages, each with since when.
async fn standing(
    config: &Config,
    context: &Context,
) -> anyhow::Result<(VerdictJson, BTreeMap<String, Timestamp>)> {
    if let Ok(Response::Status { verdict: Some(verdict), broken }) =
        ask(config, context, &Request::Status).await
    {
        return Ok((*verdict, broken));
    }
    let store = history(config).await?;
    let now = context.clock.now();
    let recollection = store.recall(now).await?;
    let mut memory = Memory::recall(&config.settings, recollection, now);
    let decision = engine::evaluate(&mut memory, &config.settings, Input::Tick, now);
    let broken = store.broken_channels().await?;
    let broken = broken.into_iter().map(|one| (one.channel, one.refused_at)).collect();
    Ok((VerdictJson::from(&decision.verdict), broken))
}

/// The history, to be read beside a daemon or without one.
///
/// # Errors
/// When there is none yet, or it cannot be read.
pub(super) async fn history(config: &Config) -> anyhow::Result<Store> {
    let path = database(config);
    let nothing = || {
        let shown = path.display();
        let failure =
            Failure::new(format!("no daemon answers, and there is no history at {shown}"));
        failure.hint("start one with `heygen-monitor run`, or ask once with `heygen-monitor check`")
    };
    Ok(find(path.clone()).await?.ok_or_else(nothing)?)
}

/// The history; `None` when nothing was written yet.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn history_if_any(config: &Config) -> anyhow::Result<Option<Store>> {
    find(database(config)).await
}

async fn find(path: PathBuf) -> anyhow::Result<Option<Store>> {
    let found = tokio::task::spawn_blocking(move || Store::find(&path)).await?;
    Ok(found.map_err(StartError::Store)?)
}

/// The database file. Where nobody said which, and this user has none, it is the service's: `incidents`
/// is meant so where the package is installed.
pub(super) fn database(config: &Config) -> PathBuf {
    let own = &config.storage.path;
    let file = config.file.as_deref();
    let is_of_service = file.is_none_or(|file| file == Path::new(SERVICE_CONFIG));
    let service = Path::new(SERVICE_DATABASE);
    if !config.storage.is_named && is_of_service && !own.exists() && service.exists() {
        return service.to_owned();
    }
    own.clone()
}

/// Asks the daemon at the first admin socket that answers.
pub(super) async fn ask(
    config: &Config,
    context: &Context,
    request: &Request,
) -> anyhow::Result<Response> {
    let mut failure = None;
    for path in sockets(config, context) {
        match tokio::time::timeout(PATIENCE * 12, admin::request(&path, request)).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) => failure = Some(anyhow::Error::from(error)),
            Err(_) => failure = Some(anyhow::anyhow!("{} does not answer", path.display())),
        }
    }
    Err(failure.unwrap_or_else(|| {
        let hint = "start one with `heygen-monitor run`; with --config it is found as its own \
                    configuration says";
        Failure::new("no daemon runs here").hint(hint).into()
    }))
}

/// What to make of an answer to another question.
pub(super) fn unexpected() -> anyhow::Error {
    Failure::new("the daemon answered something else").hint("is it of another version?").into()
}

/// Where the daemon's admin socket may be: as for the daemon itself, then as for the service.
fn sockets(config: &Config, context: &Context) -> Vec<PathBuf> {
    let own = runtime_directory(config, &context.surroundings);
    let directories = [own.as_path(), Path::new(SERVICE_RUNTIME)];
    let mut sockets = directories.map(|one| admin::socket_path(None, one)).to_vec();
    sockets.dedup();
    sockets.retain(|path| path.exists());
    sockets
}
