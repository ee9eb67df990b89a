//! Data to stdout, everything else to stderr; a reader that left early (`| head`) is no error.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};

/// Work that takes less is not talked about.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes `text` and a line end to stdout, keeping colours only on a terminal.
///
/// # Errors
/// When stdout cannot be written, except that a closed pipe counts as written.
pub fn print(text: &str) -> anyhow::Result<()> {
    tolerate_closed_pipe(writeln!(anstream::stdout(), "{text}"))
}

/// Writes `text` and a line end to stderr, keeping colours only on a terminal.
pub fn say(text: &str) {
    // Nobody is left to be told when stderr is gone.
    drop(writeln!(anstream::stderr(), "{text}"));
}

/// True when stdout keeps colours and signs: a terminal that nobody asked to be plain.
pub fn is_styled() -> bool {
    AutoStream::choice(&std::io::stdout()) != ColorChoice::Never
}

/// Who reads what a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Somebody who waits in front of it.
    Person,
    /// A program that wants nothing but data.
    Program,
}

impl Audience {
    /// Whoever asks for JSON is a program.
    pub fn of(json: bool) -> Self {
        if json { Self::Program } else { Self::Person }
    }
}

/// Does `work`; from its second second on a person at a terminal sees what takes so long.
pub async fn busy<T>(what: &'static str, audience: Audience, work: impl Future<Output = T>) -> T {
    let is_seen = std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
    let _line = (is_seen && audience == Audience::Person)
        .then(|| BusyLine::draw(anstream::stderr(), what, PATIENCE));
    work.await
}

/// A line that counts seconds until it is dropped, and is gone then. A thread of its own draws it,
/// because the work may keep its thread busy.
struct BusyLine {
    end: Option<Sender<()>>,
    drawing: Option<JoinHandle<()>>,
}

impl BusyLine {
    fn draw(
        mut terminal: impl Write + Send + 'static,
        what: &'static str,
        every: Duration,
    ) -> Self {
        let (end, ended) = channel::<()>();
        let drawing = std::thread::spawn(move || {
            let mut beats = 0;
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                beats += 1;
                redraw(&mut terminal, &format!("{what} … {beats} s"));
            }
            if beats > 0 {
                redraw(&mut terminal, "");
            }
        });
        Self { end: Some(end), drawing: Some(drawing) }
    }
}

impl Drop for BusyLine {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(drawing) = self.drawing.take() {
            // A line that could not be drawn is no reason to fail.
            drop(drawing.join());
        }
    }
}

/// What is being waited for, on stderr: one line that changes on a terminal, else a line whenever
/// it is something new.
#[derive(Debug, Default)]
pub struct Progress {
    said: String,
}

impl Progress {
    /// Says what is waited for; `detail` (a countdown) is for terminals alone.
    pub fn show(&mut self, what: &str, detail: &str) {
        if std::io::stderr().is_terminal() {
            redraw(&mut anstream::stderr(), &format!("{what}{detail}"));
        } else if self.said != what {
            say(what);
        }
        what.clone_into(&mut self.said);
    }

    /// Takes the line away, if there is one.
    pub fn clear(&mut self) {
        if !self.said.is_empty() && std::io::stderr().is_terminal() {
            redraw(&mut anstream::stderr(), "");
        }
        self.said.clear();
    }
}

/// Puts `text` in the place of the terminal's current line.
fn redraw(terminal: &mut impl Write, text: &str) {
    // Nobody is left to be told when stderr is gone.
    drop(write!(terminal, "\r\u{1b}[2K{text}").and_then(|()| terminal.flush()));
}

fn tolerate_closed_pipe(result: std::io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal that somebody watches.
    struct Watched(Sender<String>);

    impl Write for Watched {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            drop(self.0.send(String::from_utf8_lossy(bytes).into_owned()));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn slow_work_is_told_of_and_leaves_nothing_behind() {
        let (terminal, seen) = channel();
        let line = BusyLine::draw(Watched(terminal), "reading", Duration::from_millis(1));
        let mut shown = String::new();
        while !shown.contains("reading … 2 s") {
            shown.push_str(&seen.recv().expect("the line goes on"));
        }
        drop(line);
        shown.extend(seen.iter());
        assert!(shown.ends_with("\r\u{1b}[2K"), "{shown:?}");
    }

    #[test]
    fn quick_work_is_not_talked_about() {
        let (terminal, seen) = channel();
        drop(BusyLine::draw(Watched(terminal), "reading", Duration::from_mins(1)));
        assert_eq!(seen.iter().count(), 0);
    }
}
