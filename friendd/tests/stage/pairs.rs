//! Requests of one user to another, and what is left of them.

use proto::friends::{FriendAction, Relation};
use proto::graph::GraphAnswer;
use tokio::sync::watch;

use super::{Asker, change, get, relation};

/// Two users, one of whom made a request to the other.
pub struct Pair {
    ann: String,
    ben: String,
    acknowledged: bool,
}

/// Makes request after request, each of a new pair, until the daemon is gone,
/// or has no answer.
pub async fn request_for_ever(
    mut asker: Asker,
    name: (usize, usize),
    told: watch::Sender<usize>,
) -> Vec<Pair> {
    let mut pairs = Vec::new();
    loop {
        let number = pairs.len();
        let [ann, ben] = ["ann", "ben"].map(|n| format!("{n}-{}-{}-{number}", name.0, name.1));
        let asked = change(&ann, FriendAction::Request, &ben, (0, 0));
        let answer = asker.ask(asked).await;
        let acknowledged = match &answer {
            Ok(GraphAnswer::Changed { .. }) => true,
            Ok(GraphAnswer::Unavailable) | Err(_) => false,
            Ok(other) => panic!("{other:?} to a first request"),
        };
        pairs.push(Pair {
            ann,
            ben,
            acknowledged,
        });
        if !acknowledged {
            return pairs;
        }
        told.send_modify(|n| *n += 1);
    }
}

/// What was acknowledged is there, the rest is there on both sides or neither.
pub async fn check(asker: &mut Asker, pairs: &[Pair]) {
    for pair in pairs {
        let own = found(asker, &pair.ann, &pair.ben).await;
        let other = found(asker, &pair.ben, &pair.ann).await;
        match own {
            Some(Relation::Requested) => assert_eq!(other, Some(Relation::Invited)),
            None => {
                assert_eq!(other, None);
                assert!(!pair.acknowledged, "{} has lost a request", pair.ann);
            }
            Some(strange) => panic!("{strange:?}"),
        }
    }
}

async fn found(asker: &mut Asker, of: &str, about: &str) -> Option<Relation> {
    match asker.ask(get(of)).await.unwrap() {
        GraphAnswer::List(list) => relation(&list, about),
        other => panic!("{other:?} to a read"),
    }
}
