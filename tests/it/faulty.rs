//! Servers on loopback that misbehave on purpose, below what an HTTP library would do.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use simple_dns::rdata::{A, RData};
use simple_dns::{CLASS, Packet, RCODE, ResourceRecord};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::sleep;

/// What a connection does once it is accepted.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// Reads one request, answers these bytes, closes.
    Answer(Vec<u8>),
    /// Answers every request with these bytes, keeps the connection.
    KeepAlive(Vec<u8>),
    /// Answers the first request, then does the other thing with the next one.
    Once(Vec<u8>, Box<Behaviour>),
    /// Reads one request, then nothing.
    Hang,
    /// Reads nothing, says nothing.
    Mute,
    /// Reads one request, then resets.
    Reset,
    /// Reads one request, then closes.
    Close,
    /// Reads one request, answers the bytes, then nothing.
    Stall(Vec<u8>),
    /// Reads one request, answers the bytes, then one more byte at a time for ever.
    Drip(Vec<u8>, Duration),
    /// Reads one request, answers the bytes, then zeros as fast as they are taken.
    Flood(Vec<u8>),
}

/// A server whose connections behave as told: the first as the first behaviour says, and so on;
/// the last one holds for the rest.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<(usize, String)>>>,
    accepted: Arc<Mutex<usize>>,
}

impl Server {
    /// Starts one.
    #[expect(clippy::disallowed_methods, reason = "the other side of a test runs beside it")]
    pub(crate) async fn start(behaviours: Vec<Behaviour>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            heads: Arc::default(),
            accepted: Arc::default(),
        };
        let own = server.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                *own.accepted.lock().unwrap() += 1;
                let last = behaviours.len() - 1;
                let behaviour = behaviours[number.min(last)].clone();
                let own = own.clone();
                tokio::spawn(async move { own.serve(number, stream, behaviour).await });
            }
        });
        server
    }

    /// `http://ADDRESS/path`
    pub(crate) fn url(&self, path: &str) -> url::Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    /// Number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        *self.accepted.lock().unwrap()
    }

    /// Requests so far: heads and bodies as sent.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.heads.lock().unwrap().iter().map(|(_, head)| head.clone()).collect()
    }

    async fn serve(&self, number: usize, mut stream: TcpStream, behaviour: Behaviour) {
        if matches!(behaviour, Behaviour::Mute) {
            return std::future::pending().await;
        }
        let mut behaviour = behaviour;
        while let Some(request) = read_request(&mut stream).await {
            self.heads.lock().unwrap().push((number, request));
            behaviour = match behaviour {
                Behaviour::KeepAlive(bytes) => {
                    stream.write_all(&bytes).await.unwrap();
                    Behaviour::KeepAlive(bytes)
                }
                Behaviour::Once(bytes, then) => {
                    stream.write_all(&bytes).await.unwrap();
                    *then
                }
                last => return finish(stream, last).await,
            };
        }
    }
}

async fn finish(mut stream: TcpStream, behaviour: Behaviour) {
    match behaviour {
        Behaviour::Answer(bytes) => {
            // Whoever stops reading early closes on us.
            if stream.write_all(&bytes).await.is_ok() {
                stream.shutdown().await.ok();
            }
        }
        Behaviour::Reset => stream.set_zero_linger().unwrap(),
        Behaviour::Stall(bytes) => {
            stream.write_all(&bytes).await.unwrap();
            std::future::pending::<()>().await;
        }
        Behaviour::Drip(bytes, every) => {
            stream.write_all(&bytes).await.unwrap();
            while stream.write_all(b"x").await.is_ok() {
                sleep(every).await;
            }
        }
        Behaviour::Flood(bytes) => {
            stream.write_all(&bytes).await.unwrap();
            while stream.write_all(&[0; 4096]).await.is_ok() {}
        }
        Behaviour::Hang | Behaviour::Mute => std::future::pending::<()>().await,
        Behaviour::Close | Behaviour::KeepAlive(_) | Behaviour::Once(..) => {}
    }
}

/// One request with its body (as `content-length` says); `None` when the other side is gone.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk).await.ok().filter(|length| *length > 0)?;
        read.extend(&chunk[..length]);
        let text = String::from_utf8_lossy(&read).into_owned();
        // A TLS greeting is no request, but whoever sends it waits for an answer.
        if read[0] == 0x16 {
            return Some("TLS".to_owned());
        }
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let due = head
            .lines()
            .filter_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned)
            })
            .find_map(|length| length.trim().parse().ok())
            .unwrap_or(0);
        if body.len() >= due {
            return Some(text);
        }
    }
}

/// An answer with a length.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// An answer in JSON.
pub(crate) fn json(status: &str, body: &str) -> Vec<u8> {
    answer(status, "content-type: application/json\r\n", body)
}

/// An address on which nobody listens.
pub(crate) async fn closed_port() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap()
}

/// A DNS server on UDP that knows one name; `None`: it is silent.
#[expect(clippy::disallowed_methods, reason = "the other side of a test runs beside it")]
pub(crate) async fn name_server(known: Option<(&'static str, Ipv4Addr)>) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut datagram = [0; 1500];
        loop {
            let (length, client) = socket.recv_from(&mut datagram).await.unwrap();
            let Some(known) = known else { continue };
            let reply = reply(&datagram[..length], known);
            socket.send_to(&reply, client).await.unwrap();
        }
    });
    address
}

fn reply(query: &[u8], (name, address): (&str, Ipv4Addr)) -> Vec<u8> {
    let query = Packet::parse(query).unwrap();
    let question = query.questions[0].clone();
    let mut reply = Packet::new_reply(query.id());
    if question.qname.to_string() != name {
        *reply.rcode_mut() = RCODE::NameError;
    } else if question.qtype == simple_dns::QTYPE::TYPE(simple_dns::TYPE::A) {
        let data = RData::A(A { address: address.into() });
        let record = ResourceRecord::new(question.qname.clone(), CLASS::IN, 30, data);
        reply.answers.push(record);
    }
    reply.questions.push(question);
    reply.build_bytes_vec().unwrap()
}

/// A gzip of `pairs` × 258 zeros and one more, in 13 bits each: one fixed Huffman block whose every
/// symbol copies the longest match (RFC 1951, section 3.2.6).
pub(crate) fn gzip_bomb(pairs: usize) -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    let mut push = |code: &str| bits.extend(code.chars().map(|bit| bit == '1'));
    push("00110000");
    for _ in 0..pairs {
        push("1100010100000");
    }
    push("0000000");
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    bytes.extend(bits.chunks(8).map(|byte| {
        byte.iter().enumerate().fold(0, |all, (place, bit)| all | (u8::from(*bit) << place))
    }));
    bytes
}
