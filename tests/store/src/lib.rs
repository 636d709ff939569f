//! What every store of shards must do: [`msgd_core::store`] as scenes.
//!
//! Owns the contract as code. Each store runs it in a test of its own. Must not
//! know any store.

mod claims;
mod groups;
mod lives;
mod logs;
mod mailboxes;
mod notes;
mod presence;
mod stage;

use std::time::Duration;

use msgd_core::store::{LogSettings, MailboxSettings, Outcome, Request, StoreSettings};
use proto::ids::Incarnation;

use stage::Stage;

/// A store under test.
pub trait Carries {
    /// Carries a request out; what came of it. Another one is asked only then.
    fn carry_out(&mut self, request: Request) -> Vec<Outcome>;

    /// The incarnation is dead: its lease is over, or its process is.
    fn incarnation_died(&mut self, shard: Incarnation);
}

/// Small enough to be filled.
const SETTINGS: StoreSettings = StoreSettings {
    mailbox: MailboxSettings {
        messages_max: 8,
        bytes_max: 1_000,
        age_max: Duration::from_secs(60),
    },
    log: LogSettings {
        log_max: 8,
        keep: Duration::from_secs(60),
    },
};

/// Plays every scene, each on a store that is empty.
///
/// # Panics
/// If the store does not do what it must.
pub fn conforms<S: Carries>(mut fresh: impl FnMut(StoreSettings) -> S) {
    let mut play = |settings, scene: fn(&mut Stage<S>)| scene(&mut Stage::new(fresh(settings)));

    play(SETTINGS, claims::slots_are_granted_with_a_token_that_rises);
    play(SETTINGS, claims::a_held_slot_is_granted_after_its_release);
    play(SETTINGS, claims::a_held_slot_is_granted_after_a_death);
    play(SETTINGS, claims::each_slot_of_a_claim_is_decided_alone);
    play(SETTINGS, claims::who_was_not_told_of_a_claim_claims_again);
    play(SETTINGS, claims::an_old_token_does_nothing);
    play(SETTINGS, claims::a_released_token_does_nothing);
    play(
        SETTINGS,
        claims::a_slot_is_released_again_until_it_is_claimed,
    );
    play(SETTINGS, claims::a_token_is_good_for_its_slot_alone);
    play(SETTINGS, claims::recent_answers_go_to_the_next_holder_once);

    play(SETTINGS, mailboxes::an_unknown_mailbox_is_empty);
    play(SETTINGS, mailboxes::what_was_appended_is_read_in_order);
    play(SETTINGS, mailboxes::an_append_is_behind_what_it_waits_for);
    play(SETTINGS, mailboxes::letters_come_back_whole);
    play(SETTINGS, mailboxes::a_read_is_bounded);
    play(SETTINGS, mailboxes::mailboxes_are_apart);
    play(SETTINGS, mailboxes::the_cursor_goes_forward_only);
    play(SETTINGS, mailboxes::the_cursor_makes_room);
    play(SETTINGS, mailboxes::the_first_that_fit_are_appended);
    play(SETTINGS, mailboxes::bytes_are_bounded);
    play(SETTINGS, mailboxes::a_mailbox_goes_with_its_slot);
    play(SETTINGS, mailboxes::opening_tells_identities_since_a_stamp);
    play(SETTINGS, mailboxes::old_messages_are_dropped_from_the_front);
    let large = StoreSettings::default();
    play(large, mailboxes::opening_tells_the_newest_identities);
    play(large, mailboxes::a_long_mailbox_is_emptied);

    play(SETTINGS, groups::an_unknown_group_is_nothing);
    play(SETTINGS, groups::a_group_is_made_and_written_to);
    play(SETTINGS, groups::members_come_back_whole);
    play(SETTINGS, groups::records_and_entries_come_back_whole);
    play(SETTINGS, groups::a_write_is_done_whole_or_not_at_all);
    play(SETTINGS, lives::a_log_of_a_later_epoch_begins_empty);
    play(SETTINGS, lives::an_ended_group_is_gone_and_made_anew);
    play(large, lives::what_is_left_of_a_large_group_is_nobodys);
    play(SETTINGS, lives::groups_are_apart);
    play(SETTINGS, lives::a_group_goes_with_its_slot);
    play(SETTINGS, groups::opening_tells_the_messages_since_a_stamp);
    play(large, groups::opening_tells_the_newest_messages);
    play(SETTINGS, lives::the_groups_of_a_user_are_what_was_said_last);

    play(SETTINGS, logs::a_log_is_read_in_every_part);
    play(SETTINGS, logs::a_page_is_bounded_in_bytes);
    play(SETTINGS, logs::the_oldest_go_by_count);
    play(SETTINGS, logs::the_oldest_go_by_age);
    play(large, logs::a_long_log_is_read_and_goes);

    play(SETTINGS, notes::receipts_are_coalesced_and_taken_once);
    play(SETTINGS, notes::receipts_are_shed);

    play(SETTINGS, presence::last_seen_is_what_was_said_last);
    play(SETTINGS, presence::here_means_alive_after_a_crash);
}
