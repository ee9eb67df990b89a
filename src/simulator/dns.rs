//! A name server on UDP that knows the names it is told.
//!
//! Owns the answers alone. Invariant: while the network is lost every query gets SERVFAIL at once, as
//! from a forwarder that has lost its way out: silence would take real seconds, hours in fast time.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use simple_dns::rdata::{A, AAAA, RData};
use simple_dns::{CLASS, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};
use tokio::net::UdpSocket;

use super::{Received, Service, World, locked};

/// More than any query holds (RFC 1035: 512 bytes without extensions).
const DATAGRAM_BYTES: usize = 1500;

/// Seconds for which an answer may be kept.
const TTL_SECS: u32 = 30;

/// How the name server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NameServer {
    /// From its names.
    #[default]
    Answers,
    /// With SERVFAIL.
    Fails,
    /// Not at all.
    Silent,
}

/// What the name server knows.
#[derive(Debug, Clone)]
pub struct Names {
    known: BTreeMap<String, Vec<IpAddr>>,
    /// How it answers.
    pub server: NameServer,
}

impl Default for Names {
    /// Knows `control.example` alone.
    fn default() -> Self {
        let mut names = Self { known: BTreeMap::new(), server: NameServer::Answers };
        names.know("control.example", vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        names
    }
}

impl Names {
    /// Lets `name` resolve to `addresses`.
    pub fn know(&mut self, name: &str, addresses: Vec<IpAddr>) {
        self.known.insert(name.to_ascii_lowercase(), addresses);
    }

    /// Answers NXDOMAIN for `name` from now on.
    pub fn forget(&mut self, name: &str) {
        self.known.remove(&name.to_ascii_lowercase());
    }

    /// The reply to `query`, if it is a query at all and the server answers.
    fn reply(&self, query: &[u8]) -> Option<Vec<u8>> {
        if self.server == NameServer::Silent {
            return None;
        }
        let query = Packet::parse(query).ok()?;
        let question = query.questions.first()?.clone();
        let name = question.qname.to_string().to_ascii_lowercase();
        let mut reply = Packet::new_reply(query.id());
        reply.set_flags(PacketFlag::RECURSION_DESIRED | PacketFlag::RECURSION_AVAILABLE);
        match (self.server, self.known.get(&name)) {
            (NameServer::Fails, _) => *reply.rcode_mut() = RCODE::ServerFailure,
            (_, None) => *reply.rcode_mut() = RCODE::NameError,
            (_, Some(addresses)) => {
                let records = addresses.iter().filter_map(|address| record(&question, *address));
                reply.answers.extend(records);
            }
        }
        reply.questions.push(question.clone());
        reply.build_bytes_vec().ok()
    }
}

fn record<'a>(question: &simple_dns::Question<'a>, address: IpAddr) -> Option<ResourceRecord<'a>> {
    let data = match (question.qtype, address) {
        (QTYPE::TYPE(TYPE::A) | QTYPE::ANY, IpAddr::V4(v4)) => RData::A(A::from(v4)),
        (QTYPE::TYPE(TYPE::AAAA) | QTYPE::ANY, IpAddr::V6(v6)) => RData::AAAA(AAAA::from(v6)),
        _ => return None,
    };
    Some(ResourceRecord::new(question.qname.clone(), CLASS::IN, TTL_SECS, data))
}

/// Answers queries until the simulation ends.
pub(super) async fn serve(socket: UdpSocket, world: Arc<World>) {
    let mut datagram = [0; DATAGRAM_BYTES];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut datagram).await else {
            continue;
        };
        if let Some(reply) = answer(&world, &datagram[..length]) {
            // A reply that gets lost is what UDP is like.
            drop(socket.send_to(&reply, peer).await);
        }
    }
}

fn answer(world: &World, query: &[u8]) -> Option<Vec<u8>> {
    let now = world.clock.now();
    let name = Packet::parse(query).ok()?.questions.first()?.qname.to_string();
    world.log.push(Received {
        at: now,
        service: Service::Dns,
        method: "QUERY".to_owned(),
        path: name,
        headers: BTreeMap::new(),
        body: query.to_vec(),
        status: None,
    });
    let mut names = locked(&world.names).clone();
    if locked(&world.plan).is_offline(now) {
        names.server = NameServer::Fails;
    }
    names.reply(query)
}

#[cfg(test)]
mod tests {
    use simple_dns::{Name, QCLASS, Question};

    use super::*;

    fn ask(names: &Names, name: &str) -> Option<(RCODE, usize)> {
        let mut query = Packet::new_query(7);
        let qname = Name::new(name).unwrap();
        let question = Question::new(qname, QTYPE::TYPE(TYPE::A), QCLASS::CLASS(CLASS::IN), false);
        query.questions.push(question);
        let reply = names.reply(&query.build_bytes_vec().unwrap())?;
        let reply = Packet::parse(&reply).unwrap();
        assert_eq!(reply.id(), 7);
        Some((reply.rcode(), reply.answers.len()))
    }

    #[test]
    fn it_knows_what_it_is_told_and_denies_the_rest() {
        let mut names = Names::default();
        names.know("API.heygen.example", vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        assert_eq!(ask(&names, "api.heygen.example"), Some((RCODE::NoError, 1)));
        names.forget("api.heygen.example");
        assert_eq!(ask(&names, "api.heygen.example"), Some((RCODE::NameError, 0)));
        names.server = NameServer::Fails;
        assert_eq!(ask(&names, "control.example"), Some((RCODE::ServerFailure, 0)));
        names.server = NameServer::Silent;
        assert_eq!(ask(&names, "control.example"), None);
    }
}
