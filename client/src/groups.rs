//! What the application can ask of groups.

use bytes::Bytes;
use proto::client::{GroupTransient, TRANSIENT_TYPING};
use proto::group::{Action, Conversation, Mentions, Range, ReadTo, Which};
use proto::ids::{GroupId, MessageId, UserId};
use proto::server::{History, Members};

use crate::client::{Client, SendHandle};
use crate::session::{Answer, ChangeError, Group, RequestError, SendError, To};

impl Client {
    /// Takes a message for a group that wants the attention of `mentions`, at
    /// most 32 users. Waits as [`Client::send`] does, in the same line.
    pub async fn send_to_group(
        &self,
        group: &GroupId,
        mentions: Mentions,
        body: impl Into<Bytes>,
    ) -> Result<SendHandle, SendError> {
        let to = To::Group(group.clone(), mentions);
        self.submit(None, to, body.into()).await
    }

    /// Sends a message for a group of unknown fate again: with the same id,
    /// group, mentions and body it is not told twice.
    pub async fn send_to_group_with_id(
        &self,
        id: MessageId,
        group: &GroupId,
        mentions: Mentions,
        body: impl Into<Bytes>,
    ) -> Result<SendHandle, SendError> {
        let to = To::Group(group.clone(), mentions);
        self.submit(Some(id), to, body.into()).await
    }

    /// Does something to a group: creates it, joins it, invites somebody, and
    /// whatever else an [`Action`] is. Waits for the answer, for ten seconds at
    /// most. A title has at most 256 bytes. Of a group into which admins admit,
    /// a join is answered with [`crate::Code::Applied`]; whoever is admitted is
    /// told by [`crate::Event::Group`].
    pub async fn change_group(&self, group: &GroupId, action: Action) -> Result<(), ChangeError> {
        let group = group.clone();
        self.change_of(|session, now| session.change_group(now, group, action))
            .await
    }

    /// Whom a group knows, by their ids, those after `after`: a page of at most
    /// 500, with the count of all and whether there are more. Waits for the
    /// answer, for ten seconds at most, over a reconnect too.
    pub async fn members(
        &self,
        group: &GroupId,
        which: Which,
        after: Option<&UserId>,
    ) -> Result<Members, ChangeError> {
        let (group, after) = (group.clone(), after.cloned());
        let ask = self.ask(|session, now| session.members(now, group, which, after));
        match ask.await? {
            Answer::Members(members) => Ok(*members),
            // The session takes no other for an answer.
            Answer::Done | Answer::History(_) => Err(ChangeError::Unanswered),
        }
    }

    /// A part of a history: at most `count` entries, 500 at most, and at most
    /// about 128 KiB of them; fewer do not mean that there are no more, the
    /// numbers do. Waits for the answer, for ten seconds at most, over a
    /// reconnect too.
    pub async fn history(
        &self,
        of: Conversation,
        range: Range,
        count: usize,
    ) -> Result<History, ChangeError> {
        let ask = self.ask(|session, now| session.history(now, of, range, count));
        match ask.await? {
            Answer::History(history) => Ok(*history),
            Answer::Done | Answer::Members(_) => Err(ChangeError::Unanswered),
        }
    }

    /// The groups in which this user is a member, at most 1,000, by their ids;
    /// without those whose state has not come yet.
    pub fn groups(&self) -> Vec<Group> {
        self.shared().look(|session| session.groups())
    }

    /// One of them.
    pub fn group(&self, group: &GroupId) -> Option<Group> {
        self.shared().look(|session| session.group(group))
    }

    /// In how many more groups the log-in said that this user is; their states
    /// come one by one, each told by [`crate::Event::Group`].
    pub fn groups_awaited(&self) -> usize {
        self.shared().look(|session| session.groups_awaited())
    }

    /// To which groups this user is invited, and by whom. Joining accepts,
    /// leaving declines.
    pub fn invitations(&self) -> Vec<(GroupId, UserId)> {
        self.shared().look(|session| session.invitations())
    }

    /// This user has read a group up to here ([`crate::GroupEntry::read_to`],
    /// [`Group::read_all`]). Told to the server once a second at most, and to
    /// their other devices. A mark before the last one changes nothing.
    pub fn mark_group_read(&self, group: &GroupId, read: ReadTo) -> Result<(), RequestError> {
        self.shared()
            .call(|session, now, _| session.mark_group_read(now, group, read))
    }

    /// Tells a group that this user types. Without a connection nothing happens.
    pub fn typing_in_group(&self, group: &GroupId) {
        self.group_transient(GroupTransient {
            group: group.clone(),
            kind: TRANSIENT_TYPING,
            body: Bytes::new(),
        });
    }

    /// Sends a signal to a group that is never stored. It may be shed anywhere.
    pub fn group_transient(&self, transient: GroupTransient) {
        self.shared()
            .call(|session, _, _| session.group_transient(transient));
    }
}
