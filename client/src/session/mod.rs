//! One client's session: log-in, messages both ways, friends, presence, and
//! the way back after a lost connection.
//!
//! A pure state machine. Owns everything that must hold over reconnects. Must
//! not know sockets, clocks, tasks or what an application keeps on disk: it is
//! given events and the time, and returns effects and packets.

mod account;
mod backoff;
mod connection;
mod dice;
mod error;
mod event;
mod friends;
mod group_event;
mod group_talk;
mod groups;
mod inbox;
mod log;
mod mint;
mod news;
mod outbox;
mod presence;
mod requests;
mod seen;
mod talk;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proto::client::{ClientPacket, TRANSIENT_TYPING, Transient};
use proto::clock::Moment;
use proto::friends::{FriendAction, FriendList};
use proto::ids::{DeviceId, Identity, MessageId, Stamp, UserId};
use proto::limits::{BODY_BYTES_MAX, LOGIN_FRAME_BYTES_MAX, MENTIONS_MAX, TEXT_BYTES_MAX};
use proto::server::DeviceEntry;
use proto::status::{PeerStatus, Status};

pub use self::account::{Account, Credentials};
pub use self::error::{ChangeError, RequestError, SendError};
pub use self::event::{Confirmation, Connected, Event, Fate, Message, Reason};
pub use self::group_event::{Group, GroupEntry, GroupSkipped};

pub(crate) use self::outbox::To;
pub(crate) use self::requests::Answer;

use self::backoff::Backoff;
use self::connection::{Farewell, Granted, Moving, Phase};
use self::dice::Dice;
use self::friends::Friends;
use self::groups::Groups;
use self::inbox::Inbox;
use self::mint::Mint;
use self::news::{News, NewsQueue};
use self::outbox::{NotTaken, Outbox, Unanswered};
use self::presence::Presence;
use self::requests::Requests;
use self::seen::Carbons;

/// The longest token, in bytes: what a log-in frame takes beside the rest.
pub const TOKEN_BYTES_MAX: usize = LOGIN_FRAME_BYTES_MAX - 1024;

/// What the shell does for the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A message has its fate.
    Settle {
        /// Which one.
        id: MessageId,
        /// What became of it.
        fate: Fate,
    },
    /// A change of a relation or group, the end of a device, or a question about
    /// a group has its answer.
    Changed {
        /// The number that the session gave when it was asked.
        request: u32,
        /// What became of it.
        result: Result<Answer, ChangeError>,
    },
    /// The devices that are logged in, or why they cannot be told.
    Devices(Result<Vec<DeviceEntry>, ChangeError>),
    /// The application has taken this message; its own store is told before
    /// the acknowledgement leaves.
    Remember(Identity),
}

/// What the session wants of the shell at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// Nothing but a tick at its deadline.
    Rest,
    /// A connection.
    Dial,
    /// The connection that it has, kept.
    Connection,
    /// Another connection in place of the one that it has, which is kept until
    /// then.
    Another,
    /// The connection's end after what was transmitted; it is over.
    Nothing,
}

/// One client's session.
#[derive(Debug)]
pub(crate) struct Session {
    account: Account,
    confirmation: Confirmation,
    phase: Phase,
    /// By the newest log-in; none before the first.
    granted: Option<Granted>,
    /// The application gave a token that no log-in has used.
    token_is_fresh: bool,
    farewell: Option<Farewell>,
    mint: Mint,
    outbox: Outbox,
    inbox: Inbox,
    /// The message that the application was given last, in automatic mode.
    handed: Option<Identity>,
    requests: Requests,
    friends: Friends,
    presence: Presence,
    groups: Groups,
    news: NewsQueue,
    carbons: Carbons,
    backoff: Backoff,
    dice: Dice,
}

