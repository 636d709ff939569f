//! The application's hand on a session: what it can ask for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use proto::client::Transient;
use proto::clock::Moment;
use proto::codes::Code;
use proto::friends::{FriendAction, FriendList};
use proto::ids::{DeviceId, MessageId, Stamp, UserId};
use proto::server::DeviceEntry;
use proto::status::{PeerStatus, Status};
use tokio::sync::oneshot;

use crate::dial::Place;
use crate::driver::drive;
use crate::events::Events;
use crate::lease::Lease;
use crate::session::{Answer, ChangeError, Fate, RequestError, SendError, Session, To};
use crate::settings::{AddressError, Settings};
use crate::shared::Shared;

/// A session. Clones are handles of the same one.
///
/// When all handles and the [`Events`] are dropped the connection is dropped
/// too, as if it broke; [`Client::close`] is the orderly end.
#[derive(Debug, Clone)]
pub struct Client {
    lease: Arc<Lease>,
}

/// A message on its way: resolves to its [`Fate`].
///
/// It waits over reconnects. Dropping it changes nothing for the message.
#[derive(Debug)]
#[must_use = "the fate tells whether the message is safe"]
pub struct SendHandle {
    id: MessageId,
    fate: oneshot::Receiver<Fate>,
}

impl SendHandle {
    /// The message's id, for [`Client::send_with_id`].
    pub fn id(&self) -> MessageId {
        self.id
    }
}

impl Future for SendHandle {
    type Output = Fate;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Fate> {
        let code = Code::FateUnknown;
        let fate = Pin::new(&mut self.fate).poll(context);
        fate.map(|fate| fate.unwrap_or(Fate::Unknown { code }))
    }
}

impl Client {
    /// Begins a session: it connects, and comes back after every loss, by
    /// itself. How it fares is told by the events.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O and time.
    pub fn connect(settings: Settings) -> Result<(Self, Events), AddressError> {
        settings.check()?;
        let place = Place {
            names: settings.address.clone(),
            tls: settings.tls.clone(),
        };
        let shared = Arc::new(Shared::new(settings));
        let lease = Arc::new(Lease::new(Arc::clone(&shared)));
        let events = Events {
            lease: Arc::clone(&lease),
        };
        tokio::spawn(drive(shared, place));
        Ok((Self { lease }, events))
    }

    pub(crate) fn shared(&self) -> &Shared {
        self.lease.shared()
    }

    /// Takes a message for `to`. Waits, in line, while the window is full and
    /// before the first log-in; offline it is taken and sent later. Messages of
    /// one task are sent in its order.
    pub async fn send(&self, to: &UserId, body: impl Into<Bytes>) -> Result<SendHandle, SendError> {
        let to = To::User(to.clone());
        self.submit(None, to, body.into()).await
    }

    /// Sends a message of unknown fate again: with the same id, recipient and
    /// body it is not shown twice.
    pub async fn send_with_id(
        &self,
        id: MessageId,
        to: &UserId,
        body: impl Into<Bytes>,
    ) -> Result<SendHandle, SendError> {
        let to = To::User(to.clone());
        self.submit(Some(id), to, body.into()).await
    }

    pub(crate) async fn submit(
        &self,
        id: Option<MessageId>,
        to: To,
        mut body: Bytes,
    ) -> Result<SendHandle, SendError> {
        let shared = self.shared();
        let _turn = shared.turn.lock().await;
        loop {
            match shared.submit(id, to.clone(), body) {
                Ok((id, fate)) => return Ok(SendHandle { id, fate }),
                Err(SendError::Full(back)) => body = back,
                Err(error) => return Err(error),
            }
            shared.room.notified().await;
        }
    }

    /// As [`Client::send`], but hands the body back instead of waiting.
    pub fn try_send(&self, to: &UserId, body: impl Into<Bytes>) -> Result<SendHandle, SendError> {
        let to = To::User(to.clone());
        let (id, fate) = self.shared().submit(None, to, body.into())?;
        Ok(SendHandle { id, fate })
    }

    /// Asks `peer` to be friends.
    pub async fn request(&self, peer: &UserId) -> Result<(), ChangeError> {
        self.change(FriendAction::Request, peer).await
    }

    /// Accepts the request of `peer`.
    pub async fn accept(&self, peer: &UserId) -> Result<(), ChangeError> {
        self.change(FriendAction::Accept, peer).await
    }

