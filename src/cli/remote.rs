//! Commands that ask the running daemon: `status`, `reload`, `healthcheck`; and how every command
//! reaches the daemon and its history.
//!
//! Invariant: only the daemon of this configuration is asked, never another instance's.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use clap::Args;

use super::check::{FailOn, exit_code};
use super::failure::{self, Failure};
use super::output::Audience;
use super::{Context, exit, load_config, output, verdict};
use crate::admin::{self, Request, RequestError, Response};
use crate::config::Config;
use crate::daemon::{LISTEN_FILE, StartError, runtime_directory};
use crate::engine::{self, Input, Memory, words};
use crate::http_client::{ClientOptions, HttpClient, Limits};
use crate::model::Timestamp;
use crate::store::Store;
use crate::wire::VerdictJson;

/// A daemon that has not answered by then does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

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
/// When stdout cannot be written.
pub async fn status(args: StatusArgs, context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    let asking = standing(&config, context);
    let asked = output::busy("asking the daemon", Audience::of(args.json), asking).await;
    let (believed, broken) = match asked {
        Ok(asked) => asked,
        Err(blind) => return unknown(&blind, &args),
    };
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

/// Without daemon and history nothing is known, which is an answer too: for Nagios on stdout.
fn unknown(blind: &anyhow::Error, args: &StatusArgs) -> anyhow::Result<u8> {
    if args.nagios {
        output::print(&verdict::nagios_blind(&format!("{blind:#}")))?;
    } else {
        failure::tell(blind);
    }
    Ok(exit::UNKNOWN)
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
        _ => Err(unexpected()),
    }
}

/// Runs `healthcheck`.
///
/// # Errors
/// When the HTTP client cannot be built.
pub async fn healthcheck(context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    let address = listening(&config, context)?;
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
fn listening(config: &Config, context: &Context) -> Result<String, Failure> {
    let mut address = config.web.listen;
    if address.port() == 0 {
        let left = runtime_directory(config, &context.surroundings).join(LISTEN_FILE);
        let left = std::fs::read_to_string(left).map_err(|_| nobody())?;
        return Ok(left.trim().to_owned());
    }
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    Ok(format!("http://{address}"))
}

/// What the daemon believes: from the daemon, else from its database.
///
/// # Errors
/// When neither can be read.
pub(super) async fn believed(config: &Config, context: &Context) -> anyhow::Result<VerdictJson> {
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
/// When there is none yet, or this user may not read it.
pub(super) async fn history(config: &Config) -> anyhow::Result<Store> {
    let nothing = || {
        let shown = config.storage.path.display();
        let failure =
            Failure::new(format!("no daemon answers, and there is no history at {shown}"));
        failure.hint("start one with `heygen-monitor run`, or ask once with `heygen-monitor check`")
    };
    Ok(history_if_any(config).await?.ok_or_else(nothing)?)
}

/// The history; `None` when nothing was written yet.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn history_if_any(config: &Config) -> anyhow::Result<Option<Store>> {
    let path = config.storage.path.clone();
    is_there(&path)?;
    let found = tokio::task::spawn_blocking(move || Store::find(&path)).await?;
    Ok(found.map_err(StartError::Store)?)
}

/// Whether there is a history at `path`.
///
/// # Errors
/// When this user may not know, or not read it.
pub(super) fn is_there(path: &Path) -> anyhow::Result<bool> {
    match std::fs::File::open(path) {
        Ok(_) => Ok(true),
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(false),
            ErrorKind::PermissionDenied => Err(denied(path).into()),
            _ => Err(anyhow::Error::new(error).context(format!("cannot read {}", path.display()))),
        },
    }
}

fn denied(path: &Path) -> Failure {
    Failure::new(format!("permission denied: {}", path.display())).hint("ask with sudo")
}

/// Asks the daemon of this configuration, and no other.
pub(super) async fn ask(
    config: &Config,
    context: &Context,
    request: &Request,
) -> anyhow::Result<Response> {
    let directory = runtime_directory(config, &context.surroundings);
    let path = admin::socket_path(None, &directory);
    if matches!(path.try_exists(), Ok(false)) {
        return Err(nobody().into());
    }
    match tokio::time::timeout(PATIENCE * 12, admin::request(&path, request)).await {
        Ok(Err(RequestError::Denied { path, .. })) => Err(denied(&path).into()),
        Ok(answer) => Ok(answer?),
        Err(_) => Err(anyhow::anyhow!("{} does not answer", path.display())),
    }
}

fn nobody() -> Failure {
    Failure::new("no daemon runs here").hint(
        "start one with `heygen-monitor run`; with --config it is found as its own configuration \
         says",
    )
}

/// What to make of an answer to another question.
pub(super) fn unexpected() -> anyhow::Error {
    Failure::new("the daemon answered something else").hint("is it of another version?").into()
}
