//! What to do about a code.

use client::{Code, Next};

/// One sentence for whoever reads the code.
pub fn advice(code: Code) -> &'static str {
    match code {
        Code::NotFriends => "ask with /add NAME and wait until it is accepted",
        Code::Blocked => "only the recipient can change that",
        Code::BodyTooLarge => "send a shorter text",
        Code::RateExceeded | Code::WindowExceeded => "wait a moment, then send it again",
        Code::TooMany => "wait a moment, then /again NUMBER",
        Code::Filtered => "say it differently",
        Code::MailboxFull => "try again when they have been online",
        Code::MintedAhead => "check the clocks; then send it again",
        Code::InvalidId => "check the name",
        Code::NoRequest => "see /friends for who asked",
        Code::ListFull => "one of you has to /remove somebody first",
        Code::OwnSelf => "name somebody else",
        Code::TooOld => "ask the recipient; if it is missing, send it anew",
        Code::FateUnknown => "/again NUMBER sends it again; it is shown once",
        Code::TokenExpired | Code::TokenInvalid => "give a good token with --token; see im token",
        Code::Replaced => "another im runs with this --device; use another name for one of them",
        Code::TooManySessions => {
            "on one of your devices, /devices lists them and /end NAME ends one"
        }
        Code::NoGroup => "check the name; /group create #NAME begins one",
        Code::GroupExists => "choose another name, or /join it",
        Code::NotMember => "/join #NAME comes in",
        Code::NotAllowed => "/members shows who may",
        Code::NotInvited => "ask an admin to invite you",
        Code::Applied => "you are told when one has",
        Code::GroupFull => "somebody has to leave first",
        Code::TooManyGroups => "/leave one first; /groups lists them",
        Code::Banned | Code::Muted => "only an admin of the group can change that",
        Code::OwnerStays => "/group transfer NAME, or /group dissolve #NAME",
        Code::NoSuchMember => "see /members and /waiting",
        Code::NoDevice => "see /devices for those that are",
        Code::Ended => "start im again to log in again",
        Code::TooManyConnections => "end other connections from this computer",
        Code::VersionUnsupported => "use the im of the server's version",
        other => match other.next() {
            Next::Final => "it stays refused",
            Next::Again => "try again in a moment",
            Next::ComeBack => "im comes back by itself",
            Next::FreshToken => "give a fresh token with --token",
            Next::StayAway => "tell the operator of the server",
        },
    }
}