impl Session {
    /// A session that wants its first connection. `seed` is random.
    pub(crate) fn new(account: Account, confirmation: Confirmation, seed: u64) -> Self {
        Self {
            account,
            confirmation,
            phase: Phase::Dialing,
            granted: None,
            token_is_fresh: false,
            farewell: None,
            mint: Mint::default(),
            outbox: Outbox::default(),
            inbox: Inbox::default(),
            handed: None,
            requests: Requests::new(),
            friends: Friends::default(),
            presence: Presence::default(),
            groups: Groups::default(),
            news: NewsQueue::default(),
            carbons: Carbons::default(),
            backoff: Backoff::default(),
            dice: Dice::new(seed),
        }
    }

    /// Takes a message if there is room. Without an `id` one is minted by the
    /// server's clock, so nothing is taken before the first log-in.
    pub(crate) fn send(
        &mut self,
        now: Moment,
        id: Option<MessageId>,
        to: To,
        body: Bytes,
    ) -> Result<MessageId, SendError> {
        if self.is_ending() {
            return Err(SendError::Closed);
        }
        let is_for_group = matches!(to, To::Group(..));
        if let To::Group(_, mentions) = &to
            && mentions.len() > MENTIONS_MAX
        {
            return Err(SendError::TooManyMentions(mentions.len()));
        }
        let Some(granted) = &self.granted else {
            return Err(SendError::Full(body));
        };
        let limit = granted.body_bytes_max.min(granted.window.bytes);
        let limit = limit.min(BODY_BYTES_MAX);
        if body.len() > limit {
            let bytes = body.len();
            return Err(SendError::TooLarge { bytes, limit });
        }
        let server_ms = granted.server_ms(now);
        let again = id.is_some();
        let id = id.unwrap_or_else(|| self.mint.id(server_ms, &mut self.dice));
        let message = Unanswered {
            id,
            to,
            body: body.clone(),
            again,
        };
        match self.outbox.admit(message, granted.window) {
            Ok(()) => {
                if is_for_group {
                    self.groups.sends(id);
                }
                Ok(id)
            }
            Err(NotTaken::Full) => Err(SendError::Full(body)),
            Err(NotTaken::UnderWay) => Err(SendError::UnderWay(id)),
        }
    }

    /// The next event. In automatic mode the message given before counts as
    /// taken now.
    pub(crate) fn take(&mut self, now: Moment, out: &mut Vec<Effect>) -> Option<Event> {
        if let Some(identity) = self.handed.take() {
            self.confirm(now, &identity, out);
        }
        loop {
            let news = self.news.take()?;
            if let Some(event) = self.told(news) {
                return Some(event);
            }
        }
    }

    fn told(&mut self, news: News) -> Option<Event> {
        Some(match news {
            News::Message(message) => {
                if self.confirmation == Confirmation::Automatic {
                    self.handed = Some(message.identity());
                }
                Event::Message(message)
            }
            News::Receipt(receipt) => Event::Receipt(receipt),
            News::Transient(transient) => Event::Transient(transient),
            News::Carbon(carbon) => Event::Carbon(carbon),
            // They may have ceased to be a friend in between.
            News::Presence(user) => Event::Presence(self.presence.of(&user)?.clone()),
            News::Friends => Event::Friends(Arc::clone(self.friends.list()?)),
            News::Group(group) => Event::Group(self.groups.of(&group)?),
            News::GroupTransient(transient) => Event::GroupTransient(transient),
            News::Logged(event) => {
                self.groups.taken(group_talk::weight(&event));
                event
            }
            News::Tidings(event) | News::State(event) => event,
        })
    }

    /// The application has taken this message.
    pub(crate) fn confirm(&mut self, now: Moment, identity: &Identity, out: &mut Vec<Effect>) {
        let ledger = match &mut self.phase {
            Phase::Live(live) => Some(&mut live.ledger),
            _ => None,
        };
        let is_live = ledger.is_some();
        if self.inbox.take(ledger, identity) {
            out.push(Effect::Remember(identity.clone()));
        }
        if is_live && self.inbox.must_ask_again() {
            self.go_back(now, Reason::Behind, Duration::ZERO, out);
        }
    }

    /// Asks for a change; its answer carries the number returned here.
    pub(crate) fn change_friend(
        &mut self,
        now: Moment,
        action: FriendAction,
        peer: UserId,
    ) -> Result<u32, RequestError> {
        self.check_open()?;
        self.requests.change(now, action, peer)
    }

