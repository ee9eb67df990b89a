//! What people tell the running monitor: silences, acknowledgements, tests by hand.
//!
//! Owns the changes that follow. Invariant: refused commands change nothing, and say why.

use super::Memory;
use crate::engine::settings::Settings;
use crate::model::{Command, Silence, SilenceId, Timestamp};

impl Memory {
    /// Obeys; answers the silence that is new or changed, and what to reply.
    pub(super) fn command(
        &mut self,
        command: Command,
        settings: &Settings,
        now: Timestamp,
    ) -> (Option<Silence>, Result<String, String>) {
        self.silences.retain(|silence| silence.ends_at > now);
        match command {
            Command::Ack { incident, ack } => {
                let known = self.incident_mut(incident).filter(|one| one.is_open());
                let Some(known) = known else {
                    return (None, Err(format!("there is no open incident #{incident}")));
                };
                known.ack = Some(ack);
                (
                    None,
                    Ok(format!("incident #{incident} is yours: no reminders, nobody else is told")),
                )
            }
            Command::Silence(silence) => self.silence(silence, now),
            Command::Expire(id) => self.expire(id, now),
            Command::Probe(probe) => (None, self.jobs.canaries.ask(settings, &probe, now)),
        }
    }

    fn silence(
        &mut self,
        silence: Silence,
        now: Timestamp,
    ) -> (Option<Silence>, Result<String, String>) {
        if silence.matchers.is_empty() {
            let why = "this silence would concern everything: name an incident, a capability, a side \
                       or a reason";
            return (None, Err(why.to_owned()));
        }
        if silence.ends_at <= now || silence.ends_at <= silence.starts_at {
            return (None, Err("this silence would have ended already".to_owned()));
        }
        let id = self.next_silence_id.max(1);
        self.next_silence_id = id + 1;
        let silence = Silence { id, ..silence };
        self.silences.push(silence.clone());
        (Some(silence), Ok(format!("silence #{id} holds")))
    }

    fn expire(
        &mut self,
        id: SilenceId,
        now: Timestamp,
    ) -> (Option<Silence>, Result<String, String>) {
        let Some(place) = self.silences.iter().position(|silence| silence.id == id) else {
            return (None, Err(format!("there is no silence #{id} that still holds")));
        };
        let silence = Silence { ends_at: now, ..self.silences.remove(place) };
        (Some(silence), Ok(format!("silence #{id} has ended")))
    }
}
