//! The service in this process: over gRPC and by its handle, over a real store.

mod stage;

use std::net::SocketAddr;
use std::path::Path;

use friendd::{FriendHandle, FriendSettings, Friendd, grpc};
use proto::codes::Code;
use proto::friends::{FriendAction, FriendList, Relation};
use proto::graph::GraphAnswer;
use store::{Engine, Keyspace, Running, Service, Settings, Transaction, Unreadable};
use tonic::Code as Status;

use stage::{Asker, change, get, get_unless, relation};

#[tokio::test]
async fn questions_and_answers_travel_over_grpc() {
    let data = tempfile::tempdir().unwrap();
    let stage = Stage::started(data.path());
    let mut asker = Asker::connected(stage.listen().await).await;
    let GraphAnswer::List(list) = asker.ask(get("ann")).await.unwrap() else {
        panic!("a list expected");
    };
    assert_eq!(*list, FriendList::empty());

    let request = change("ann", FriendAction::Request, "ben", (0, 0));
    let GraphAnswer::Changed { actor, peer } = asker.ask(request).await.unwrap() else {
        panic!("changed expected");
    };
    assert_eq!(relation(&actor, "ben"), Some(Relation::Requested));
    assert_eq!(relation(&peer, "ann"), Some(Relation::Invited));
    let known = asker.ask(get_unless("ann", actor.hash())).await.unwrap();
    let version = actor.version();
    assert_eq!(known, GraphAnswer::NotModified { version });

    let stale = change("ben", FriendAction::Accept, "ann", (0, 1));
    let conflict = asker.ask(stale).await.unwrap();
    assert_eq!(
        conflict,
        GraphAnswer::Conflict {
            actor: peer,
            peer: actor
        }
    );
    let accept = change("ann", FriendAction::Accept, "ben", (1, 1));
    let code = Code::NoRequest;
    assert_eq!(
        asker.ask(accept).await.unwrap(),
        GraphAnswer::Refused { code }
    );
}

#[tokio::test]
async fn several_lists_come_in_the_order_of_their_questions() {
    let data = tempfile::tempdir().unwrap();
    store_record(data.path(), b"kim", b"\x02from a newer program");
    let stage = Stage::started(data.path());
    let mut asker = Asker::connected(stage.listen().await).await;
    let request = change("ann", FriendAction::Request, "ben", (0, 0));
    let GraphAnswer::Changed { actor, peer } = asker.ask(request).await.unwrap() else {
        panic!("changed expected");
    };
    // One that is known, one that cannot be read, one that is to be loaded.
    let asked = [
        get("ben"),
        get_unless("ann", actor.hash()),
        get("kim"),
        get("zoe"),
        get("ann"),
    ];
    let version = actor.version();
    let answers = vec![
        GraphAnswer::List(peer),
        GraphAnswer::NotModified { version },
        GraphAnswer::Unavailable,
        GraphAnswer::List(FriendList::empty().into()),
        GraphAnswer::List(actor),
    ];
    assert_eq!(asker.ask_lists(&asked).await.unwrap(), answers);
}

#[tokio::test]
async fn a_question_that_is_none_is_refused_as_such() {
    let data = tempfile::tempdir().unwrap();
    let stage = Stage::started(data.path());
    let Asker(mut client) = Asker::connected(stage.listen().await).await;
    for (questions, wrong) in [(vec![], "questions"), (vec![Default::default()], "user")] {
        let get = service::wire::GetRequest { questions };
        let refused = client.get(get).await.unwrap_err();
        assert_eq!(refused.code(), Status::InvalidArgument);
        assert!(refused.message().contains(wrong), "{refused}");
    }
    let nothing = service::wire::ChangeRequest {
        actor: "ann".into(),
        peer: "ben".into(),
        ..Default::default()
    };
    let refused = client.change(nothing).await.unwrap_err();
    assert_eq!(refused.code(), Status::InvalidArgument);
    assert!(refused.message().contains("action"), "{refused}");
}

#[tokio::test]
async fn several_runtimes_ask_by_one_handle() {
    let data = tempfile::tempdir().unwrap();
    let stage = Stage::started(data.path());
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let friends = stage.friends.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build();
                runtime.unwrap().block_on(async {
                    // Asked at once, answered in any order.
                    let answers: Vec<_> = (0..100)
                        .map(|number| {
                            let ann = format!("ann-{thread}-{number}");
                            let action = FriendAction::Block;
                            friends.request(change(&ann, action, "ben", (0, 0)))
                        })
                        .collect();
                    for answer in answers {
                        assert!(matches!(answer.await, GraphAnswer::Changed { .. }));
                    }
                });
            })
        })
        .collect();
    // The service lives in the runtime of this test.
    tokio::task::spawn_blocking(|| threads.into_iter().for_each(|t| t.join().unwrap()))
        .await
        .unwrap();
}

