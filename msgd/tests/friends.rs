//! The way to a friend service of another process: over gRPC, to a real one.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use friendd::{FriendHandle, FriendSettings, Friendd, grpc};
use msgd::friends::{Answering, Ask, remote};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use proto::friends::{FriendAction, FriendList, ListVersion};
use proto::graph::{Change, GraphAnswer, GraphRequest};
use proto::ids::UserId;
use store::{Engine, Running, Settings};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::task::spawn_local;
use tokio::time::timeout;

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

#[test]
fn of_several_those_that_are_there_answer() {
    shard().block_on(async {
        let friendd = FriendService::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = listener.local_addr().unwrap();
        drop(listener);
        let ask = remote(&format!("{nobody},{}", friendd.address), None).unwrap();
        for _ in 0..4 {
            let asked: Vec<_> = (0..MANY).map(|user| ask(get(user))).collect();
            for answer in asked {
                a_list(answer).await;
            }
            let blocked = ask(block(0)).await;
            assert!(
                matches!(blocked, GraphAnswer::Changed { .. }),
                "{blocked:?}"
            );
        }
    });
}

/// The first one has carried a change out when it falls silent.
#[test]
fn a_change_without_an_answer_is_asked_again_and_done_once() {
    shard().block_on(async {
        let friendd = FriendService::start().await;
        let mute = Door::open(friendd.address).await;
        mute.is_mute.set(true);
        let ask = remote(&format!("{},{}", mute.address, friendd.address), None).unwrap();
        let asked: Vec<_> = (0..8).map(|user| ask(befriend(user))).collect();
        for answer in asked {
            let GraphAnswer::Changed { actor, peer } = answer.await else {
                panic!("changed expected");
            };
            assert_eq!((actor.version().0, peer.version().0), (1, 1));
        }
        assert_eq!(friendd.counted("requests_total{kind=\"request\"} "), 8 + 1);

        // It is avoided from now on.
        let begun = Instant::now();
        for user in 0..8 {
            a_list(ask(get(user))).await;
        }
        assert!(begun.elapsed() < Duration::from_millis(250), "{begun:?}");
        assert_eq!(mute.passed.get(), 0);

        // Until it answers again.
        mute.is_mute.set(false);
        let waited = async {
            while mute.passed.get() == 0 {
                a_list(ask(get(0))).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(30), waited).await.unwrap();
    });
}

/// A way to a friend service on which answers may be lost.
struct Door {
    address: SocketAddr,
    is_mute: Rc<Cell<bool>>,
    /// Bytes of answers that came through.
    passed: Rc<Cell<usize>>,
}

impl Door {
    async fn open(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = Self {
            address: listener.local_addr().unwrap(),
            is_mute: Rc::default(),
            passed: Rc::default(),
        };
        let (is_mute, passed) = (door.is_mute.clone(), door.passed.clone());
        spawn_local(async move {
            loop {
                let (inner, _) = listener.accept().await.unwrap();
                let outer = TcpStream::connect(to).await.unwrap();
                spawn_local(pass(inner, outer, is_mute.clone(), passed.clone()));
            }
        });
        door
    }
}

/// Until either side ends, or answers that were lost are to come through.
async fn pass(
    mut inner: TcpStream,
    mut outer: TcpStream,
    is_mute: Rc<Cell<bool>>,
    passed: Rc<Cell<usize>>,
) {
    let began_mute = is_mute.get();
    let (mut asked, mut answered) = ([0; 4096], [0; 4096]);
    while is_mute.get() == began_mute {
        let moment = tokio::time::sleep(Duration::from_millis(5));
        tokio::select! {
            read = inner.read(&mut asked) => match read {
                Ok(count) if count > 0 => outer.write_all(&asked[..count]).await.unwrap(),
                _ => return,
            },
            read = outer.read(&mut answered) => match read {
                Ok(count) if count > 0 && !began_mute => {
                    passed.set(passed.get() + count);
                    inner.write_all(&answered[..count]).await.unwrap();
                }
                Ok(count) if count > 0 => {}
                _ => return,
            },
            () = moment => {}
        }
    }
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
        self.counted("list_requests_total ")
    }

    fn counted(&self, figure: &str) -> u64 {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        let name = format!("friendd_{figure}");
        let count = text.lines().find_map(|line| line.strip_prefix(&name));
        count.expect(figure).parse().unwrap()
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
    act(user, FriendAction::Block)
}

fn befriend(user: usize) -> GraphRequest {
    act(user, FriendAction::Request)
}

fn act(user: usize, action: FriendAction) -> GraphRequest {
    GraphRequest::Change(Change {
        actor: id("ann", user),
        peer: blocked_by(user),
        action,
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
