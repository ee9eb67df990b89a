//! The admin socket, both sides of it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;

use heygen_monitor::admin::{
    AdminHandler, AdminSocket, BindError, Request, RequestError, Response, TestResult, request,
    serve, socket_path,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

/// Remembers what was asked.
#[derive(Default)]
struct Daemon {
    asked: Mutex<Vec<Request>>,
}

impl AdminHandler for &Daemon {
    async fn handle(&self, request: Request) -> Response {
        self.asked.lock().unwrap().push(request.clone());
        match request {
            Request::Status => Response::Status { verdict: None, broken: BTreeMap::new() },
            Request::Jobs => Response::Jobs { stages: Some(Vec::new()) },
            Request::Budget => Response::Budget { budget: None },
            Request::Ack { .. }
            | Request::Silence(_)
            | Request::Expire { .. }
            | Request::Probe { .. } => Response::Done { message: "done".to_owned() },
            Request::Reload => Response::Refused { message: "line 3\n  unknown key".to_owned() },
            Request::NotifyTest { channel } => Response::NotifyTested {
                results: vec![TestResult {
                    channel: channel.unwrap_or_default(),
                    delivered: true,
                    detail: String::new(),
                }],
            },
        }
    }
}

/// Runs `ask` against a daemon that serves on `path`, then stops the daemon.
async fn against<T>(daemon: &Daemon, path: &Path, ask: impl Future<Output = T>) -> T {
    let cancel = CancellationToken::new();
    let served = serve(AdminSocket::bind(path).unwrap(), daemon, cancel.clone());
    let asked = async {
        let answer = ask.await;
        cancel.cancel();
        answer
    };
    tokio::join!(served, asked).1
}

#[tokio::test]
async fn a_request_reaches_the_daemon_and_its_answer_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("admin.sock");
    let daemon = Daemon::default();
    let drill = Request::NotifyTest { channel: Some("oncall".to_owned()) };
    against(&daemon, &path, async {
        let status = request(&path, &Request::Status).await.unwrap();
        assert_eq!(status, Response::Status { verdict: None, broken: BTreeMap::new() });
        let jobs = request(&path, &Request::Jobs).await.unwrap();
        assert_eq!(jobs, Response::Jobs { stages: Some(Vec::new()) });
        let budget = request(&path, &Request::Budget).await.unwrap();
        assert_eq!(budget, Response::Budget { budget: None });
        let Response::Refused { message } = request(&path, &Request::Reload).await.unwrap() else {
            panic!("a wrong configuration is refused");
        };
        assert_eq!(message, "line 3\n  unknown key", "line breaks survive the protocol");
        let Response::NotifyTested { results } = request(&path, &drill).await.unwrap() else {
            panic!("a drill has results");
        };
        assert_eq!(results[0].channel, "oncall");
    })
    .await;
    let asked = daemon.asked.into_inner().unwrap();
    assert_eq!(asked, [Request::Status, Request::Jobs, Request::Budget, Request::Reload, drill]);
    assert!(!path.exists(), "the file goes away with the daemon");
}

#[tokio::test]
async fn the_socket_is_for_owner_and_group_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("admin.sock");
    let _socket = AdminSocket::bind(&path).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
}

#[tokio::test]
async fn a_socket_left_by_a_killed_daemon_is_replaced_and_a_live_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("admin.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "the file outlives its listener");
    let live = AdminSocket::bind(&path).unwrap();
    assert!(matches!(AdminSocket::bind(&path), Err(BindError::InUse { .. })));
    drop(live);
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_never_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("admin.sock");
    std::fs::write(&path, "precious").unwrap();
    let failure = AdminSocket::bind(&path).unwrap_err();
    assert!(matches!(failure, BindError::Io { .. }), "{failure}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn without_a_daemon_the_question_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("admin.sock");
    let failure = request(&path, &Request::Status).await.unwrap_err();
    assert!(matches!(failure, RequestError::NotRunning { .. }), "{failure}");
}

#[tokio::test]
async fn nonsense_is_refused_and_harms_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("admin.sock");
    let daemon = Daemon::default();
    against(&daemon, &path, async {
        for nonsense in ["rm -rf /\n", "{\"status\":1}\n", "\"restart\"\n", "\n"] {
            let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
            stream.write_all(nonsense.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.contains("not a request"), "{nonsense:?}: {answer:?}");
        }
        assert!(request(&path, &Request::Status).await.is_ok(), "it still answers");
    })
    .await;
}

#[test]
fn the_socket_stands_in_the_runtime_directory_where_there_is_one() {
    let state = Path::new("/var/lib/heygen-monitor");
    let said = |runtime| socket_path(runtime, state).display().to_string();
    assert_eq!(said(Some("/run/heygen-monitor")), "/run/heygen-monitor/admin.sock");
    assert_eq!(said(Some("/run/a:/run/b")), "/run/a/admin.sock");
    assert_eq!(said(Some("")), "/var/lib/heygen-monitor/admin.sock");
    assert_eq!(said(None), "/var/lib/heygen-monitor/admin.sock");
}
