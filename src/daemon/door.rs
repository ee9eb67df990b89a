//! What the admin socket's requests do.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::failure::StartError;
use super::reload::Reloader;
use crate::admin::{AdminHandler, AdminSocket, Request, Response, TestResult};
use crate::clock::Clock;
use crate::config::Config;
use crate::deliver::{drill_results, owe_drills};
use crate::error_chain;
use crate::model::{Ack, Command, Silence, View};
use crate::monitor::Order;
use crate::notify::sample::Speaker;
use crate::store::{Store, StoreError};
use crate::wire::{BudgetJson, StageJson, VerdictJson};

/// The file beside the admin socket that says where the pages are (contract, section 9).
pub const LISTEN_FILE: &str = "listen";

/// An order that is not answered by then is not (real time).
const ORDER_WITHIN: Duration = Duration::from_secs(10);
/// A drill that no channel has accepted by then is reported as it stands, in real time.
const DRILL_WITHIN: Duration = Duration::from_secs(45);

pub(super) struct Door {
    pub(super) reloader: Arc<Reloader>,
    pub(super) view: watch::Receiver<Option<Arc<View>>>,
    pub(super) store: Store,
    pub(super) owed: Arc<Notify>,
    pub(super) clock: Clock,
    pub(super) orders: mpsc::Sender<Order>,
}

/// Makes the admin socket in `directory`.
pub(super) fn open(directory: &Path) -> Result<AdminSocket, StartError> {
    let failed = |source| StartError::Runtime { directory: directory.to_owned(), source };
    std::fs::create_dir_all(directory).map_err(failed)?;
    let path = crate::admin::socket_path(directory.to_str(), directory);
    AdminSocket::bind(&path).map_err(StartError::Admin)
}

/// Leaves the address of the HTTP side in [`LISTEN_FILE`].
pub(super) fn leave_address(directory: &Path, address: SocketAddr) -> Result<PathBuf, StartError> {
    let path = directory.join(LISTEN_FILE);
    let failed = |source| StartError::Runtime { directory: directory.to_owned(), source };
    std::fs::write(&path, format!("http://{address}\n")).map_err(failed)?;
    Ok(path)
}

impl AdminHandler for Door {
    async fn handle(&self, request: Request) -> Response {
        match request {
            Request::Status => {
                let view = self.view.borrow().clone();
                let verdict = view.map(|view| Box::new(VerdictJson::from(&view.verdict)));
                // A database that cannot be read is counted by the store; the verdict stands.
                let broken = self.store.broken_channels().await.unwrap_or_default();
                let broken = broken.into_iter().map(|one| (one.channel, one.refused_at)).collect();
                Response::Status { verdict, broken }
            }
            Request::Jobs => {
                let view = self.view.borrow().clone();
                let stages = view.map(|view| view.stages.iter().map(StageJson::from).collect());
                Response::Jobs { stages }
            }
            Request::Budget => {
                let view = self.view.borrow().clone();
                let budget = view.map(|view| Box::new(BudgetJson::from(&view.budget)));
                Response::Budget { budget }
            }
            Request::Reload => match self.reloader.reload().await {
                Ok(warnings) => Response::Reloaded { warnings },
                Err(refused) => Response::Refused { message: refused.rendered },
            },
            Request::NotifyTest { channel } => self.test(channel.as_deref()).await,
            Request::Ack { incident, author, comment } => {
                let ack = Ack { at: self.clock.now(), author, comment };
                self.order(Command::Ack { incident, ack }).await
            }
            Request::Silence(silence) => match Silence::try_from(*silence) {
                Ok(silence) => self.order(Command::Silence(silence)).await,
                Err(unknown) => Response::Refused { message: unknown.to_string() },
            },
            Request::Expire { silence } => self.order(Command::Expire(silence)).await,
            Request::Probe { name } => self.order(Command::Probe(name)).await,
        }
    }
}

impl Door {
    async fn order(&self, command: Command) -> Response {
        let (reply, answer) = oneshot::channel();
        let refused = |message: &str| Response::Refused { message: message.to_owned() };
        if self.orders.send(Order { command, reply }).await.is_err() {
            return refused("the monitor loop has ended");
        }
        match tokio::time::timeout(ORDER_WITHIN, answer).await {
            Ok(Ok(Ok(message))) => Response::Done { message },
            Ok(Ok(Err(message))) => Response::Refused { message },
            Ok(Err(_)) | Err(_) => refused("the monitor did not answer in time"),
        }
    }

    async fn test(&self, only: Option<&str>) -> Response {
        let config = self.reloader.config().await;
        let names: Vec<_> = config.channels.iter().map(|channel| channel.name.clone()).collect();
        let is_chosen = |name: &&String| only.is_none_or(|only| only == name.as_str());
        let chosen: Vec<_> = names.iter().filter(is_chosen).cloned().collect();
        if chosen.is_empty() {
            let message = match only {
                Some(name) => {
                    format!("there is no channel `{name}`; there are: {}", names.join(", "))
                }
                None => "no channel is configured".to_owned(),
            };
            return Response::Refused { message };
        }
        match self.drill(&chosen, &config).await {
            Ok(results) => Response::NotifyTested { results },
            Err(failure) => Response::Refused { message: error_chain(&failure) },
        }
    }

    async fn drill(
        &self,
        channels: &[String],
        config: &Config,
    ) -> Result<Vec<TestResult>, StoreError> {
        let settings = &config.settings;
        let speaker = Speaker { vantage: &settings.vantage, account: &settings.account };
        let drills = owe_drills(&self.store, channels, speaker, self.clock.now()).await?;
        self.owed.notify_one();
        let results = drill_results(&self.store, &drills, DRILL_WITHIN).await?;
        let results = results.into_iter().map(|result| TestResult {
            channel: result.channel,
            delivered: result.delivered,
            detail: result.detail,
        });
        Ok(results.collect())
    }
}
