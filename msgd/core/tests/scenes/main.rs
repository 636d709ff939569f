//! Scenes of one shard: what happens to it, and what it says and asks.

mod afar;
mod full;
mod groups_acts;
mod groups_follow;
mod groups_going;
mod groups_posts;
mod groups_room;
mod groups_words;
mod hall;
mod keeper;
mod listing;
mod logins;
mod operator;
mod stage;
