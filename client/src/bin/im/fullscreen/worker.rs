//! What has to be waited for, done in the order in which it was asked for, so
//! that a friend is accepted before they are written to. What only asks goes
//! beside it.
//!
//! Owns the queue. Must not know what is shown.

use client::{
    Client, Conversation, DeviceId, FriendAction, GroupId, MessageId, Range, SendError, SendHandle,
    UserId, Which,
};
use tokio::sync::mpsc;

use super::app::{Done, PAGE, WAITING_MAX};
use crate::groups;
use crate::groups::command::Ask as GroupAsk;
use crate::post::post;
use crate::whom::Whom;

/// Something that has to be waited for.
#[derive(Debug)]
pub enum Ask {
    Send {
        ticket: u64,
        to: Whom,
        text: String,
        /// The message's id, if it is sent again.
        again: Option<MessageId>,
    },
    Change {
        action: FriendAction,
        peer: UserId,
    },
    Devices,
    /// Something of a group.
    Group {
        group: GroupId,
        ask: GroupAsk,
    },
    /// How many of its members are here.
    Here(GroupId),
    /// A page of its history before this entry.
    Fetch {
        group: GroupId,
        before: u64,
    },
    End(DeviceId),
}

impl Ask {
    /// It changes nothing, so it holds up nothing, and nothing holds it up.
    fn is_question(&self) -> bool {
        match self {
            Self::Here(_) | Self::Fetch { .. } | Self::Devices => true,
            Self::Group { ask, .. } => !matches!(ask, GroupAsk::Do(_)),
            Self::Send { .. } | Self::Change { .. } | Self::End(_) => false,
        }
    }
}

/// Does what is asked for.
#[derive(Debug)]
pub struct Worker {
    /// None: nothing more is asked for.
    asks: Option<mpsc::Sender<Ask>>,
    done: mpsc::Receiver<Done>,
}

impl Worker {
    /// Begins, on the runtime of the caller.
    pub fn start(client: Client) -> Self {
        let (asks, asked) = mpsc::channel(WAITING_MAX);
        let (tell, done) = mpsc::channel(WAITING_MAX);
        tokio::spawn(work(client, asked, tell));
        let asks = Some(asks);
        Self { asks, done }
    }

    /// Asks for something. The state lets no more wait than there is room for.
    pub fn ask(&self, ask: Ask) {
        if let Some(asks) = &self.asks {
            let asked = asks.try_send(ask);
            debug_assert!(asked.is_ok(), "there is room for all that may wait");
        }
    }

    /// The next thing that was done.
    pub async fn next(&mut self) -> Option<Done> {
        self.done.recv().await
    }

    /// Nothing more is asked for: [`Worker::next`] ends with what is done last.
    pub fn finish(&mut self) {
        self.asks = None;
    }
}

async fn work(client: Client, mut asked: mpsc::Receiver<Ask>, tell: mpsc::Sender<Done>) {
    while let Some(ask) = asked.recv().await {
        if ask.is_question() {
            let (client, tell) = (client.clone(), tell.clone());
            tokio::spawn(async move {
                let done = perform(&client, ask, &tell).await;
                // Nobody listens any more: then nobody needs to know.
                let _ = tell.send(done).await;
            });
            continue;
        }
        let done = perform(&client, ask, &tell).await;
        // Likewise.
        if tell.send(done).await.is_err() {
            return;
        }
    }
}

async fn perform(client: &Client, ask: Ask, tell: &mpsc::Sender<Done>) -> Done {
    match ask {
        Ask::Send {
            ticket,
            to,
            text,
            again,
        } => {
            let sent = post(client, &to, text.clone(), again).await;
            let result = sent.map(|handle| follow(handle, tell.clone()));
            let result: Result<MessageId, SendError> = result;
            // Told before its fate: both go the same way, and the fate has
            // not been waited for yet.
            Done::Sent {
                ticket,
                to,
                text,
                result,
            }
        }
        Ask::Change { action, peer } => Done::Changed {
            result: client.change(action, &peer).await,
            action,
            peer,
        },
        Ask::Group { group, ask } => Done::Group {
            result: groups::ask(client, &group, ask.clone()).await,
            group,
            ask,
        },
        Ask::Here(group) => {
            let here = client.members(&group, Which::Online, None).await;
            let result = here.map(|members| members.total);
            Done::Here { group, result }
        }
        Ask::Fetch { group, before } => {
            let of = Conversation::Group(group.clone());
            let result = client.history(of, Range::Before(before), PAGE).await;
            Done::Fetched { group, result }
        }
        Ask::Devices => Done::Devices(client.devices().await),
        Ask::End(device) => Done::Ended {
            result: client.end_device(&device).await,
            device,
        },
    }
}

/// Waits for the fate of a message.
fn follow(handle: SendHandle, tell: mpsc::Sender<Done>) -> MessageId {
    let id = handle.id();
    tokio::spawn(async move {
        let fate = handle.await;
        // Likewise.
        let _ = tell.send(Done::Fate { id, fate }).await;
    });
    id
}