#[tokio::test]
async fn two_services_over_one_store_do_not_overwrite_each_other() {
    let data = tempfile::tempdir().unwrap();
    let mut engine = Engine::open(data.path(), Settings::default()).unwrap();
    let settings = FriendSettings::default();
    let (one, friends_of_one) = Friendd::open(&settings, &mut engine).unwrap();
    let (two, friends_of_two) = Friendd::open(&settings, &mut engine).unwrap();
    let _running = engine.start().unwrap();
    tokio::spawn(one.run());
    tokio::spawn(two.run());
    friends_of_two.request(get("ann")).await;
    friends_of_two.request(get("ben")).await;
    let block = change("ben", FriendAction::Block, "kim", (0, 0));
    friends_of_one.request(block).await;
    let request = change("ann", FriendAction::Request, "ben", (0, 0));
    let GraphAnswer::Conflict { actor, peer } = friends_of_two.request(request).await else {
        panic!("a conflict expected");
    };
    assert_eq!((actor.version().0, peer.version().0), (0, 1));
    let request = change("ann", FriendAction::Request, "ben", (0, 1));
    let GraphAnswer::Changed { peer, .. } = friends_of_two.request(request).await else {
        panic!("changed expected");
    };
    assert_eq!(peer.entries().len(), 2);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_concerns_its_user_alone() {
    let data = tempfile::tempdir().unwrap();
    store_record(data.path(), b"ann", b"\x02from a newer program");
    let stage = Stage::started(data.path());
    let friends = &stage.friends;
    let unavailable = GraphAnswer::Unavailable;
    assert_eq!(friends.request(get("ann")).await, unavailable);
    let block = change("ann", FriendAction::Block, "ben", (0, 0));
    assert_eq!(friends.request(block).await, unavailable);
    let answer = friends.request(get("ben")).await;
    assert!(matches!(answer, GraphAnswer::List(_)), "{answer:?}");
}

#[tokio::test]
async fn when_the_store_has_stopped_nobody_waits() {
    let data = tempfile::tempdir().unwrap();
    let Stage { friends, running } = Stage::started(data.path());
    friends.request(get("ann")).await;
    running.stop().unwrap();
    let answer = friends.request(get("kim")).await;
    assert_eq!(answer, GraphAnswer::Unavailable);
    let block = change("ann", FriendAction::Block, "ben", (0, 0));
    assert_eq!(friends.request(block).await, GraphAnswer::Unavailable);
}

#[tokio::test]
async fn more_questions_than_may_wait_are_sent_away() {
    let data = tempfile::tempdir().unwrap();
    let mut engine = Engine::open(data.path(), Settings::default()).unwrap();
    let settings = FriendSettings {
        waiting_max: 4,
        ..FriendSettings::default()
    };
    let (friendd, friends) = Friendd::open(&settings, &mut engine).unwrap();
    // Nobody takes them yet, and four fit.
    let mut answers: Vec<_> = (0..5).map(|_| friends.request(get("ann"))).collect();
    assert_eq!(answers.pop().unwrap().await, GraphAnswer::Unavailable);
    tokio::spawn(friendd.run());
    // The fourth finds three waiting, and the load of their list.
    assert_eq!(answers.pop().unwrap().await, GraphAnswer::Unavailable);
    let _running = engine.start().unwrap();
    for answer in answers {
        let answer = answer.await;
        assert!(matches!(answer, GraphAnswer::List(_)), "{answer:?}");
    }
}

#[tokio::test]
async fn a_request_for_more_known_lists_than_may_wait_is_answered() {
    let data = tempfile::tempdir().unwrap();
    let settings = FriendSettings {
        waiting_max: 4,
        ..FriendSettings::default()
    };
    let stage = Stage::started_with(data.path(), &settings);
    let mut asker = Asker::connected(stage.listen().await).await;
    let known: Vec<_> = (0..128)
        .map(|number| get(&format!("ann-{number}")))
        .collect();
    for question in &known {
        let answer = asker.ask(question.clone()).await.unwrap();
        assert!(matches!(answer, GraphAnswer::List(_)), "{answer:?}");
    }
    let answers = asker.ask_lists(&known).await.unwrap();
    assert_eq!(answers.len(), known.len());
    for answer in answers {
        assert!(matches!(answer, GraphAnswer::List(_)), "{answer:?}");
    }
}

/// A service of this process, over a store in a directory.
struct Stage {
    friends: FriendHandle,
    running: Running,
}

impl Stage {
    fn started(data: &Path) -> Self {
        Self::started_with(data, &FriendSettings::default())
    }

    fn started_with(data: &Path, settings: &FriendSettings) -> Self {
        let mut engine = Engine::open(data, Settings::default()).unwrap();
        let (friendd, friends) = Friendd::open(settings, &mut engine).unwrap();
        let running = engine.start().unwrap();
        tokio::spawn(friendd.run());
        Self { friends, running }
    }

    async fn listen(&self) -> SocketAddr {
        let listener = grpc::bind(([127, 0, 0, 1], 0).into(), None).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = std::future::pending();
        tokio::spawn(grpc::serve(listener, None, self.friends.clone(), stop));
        address
    }
}

/// Puts bytes where the service keeps its lists.
fn store_record(data: &Path, key: &[u8], value: &[u8]) {
    struct Writer(Keyspace);

    impl Service for Writer {
        type Request = (Vec<u8>, Vec<u8>);
        type Ticket = ();
        type Outcome = ();

        fn execute(
            &mut self,
            (key, value): Self::Request,
            transaction: &mut Transaction<'_>,
        ) -> Result<(), Unreadable> {
            transaction.put(self.0, &key, &value);
            Ok(())
        }

        fn rolled_back(&mut self) {}
    }

    let mut engine = Engine::open(data, Settings::default()).unwrap();
    let keyspace = engine.keyspace("friends").unwrap();
    let writer = engine.serve(Writer(keyspace), 1, |_| {});
    assert!(writer.submit((), (key.to_vec(), value.to_vec())).is_ok());
    engine.start().unwrap().stop().unwrap();
}