    /// Declines the request of `peer`.
    pub async fn decline(&self, peer: &UserId) -> Result<(), ChangeError> {
        self.change(FriendAction::Decline, peer).await
    }

    /// Ends the friendship with `peer`, or takes an own request back.
    pub async fn remove(&self, peer: &UserId) -> Result<(), ChangeError> {
        self.change(FriendAction::Remove, peer).await
    }

    /// Takes nothing from `peer` any more; holds in the whole cluster once
    /// this returns.
    pub async fn block(&self, peer: &UserId) -> Result<(), ChangeError> {
        self.change(FriendAction::Block, peer).await
    }

    /// Ends a block.
    pub async fn unblock(&self, peer: &UserId) -> Result<(), ChangeError> {
        self.change(FriendAction::Unblock, peer).await
    }

    /// Does `action` with `peer`; waits for the answer, for ten seconds at
    /// most.
    pub async fn change(&self, action: FriendAction, peer: &UserId) -> Result<(), ChangeError> {
        let peer = peer.clone();
        self.change_of(|session, now| session.change_friend(now, action, peer))
            .await
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask(
        &self,
        ask: impl FnOnce(&mut Session, Moment) -> Result<u32, RequestError>,
    ) -> Result<Answer, ChangeError> {
        let answer = self.shared().ask(ask)?;
        answer.await.unwrap_or(Err(ChangeError::Unanswered))
    }

    /// Asks for a change, and waits for the answer.
    pub(crate) async fn change_of(
        &self,
        ask: impl FnOnce(&mut Session, Moment) -> Result<u32, RequestError>,
    ) -> Result<(), ChangeError> {
        self.ask(ask).await.map(drop)
    }

    /// The devices of this user that are logged in; waits for the answer, for
    /// ten seconds at most.
    pub async fn devices(&self) -> Result<Vec<DeviceEntry>, ChangeError> {
        let answer = self.shared().devices()?;
        answer.await.unwrap_or(Err(ChangeError::Unanswered))
    }

    /// Logs a device of this user out, another one or this; waits for the
    /// answer, for ten seconds at most. It can log in again with a good token.
    pub async fn end_device(&self, device: &DeviceId) -> Result<(), ChangeError> {
        let device = device.clone();
        self.change_of(|session, now| session.end_device(now, device))
            .await
    }

    /// The friend list; `None` before the first one came.
    pub fn friends(&self) -> Option<Arc<FriendList>> {
        self.shared().look(|session| session.friends().cloned())
    }

    /// A friend's status; `None` while nothing is known.
    pub fn status_of(&self, user: &UserId) -> Option<PeerStatus> {
        self.shared()
            .look(|session| session.status_of(user).cloned())
    }

    /// Shows another status, now and after every reconnect.
    pub fn set_status(&self, status: Status) -> Result<(), RequestError> {
        self.shared()
            .call(|session, _, _| session.set_status(status))
    }

    /// Tells `peer` that their messages up to this stamp are read.
    pub fn mark_read(&self, peer: &UserId, up_to: Stamp) -> Result<(), RequestError> {
        self.shared()
            .call(|session, _, _| session.mark_read(peer.clone(), up_to))
    }

    /// Tells `to` that this user types. Without a connection nothing happens.
    pub fn typing(&self, to: &UserId) {
        self.shared()
            .call(|session, _, _| session.typing(to.clone()));
    }

    /// Sends a signal that is never stored. It may be shed anywhere.
    pub fn transient(&self, transient: Transient) {
        self.shared()
            .call(|session, _, _| session.transient(transient));
    }

    /// Gives a token in place of the one before, in time or after
    /// [`crate::Event::TokenExpired`].
    pub fn refresh_token(&self, token: impl Into<String>) -> Result<(), RequestError> {
        self.shared()
            .call(|session, _, _| session.refresh_token(token.into()))
    }

    /// Takes no more, waits until everything sent has its fate, at most for
    /// `patience`, logs out and ends the session. What has no answer by then
    /// resolves to [`Fate::Unknown`].
    pub async fn close(&self, patience: Duration) {
        let shared = self.shared();
        shared.call(|session, now, out| session.close(now + patience, out));
        // The sender lives as long as this handle.
        let _ = shared.done.subscribe().wait_for(|done| *done).await;
    }
}
