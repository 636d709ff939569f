//! The way to a friend service of another process: over gRPC, to a real one.

use std::net::SocketAddr;

use friendd::{FriendHandle, FriendSettings, Friendd, grpc};
use msgd::friends::{Answering, Ask, remote};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use proto::friends::{FriendAction, FriendList, ListVersion};
use proto::graph::{Change, GraphAnswer, GraphRequest};
use proto::ids::UserId;
use store::{Engine, Running, Settings};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

/// Questions that do not fit into two requests.
const MANY: usize = 300;

#[test]
fn lists_asked_for_at_once_share_requests_and_each_asker_gets_its_own() {
    shard().block_on(async {
        let friendd = FriendService::start().await;
        let ask = friendd.ask();
        let blocked: Vec<_> = (0..MANY).map(|user| ask(block(user))).collect();
        for answer in blocked {
            assert!(matches!(answer.await, GraphAnswer::Changed { .. }));
        }
        assert_eq!(friendd.list_requests(), 0);
        let asked: Vec<_> = (0..MANY).map(|user| ask(get(user))).collect();
        for (user, answer) in asked.into_iter().enumerate() {
            let list = a_list(answer).await;
            let who: Vec<_> = list.entries().iter().map(|entry| &entry.user).collect();
            assert_eq!(who, [&blocked_by(user)]);
        }
        assert_eq!(friendd.list_requests(), 3);
        // What is asked later is a request of its own.
        a_list(ask(get(0))).await;
        assert_eq!(friendd.list_requests(), 4);
    });
}

#[test]
fn without_a_friend_service_every_asker_hears_that_there_is_none() {
    shard().block_on(async {
        // Free again, and nobody listens.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let ask = remote(&address.to_string(), None).unwrap();
        let asked: Vec<_> = (0..MANY).map(|user| ask(get(user))).collect();
        for answer in asked {
            assert_eq!(answer.await, GraphAnswer::Unavailable);
        }
    });
}

/// A friend service over a store, as its daemon runs it.
struct FriendService {
    address: SocketAddr,
    registry: Registry,
    _store: Running,
    _data: TempDir,
}

impl FriendService {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut engine = Engine::open(data.path(), Settings::default()).unwrap();
        let settings = FriendSettings::default();
        let (friendd, friends) = Friendd::open(&settings, &mut engine).unwrap();
        let mut registry = Registry::default();
        friendd.register(&mut registry);
        let store = engine.start().unwrap();
        tokio::spawn(friendd.run());
        Self {
            address: serve(friends).await,
            registry,
            _store: store,
            _data: data,
        }
    }

    fn ask(&self) -> Ask {
        remote(&self.address.to_string(), None).unwrap()
    }

    fn list_requests(&self) -> u64 {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        let name = "friendd_list_requests_total ";
        let count = text.lines().find_map(|line| line.strip_prefix(name));
        count.expect(name).parse().unwrap()
    }
}

async fn serve(friends: FriendHandle) -> SocketAddr {
    let listener = grpc::bind(([127, 0, 0, 1], 0).into(), None).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = std::future::pending();
    tokio::spawn(grpc::serve(listener, None, friends, stop));
    address
}

/// What a shard's thread runs on.
fn shard() -> LocalRuntime {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().build_local(LocalOptions::default());
    runtime.unwrap()
}

async fn a_list(answer: Answering) -> std::sync::Arc<FriendList> {
    match answer.await {
        GraphAnswer::List(list) => list,
        other => panic!("{other:?} instead of a list"),
    }
}

fn get(user: usize) -> GraphRequest {
    GraphRequest::Get {
        user: id("ann", user),
        if_hash: None,
    }
}

fn block(user: usize) -> GraphRequest {
    GraphRequest::Change(Change {
        actor: id("ann", user),
        peer: blocked_by(user),
        action: FriendAction::Block,
        actor_version: ListVersion(0),
        peer_version: ListVersion(0),
    })
}

fn blocked_by(user: usize) -> UserId {
    id("ben", user)
}

fn id(name: &str, number: usize) -> UserId {
    UserId::new(format!("{name}-{number}")).unwrap()
}
