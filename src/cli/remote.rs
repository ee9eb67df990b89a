//! Commands that ask the running daemon: `status`, `reload`, `healthcheck`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::check::{FailOn, exit_code};
use super::{Context, exit, load_config, output, verdict};
use crate::admin::{self, Request, Response};
use crate::config::Config;
use crate::daemon::runtime_directory;
use crate::engine::{self, Input, Memory};
use crate::http_client::{ClientOptions, HttpClient, Limits};
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
/// When neither the daemon nor its database can be read.
pub async fn status(args: StatusArgs, context: &Context) -> anyhow::Result<u8> {
    let Ok(config) = load_config(context) else {
        return Ok(exit::CONFIG);
    };
    let believed = believed(&config, context).await?;
    let text = if args.json {
        serde_json::to_string_pretty(&believed)?
    } else if args.nagios {
        verdict::nagios(&believed, verdict::Scope::All)
    } else {
        verdict::for_people(&believed, &config.settings.timezone, verdict::Scope::All)
    };
    output::print(&text)?;
    Ok(exit_code(&believed, FailOn::Any))
}

/// Runs `reload`.
///
/// # Errors
/// When no daemon answers.
pub async fn reload(context: &Context) -> anyhow::Result<u8> {
    let Ok(config) = load_config(context) else {
        output::say("the daemon was not asked, and keeps its old configuration");
        return Ok(exit::FAILED);
    };
    match ask(&config, context, &Request::Reload).await? {
        Response::Refused { message } => {
            output::say(&message);
            output::say("the daemon keeps its old configuration");
            Ok(exit::FAILED)
        }
        Response::Reloaded { .. }
        | Response::Status { .. }
        | Response::Jobs { .. }
        | Response::Budget { .. }
        | Response::Done { .. }
        | Response::NotifyTested { .. } => {
            output::say("the daemon has taken the configuration over");
            Ok(exit::OK)
        }
    }
}

/// Runs `healthcheck`.
///
/// # Errors
/// When the HTTP client cannot be built.
pub async fn healthcheck(context: &Context) -> anyhow::Result<u8> {
    let Ok(config) = load_config(context) else {
        return Ok(exit::CONFIG);
    };
    let mut address = config.web.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let http = HttpClient::new(&ClientOptions::default())?;
    let url = format!("http://{address}/-/healthy").parse()?;
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

/// What the daemon believes: from the daemon, else from its database.
///
/// # Errors
/// When neither can be read.
pub(crate) async fn believed(config: &Config, context: &Context) -> anyhow::Result<VerdictJson> {
    if let Ok(Response::Status { verdict: Some(verdict) }) =
        ask(config, context, &Request::Status).await
    {
        return Ok(*verdict);
    }
    let store = Store::open_to_read(history(config)?);
    let now = context.clock.now();
    let recollection = store.recall(now).await?;
    let mut memory = Memory::recall(&config.settings, recollection, now);
    let decision = engine::evaluate(&mut memory, &config.settings, Input::Tick, now);
    Ok(VerdictJson::from(&decision.verdict))
}

/// Where the history is.
///
/// # Errors
/// When there is none yet.
pub(crate) fn history(config: &Config) -> anyhow::Result<&Path> {
    let path = config.storage.path.as_path();
    anyhow::ensure!(
        path.exists(),
        "no daemon answers, and there is no history at {} (start it with `heygen-monitor run`, or \
         ask once with `heygen-monitor check`)",
        path.display()
    );
    Ok(path)
}

/// Asks the daemon at the first admin socket that answers.
pub(crate) async fn ask(
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
    Err(failure.unwrap_or_else(|| anyhow::anyhow!("no daemon runs here")))
}

/// Where the daemon's admin socket may be: as for the daemon itself, then as for the service.
fn sockets(config: &Config, context: &Context) -> Vec<PathBuf> {
    let own = runtime_directory(config, &context.surroundings);
    let service = Path::new("/run/heygen-monitor");
    let own = admin::socket_path(None, &own);
    let service = admin::socket_path(None, service);
    let mut sockets = vec![own, service];
    sockets.dedup();
    sockets.retain(|path| path.exists());
    sockets
}
