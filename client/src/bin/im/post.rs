//! A text, sent to somebody or to a group.

use client::{Client, MessageId, SendError, SendHandle};

use crate::whom::{Whom, mentioned};

/// Sends a text; with an id, a message of unknown fate again. In a group it
/// mentions whom it names.
pub async fn post(
    client: &Client,
    to: &Whom,
    text: String,
    again: Option<MessageId>,
) -> Result<SendHandle, SendError> {
    match (to, again) {
        (Whom::User(to), None) => client.send(to, text).await,
        (Whom::User(to), Some(id)) => client.send_with_id(id, to, text).await,
        (Whom::Group(group), None) => client.send_to_group(group, mentioned(&text), text).await,
        (Whom::Group(group), Some(id)) => {
            let mentions = mentioned(&text);
            client
                .send_to_group_with_id(id, group, mentions, text)
                .await
        }
    }
}