    /// Asks for the devices of this user; [`Effect::Devices`] brings them.
    pub(crate) fn ask_devices(&mut self, now: Moment) -> Result<(), RequestError> {
        self.check_open()?;
        self.requests.devices(now);
        Ok(())
    }

    /// Asks for the end of a device; its answer carries the number returned
    /// here.
    pub(crate) fn end_device(
        &mut self,
        now: Moment,
        device: DeviceId,
    ) -> Result<u32, RequestError> {
        self.check_open()?;
        self.requests.end_device(now, device)
    }

    /// Shows another status, now and after every reconnect.
    pub(crate) fn set_status(&mut self, status: Status) -> Result<(), RequestError> {
        self.check_open()?;
        if status.text.len() > TEXT_BYTES_MAX {
            return Err(RequestError::TooLong(TEXT_BYTES_MAX));
        }
        self.account.status = Some(status.clone());
        self.requests.status(status);
        Ok(())
    }

    /// What the peer sent up to this stamp is read.
    pub(crate) fn mark_read(&mut self, peer: UserId, up_to: Stamp) -> Result<(), RequestError> {
        self.check_open()?;
        self.requests.read(peer, up_to)
    }

    /// This user types to the peer; of no use later, so it may be shed.
    pub(crate) fn typing(&mut self, to: UserId) {
        let body = Bytes::new();
        let kind = TRANSIENT_TYPING;
        self.transient(Transient { to, kind, body });
    }

    /// A signal between clients; of no use later, so it may be shed.
    pub(crate) fn transient(&mut self, transient: Transient) {
        let limit = self.granted.as_ref().map_or(0, |g| g.body_bytes_max);
        let fits = transient.body.len() <= limit.min(BODY_BYTES_MAX);
        if fits && matches!(self.phase, Phase::Live(_)) {
            self.requests.transient(ClientPacket::Transient(transient));
        }
    }

    /// A token in place of the one before. A session that waits for one goes
    /// on.
    pub(crate) fn refresh_token(&mut self, token: String) -> Result<(), RequestError> {
        self.check_open()?;
        if token.len() > TOKEN_BYTES_MAX {
            return Err(RequestError::TooLong(TOKEN_BYTES_MAX));
        }
        self.account.credentials = Credentials::Token(token.clone());
        self.token_is_fresh = true;
        match self.phase {
            Phase::Greeting { .. } | Phase::Live(_) => self.requests.token(token),
            Phase::Tokenless => self.phase = Phase::Dialing,
            // The next log-in takes it from the account.
            Phase::Resting { .. } | Phase::Dialing | Phase::Over => {}
        }
        Ok(())
    }

    /// The friend list, as far as it is known.
    pub(crate) fn friends(&self) -> Option<&Arc<FriendList>> {
        self.friends.list()
    }

    /// A friend's status, as far as it is known.
    pub(crate) fn status_of(&self, user: &UserId) -> Option<&PeerStatus> {
        self.presence.of(user)
    }

    /// Whether [`Session::take`] has something, or never will have again.
    pub(crate) fn has_news(&self) -> bool {
        !self.news.is_empty() || matches!(self.phase, Phase::Over)
    }

    /// What the shell does next.
    pub(crate) fn wants(&self) -> Wants {
        match &self.phase {
            Phase::Resting { .. } | Phase::Tokenless => Wants::Rest,
            Phase::Dialing => Wants::Dial,
            Phase::Live(live) if live.moving == Moving::Now => Wants::Another,
            Phase::Greeting { .. } | Phase::Live(_) => Wants::Connection,
            Phase::Over => Wants::Nothing,
        }
    }

    fn is_ending(&self) -> bool {
        self.farewell.is_some() || matches!(self.phase, Phase::Over)
    }

    fn check_open(&self) -> Result<(), RequestError> {
        if self.is_ending() {
            return Err(RequestError::Closed);
        }
        Ok(())
    }
}
