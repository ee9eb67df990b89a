//! Connections that can be broken on purpose.
//!
//! Owns the accepting of connections and the handle by which a request's answer is replaced by a
//! reset or a close. Does not decide when: that is `gate`. Invariant: a broken connection carries
//! not one byte of an answer.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::World;

/// How long to wait after a failed accept (out of descriptors), so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Accepts connections; while the network is lost it resets each at once.
pub(super) struct WireListener {
    pub(super) tcp: TcpListener,
    pub(super) world: Arc<World>,
}

impl Listener for WireListener {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            let Ok((stream, address)) = self.tcp.accept().await else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let plan = self.world.plan.lock().unwrap_or_else(PoisonError::into_inner);
            let is_offline = plan.is_offline(self.world.clock.now());
            drop(plan);
            // Without Nagle's delay; that it cannot be set on a dead socket shows at the next read.
            drop(stream.set_nodelay(true));
            if is_offline {
                drop(stream.set_zero_linger());
                continue;
            }
            return (Wire { stream, handle: WireHandle::default() }, address);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

const OPEN: u8 = 0;
const RESET: u8 = 1;
const CLOSE: u8 = 2;

/// Breaks the connection it belongs to; every request carries one.
#[derive(Debug, Clone, Default)]
pub(super) struct WireHandle(Arc<AtomicU8>);

impl WireHandle {
    /// The next write resets the connection.
    pub(super) fn reset(&self) {
        self.0.store(RESET, Ordering::Release);
    }

    /// The next write closes the connection.
    pub(super) fn close(&self) {
        self.0.store(CLOSE, Ordering::Release);
    }
}

impl Connected<IncomingStream<'_, WireListener>> for WireHandle {
    fn connect_info(stream: IncomingStream<'_, WireListener>) -> Self {
        stream.io().handle.clone()
    }
}

/// One connection.
pub(super) struct Wire {
    stream: TcpStream,
    handle: WireHandle,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.handle.0.load(Ordering::Acquire) {
            OPEN => Pin::new(&mut self.stream).poll_write(context, bytes),
            RESET => {
                // Linger zero turns the close that follows into a reset.
                drop(self.stream.set_zero_linger());
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            _ => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
