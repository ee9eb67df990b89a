//! Asks one DNS server over UDP what a name stands for.
//!
//! Invariant: an answer is believed only when it came from the server that was asked, over the
//! socket and with the id of this one question.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

/// A question is asked again after this: UDP loses packets.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// More than an answer without extensions may have (RFC 1035: 512).
const DATAGRAM_BYTES: usize = 1500;

/// What a server knows of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// It resolves, to these addresses of either family.
    Resolves(Vec<IpAddr>),
    /// It does not exist, or has no address.
    Nothing,
}

impl Known {
    fn into_addresses(self) -> Vec<IpAddr> {
        match self {
            Self::Resolves(addresses) => addresses,
            Self::Nothing => Vec::new(),
        }
    }
}

/// Asks for both families side by side; `None` when neither was answered in time.
pub(super) async fn ask(server: SocketAddr, name: &str, within: Duration) -> Option<Known> {
    let family = |family| timeout(within, ask_family(server, name, family));
    let (v4, v6) = tokio::join!(family(TYPE::A), family(TYPE::AAAA));
    let answers: Vec<Known> = [v4, v6].into_iter().flatten().flatten().collect();
    let was_answered = !answers.is_empty();
    let addresses = answers.into_iter().flat_map(Known::into_addresses).collect::<Vec<_>>();
    was_answered.then_some(if addresses.is_empty() {
        Known::Nothing
    } else {
        Known::Resolves(addresses)
    })
}

/// Asks for the addresses of one family, again and again; the caller bounds the time.
pub(super) async fn ask_family(server: SocketAddr, name: &str, family: TYPE) -> io::Result<Known> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    let id = question_id();
    let question = question(id, name, family)?;
    loop {
        socket.send(&question).await?;
        tokio::select! {
            answer = matching_answer(&socket, id) => return answer,
            () = sleep(ASK_AGAIN) => {}
        }
    }
}

async fn matching_answer(socket: &UdpSocket, id: u16) -> io::Result<Known> {
    let mut datagram = vec![0; DATAGRAM_BYTES];
    loop {
        let length = socket.recv(&mut datagram).await?;
        let Some(packet) = datagram.get(..length).and_then(|bytes| Packet::parse(bytes).ok())
        else {
            continue;
        };
        if packet.id() == id && packet.has_flags(PacketFlag::RESPONSE) {
            return known(&packet);
        }
    }
}

/// What a response says. A server that cannot or will not tell is an error: it says nothing of
/// the name.
fn known(packet: &Packet<'_>) -> io::Result<Known> {
    match packet.rcode() {
        RCODE::NoError => {}
        RCODE::NameError => return Ok(Known::Nothing),
        other => return Err(io::Error::other(format!("the server answered {other:?}"))),
    }
    let addresses: Vec<IpAddr> = packet
        .answers
        .iter()
        .filter_map(|record| match &record.rdata {
            RData::A(a) => Some(IpAddr::V4(Ipv4Addr::from(a.address))),
            RData::AAAA(aaaa) => Some(IpAddr::V6(Ipv6Addr::from(aaaa.address))),
            _ => None,
        })
        // What resolvers that block names answer in place of "no such name".
        .filter(|address| !address.is_unspecified())
        .collect();
    Ok(if addresses.is_empty() { Known::Nothing } else { Known::Resolves(addresses) })
}

fn question(id: u16, name: &str, family: TYPE) -> io::Result<Vec<u8>> {
    let invalid = |error: simple_dns::SimpleDnsError| io::Error::other(error.to_string());
    let mut query = Packet::new_query(id);
    query.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).map_err(invalid)?;
    query.questions.push(Question::new(name, QTYPE::TYPE(family), QCLASS::CLASS(CLASS::IN), false));
    query.build_bytes_vec().map_err(invalid)
}

/// A number that a stranger cannot guess; the standard library seeds its hasher from the system.
fn question_id() -> u16 {
    let [first, second, ..] = RandomState::new().build_hasher().finish().to_le_bytes();
    u16::from_le_bytes([first, second])
}

#[cfg(test)]
mod tests {
    use simple_dns::ResourceRecord;
    use simple_dns::rdata::A;

    use super::*;

    fn response(rcode: RCODE, addresses: &[[u8; 4]]) -> Packet<'static> {
        let mut packet = Packet::new_reply(7);
        *packet.rcode_mut() = rcode;
        for address in addresses {
            let data = RData::A(A { address: u32::from_be_bytes(*address) });
            packet.answers.push(ResourceRecord::new(
                Name::new_unchecked("a.test"),
                CLASS::IN,
                60,
                data,
            ));
        }
        packet
    }

    #[test]
    fn only_a_server_that_tells_is_believed() {
        let resolves = Known::Resolves(vec!["1.2.3.4".parse().unwrap()]);
        assert_eq!(known(&response(RCODE::NoError, &[[1, 2, 3, 4]])).unwrap(), resolves);
        assert_eq!(known(&response(RCODE::NoError, &[])).unwrap(), Known::Nothing);
        assert_eq!(known(&response(RCODE::NoError, &[[0; 4]])).unwrap(), Known::Nothing);
        assert_eq!(known(&response(RCODE::NameError, &[])).unwrap(), Known::Nothing);
        assert!(known(&response(RCODE::ServerFailure, &[])).is_err());
        assert!(known(&response(RCODE::Refused, &[])).is_err());
    }

    #[test]
    fn ids_differ_from_question_to_question() {
        let ids: std::collections::BTreeSet<u16> = (0..20).map(|_| question_id()).collect();
        assert!(ids.len() > 10, "{ids:?}");
    }
}
