//! A friend service to ask, in this process or in one of its own.

// Each test file uses its part of the stage.
#![allow(dead_code)]

pub mod pairs;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use proto::friends::{FriendAction, FriendList, ListHash, ListVersion, Relation};
use proto::graph::{Change, GraphAnswer, GraphRequest};
use proto::ids::UserId;
use service::graph::get_to_wire;
use service::wire::friends_client::FriendsClient;
use tonic::transport::{Channel, Endpoint};

/// Somebody who asks over gRPC.
#[derive(Clone)]
pub struct Asker(pub FriendsClient<Channel>);

impl Asker {
    pub async fn connected(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        Self(FriendsClient::new(endpoint.connect().await.unwrap()))
    }

    /// It connects when it first asks, and again whenever it must.
    pub fn connects(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        Self(FriendsClient::new(endpoint.connect_lazy()))
    }

    pub async fn ask(&mut self, request: GraphRequest) -> Result<GraphAnswer, tonic::Status> {
        let answer = match request {
            GraphRequest::Get { .. } => return Ok(self.ask_lists(&[request]).await?.remove(0)),
            GraphRequest::Change(change) => self.0.change(wire_change(&change)).await?,
        };
        Ok(answer.into_inner().try_into().expect("a valid answer"))
    }

    /// Asks for several lists at once.
    pub async fn ask_lists(
        &mut self,
        requests: &[GraphRequest],
    ) -> Result<Vec<GraphAnswer>, tonic::Status> {
        let question = |request: &GraphRequest| match request {
            GraphRequest::Get { user, if_hash } => get_to_wire(user, *if_hash),
            GraphRequest::Change(change) => panic!("{change:?} is no question for a list"),
        };
        let questions = requests.iter().map(question).collect();
        let get = service::wire::GetRequest { questions };
        let mut answers = self.0.get(get).await?.into_inner();
        let mut all = Vec::new();
        while let Some(answer) = answers.message().await? {
            all.push(answer.try_into().expect("a valid answer"));
        }
        Ok(all)
    }
}

fn wire_change(change: &Change) -> service::wire::ChangeRequest {
    change.into()
}

pub fn get(name: &str) -> GraphRequest {
    GraphRequest::Get {
        user: user(name),
        if_hash: None,
    }
}

pub fn get_unless(name: &str, hash: ListHash) -> GraphRequest {
    GraphRequest::Get {
        user: user(name),
        if_hash: Some(hash),
    }
}

pub fn change(actor: &str, action: FriendAction, peer: &str, versions: (u64, u64)) -> GraphRequest {
    GraphRequest::Change(Change {
        actor: user(actor),
        peer: user(peer),
        action,
        actor_version: ListVersion(versions.0),
        peer_version: ListVersion(versions.1),
    })
}

pub fn relation(list: &FriendList, of: &str) -> Option<Relation> {
    list.find(&user(of)).map(|entry| entry.relation)
}

pub fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// The daemon, in a process of its own. Dropped, it is killed.
pub struct Process {
    pub child: Child,
    pub listen: SocketAddr,
    pub admin: SocketAddr,
    /// Kept, so that the daemon can always write its log.
    _log: BufReader<ChildStderr>,
}

impl Process {
    /// Started on free ports, and serving.
    pub fn started(data: &Path, flags: &[&str]) -> Self {
        let mut child = command(data, flags).spawn().expect("the daemon starts");
        let mut log = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        while !line.contains("friendd serves") {
            line.clear();
            let bytes = log.read_line(&mut line).expect("a log");
            assert_ne!(bytes, 0, "it ended before it served");
        }
        Self {
            child,
            listen: address(&line, "listen"),
            admin: address(&line, "admin"),
            _log: log,
        }
    }

    pub async fn asker(&self) -> Asker {
        Asker::connected(self.listen).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The daemon on free ports; later flags win.
pub fn command(data: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_friendd"));
    command
        .args(["--log-format", "json", "--data"])
        .arg(data)
        .args(flags)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    for port in ["--listen", "--admin"] {
        if !flags.contains(&port) {
            command.args([port, "127.0.0.1:0"]);
        }
    }
    command
}

fn address(line: &str, key: &str) -> SocketAddr {
    let (_, rest) = line.split_once(&format!("\"{key}\":\"")).expect(key);
    rest.split('"').next().expect(key).parse().expect(key)
}

/// How a service is to use a Redis.
pub fn redis(url: &str) -> shared::Settings {
    shared::Settings {
        address: url.parse().unwrap(),
        trust: shared::Trust::default(),
        patience: std::time::Duration::from_secs(2),
        confirm: None,
    }
}

/// A page of the admin port.
pub fn page(admin: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(admin).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {admin}\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}
