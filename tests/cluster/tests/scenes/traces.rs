//! Where a message is, as `imctl trace` shows it.

use client::Fate;
use cluster::imctl::{imctl, obeyed};
use cluster::patience::{until, within};
use cluster::person::{Person, user};
use cluster::processes::Processes;
use serde_json::Value;

use crate::imctl::{admins, json};

#[tokio::test]
async fn a_message_is_traced_from_one_shard_to_another() {
    let mut cluster = Processes::start().await;
    let admin = admins(&cluster);
    let (east, west) = (cluster.user_of(0, "ann"), cluster.user_of(1, "ben"));
    let ann = Person::comes(&cluster.connds[0].address(), east.as_str(), "phone").await;
    let (a, b) = (east.as_str(), west.as_str());
    obeyed(&["--admin", &admin, "friend", "add", a, b]).await;

    // Stored, and then delivered.
    let handle = ann.begins_to_say(&west, "one").await;
    let id = handle.id().to_string();
    assert!(matches!(handle.await, Fate::Stored { .. }));
    let traced = json(&admin, &["trace", &id]).await;
    assert_eq!(stands(&traced), ["stored"], "{traced}");
    assert_eq!(traced["stands"][0]["at"], "west");
    assert_eq!(
        (&traced["stands"][0]["from"], &traced["stands"][0]["to"]),
        (&a.into(), &b.into())
    );
    let steps = steps(&traced);
    let way = [
        "sent by a client",
        "to the sender's shard",
        "submitted",
        "accepted and forwarded",
        "to the recipient's shard",
        "forwarded here",
        "to the store",
        "answered: stored",
        "its sender is told: sent",
    ];
    let mut at = steps.iter();
    for step in way {
        assert!(at.any(|other| *other == step), "{step} in {steps:?}");
    }
    let ben = Person::comes(&cluster.connds[1].address(), b, "desk").await;
    ben.reads("one").await;
    let handle = ann.begins_to_say(&west, "two").await;
    let id = handle.id().to_string();
    assert!(matches!(handle.await, Fate::Delivered { .. }));
    let traced = json(&admin, &["trace", &id]).await;
    assert_eq!(stands(&traced), ["delivered"], "{traced}");
    assert_eq!(traced["stands"][0]["device"], "desk");
    let shown = obeyed(&["--admin", &admin, "trace", &id]).await;
    assert!(shown.contains("taken by a device"), "{shown}");

    // Refused, and why.
    let handle = ann.begins_to_say(&user("nobody"), "three").await;
    let id = handle.id().to_string();
    handle.await;
    let traced = json(&admin, &["trace", &id]).await;
    let codes = traced["steps"].as_array().unwrap().iter();
    let mut codes = codes.filter_map(|step| step["code"].as_str());
    assert!(codes.any(|code| code.starts_with("101")), "{traced}");

    // Waiting at the sender's connd: the recipient's shard is away.
    cluster.msgds[1].kill();
    let handle = ann.begins_to_say(&west, "four").await;
    let id = handle.id().to_string();
    let traced = until("the message at its connd", async || {
        let said = imctl(&["--admin", &admin, "--json", "trace", &id]).await;
        serde_json::from_str::<Value>(&said.out).ok()
    })
    .await;
    assert_eq!(stands(&traced), ["in its sender's window, not answered"]);
    cluster.msgds[1].start_again().await;
    within("a fate", handle).await;
    let nothing = "0".repeat(32);
    let said = imctl(&["--admin", &admin, "trace", &nothing]).await;
    assert!(
        !said.done && said.error.contains("knows the message"),
        "{said:?}"
    );
}

fn stands(traced: &Value) -> Vec<&str> {
    let stands = traced["stands"].as_array().unwrap().iter();
    stands
        .map(|stand| stand["what"].as_str().unwrap())
        .collect()
}

fn steps(traced: &Value) -> Vec<&str> {
    let steps = traced["steps"].as_array().unwrap().iter();
    steps.map(|step| step["what"].as_str().unwrap()).collect()
}
